import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '../../../routers/fields.ts';
import { discardedBody, localAnswer, withRouting } from '../../../routers/respond/diagnostics.ts';
import { durationText } from '../../../routers/respond/duration-text.ts';
import {
  attemptTimeoutText,
  bindingTimeoutText,
  connectionFailedText,
  noBrokersText,
  totalTimeoutText,
} from '../../../routers/respond/messages.ts';
import { reasonPhrase } from '../../../routers/respond/reason-phrase.ts';

describe('durationText', () => {
  it('writes units from days down to milliseconds', () => {
    assert.equal(durationText(500), '500.milliseconds');
    assert.equal(durationText(2000), '2.seconds');
    assert.equal(durationText(1500), '1.seconds+500.milliseconds');
    assert.equal(durationText(90_000), '1.minutes+30.seconds');
    assert.equal(durationText(0), '0.seconds');
  });
});

describe('noBrokersText', () => {
  it('shows the service and both tables', () => {
    assert.equal(
      noBrokersText('/svc/web', ['/svc => /#/io.l5d.fs'], []),
      'Unable to route request!\n\nservice name: /svc/web\ndtab:\n\n' +
        'base dtab:\n  /svc => /#/io.l5d.fs\noverride dtab:\n\n',
    );
  });

  it('shows a large table in part', () => {
    const text = noBrokersText('/svc/web', new Array(10_000).fill('/a => /b'), ['/c => /d']);
    assert.match(text, /\n {2}\.\.\. 9950 more entries\noverride dtab:\n {2}\/c => \/d\n$/);
  });
});

describe('connectionFailedText', () => {
  it('shows where the connection went and where it could have gone', () => {
    assert.equal(
      connectionFailedText('/svc/web', '/#/io.l5d.fs/web', ['10.0.0.1:80', '10.0.0.2:80'], '10.0.0.1:80'),
      'Unable to establish connection to 10.0.0.1:80.\n\n' +
        'service name: /svc/web\nclient name: /#/io.l5d.fs/web\n' +
        'addresses: [10.0.0.1:80, 10.0.0.2:80]\nselected address: 10.0.0.1:80\n',
    );
  });

  it('shows a large address set in part', () => {
    const addresses = Array.from({ length: 500 }, (_, i) => `10.0.0.1:${i}`);
    const text = connectionFailedText('/s', '/c', addresses, '10.0.0.1:0', 'ECONNREFUSED');
    assert.match(text, /10\.0\.0\.1:9, \.\.\. 490 more\]/);
    assert.match(text, /\nreason: ECONNREFUSED\n$/);
  });
});

describe('timeout texts', () => {
  it('say how long, for whom and for what', () => {
    assert.equal(
      attemptTimeoutText(500, '/#/web'),
      'exceeded 500.milliseconds to /#/web while waiting for a response' +
        ' for an individual request, excluding retries. Remote Info: Not Available',
    );
    assert.match(
      totalTimeoutText(2000, undefined),
      /^exceeded 2\.seconds to unspecified while waiting for a response for the request, including retries/,
    );
    assert.equal(
      bindingTimeoutText(10_000, '/svc/x'),
      'Exceeded 10.seconds binding timeout while resolving name: /svc/x',
    );
    assert.equal(
      bindingTimeoutText(10_000, '/svc/x', '/#/fs/x'),
      'Exceeded 10.seconds binding timeout while connecting to /#/fs/x for name: /svc/x',
    );
  });
});

describe('TRACE diagnostics', () => {
  const details = {
    router: 'http',
    durationMs: 3.4,
    service: '/svc/web',
    client: '/#/io.l5d.fs/web',
    addresses: ['127.0.0.1:80'],
    selected: '127.0.0.1:80',
    steps: [
      { path: '/svc/web', dentry: '' },
      { path: '/#/io.l5d.fs/web', dentry: '/svc=>/#/io.l5d.fs' },
    ],
  };
  const block =
    '--- Router: http ---\nrequest duration: 3 ms\nservice name: /svc/web\nclient name: /#/io.l5d.fs/web\n' +
    'addresses: [127.0.0.1:80]\nselected address: 127.0.0.1:80\ndtab resolution:\n  /svc/web\n' +
    '  /#/io.l5d.fs/web (/svc=>/#/io.l5d.fs)\n';

  it('append the routing details to the body', () => {
    assert.equal(withRouting('TRACE / HTTP/1.1\r\n', details), `TRACE / HTTP/1.1\n\n${block}`);
  });

  it('answer with the details only when they are asked for', () => {
    assert.deepEqual(localAnswer(undefined), { status: 200, fields: [], body: '' });
    assert.equal(localAnswer(details).body, `\n\n${block}`);
  });

  it('put the head in the place of a body that is discarded', () => {
    assert.equal(
      discardedBody(200, Fields.of([['Server', 'x']])),
      'Server: x\nHTTP 200 - OK\nDiagnostic trace encountered chunked response. Response content discarded.',
    );
  });
});

describe('reasonPhrase', () => {
  it('is never empty', () => {
    assert.equal(reasonPhrase(502), 'Bad Gateway');
    assert.equal(reasonPhrase(799), 'Unknown');
  });
});
