import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '../../../routers/fields.ts';
import type { RequestHead } from '../../../routers/head.ts';
import { DeadlineStats } from '../../../routers/headers/deadline-stats.ts';
import { appendRequestFields, appendResponseFields } from '../../../routers/headers/emit.ts';
import { ForwardedLine } from '../../../routers/headers/forwarded.ts';
import { LocalDtabs } from '../../../routers/headers/local-dtab.ts';
import {
  prepareForward,
  type ReceiveOptions,
  receiveRequest,
  receiveResponse,
} from '../../../routers/headers/receive.ts';
import { RequestContext } from '../../../routers/headers/request-context.ts';
import { makeTracePropagator } from '../../../routers/headers/trace.ts';
import { seededRng } from '../../../src/base/rng.ts';
import { noStats } from '../../../src/base/stats.ts';

const tracePropagator = makeTracePropagator('io.l5d.default', seededRng(1));

function options(changes: Partial<ReceiveOptions> = {}): ReceiveOptions {
  return {
    clearContext: false,
    maxCallDepth: 1000,
    timestampHeader: undefined,
    localDtabs: new LocalDtabs(),
    tracePropagator,
    clock: { wallMs: () => 1_700_000_000_123.4 },
    deadlines: new DeadlineStats(noStats),
    ...changes,
  };
}

function request(pairs: [string, string][], target = '/', method = 'GET', minor = 1): RequestHead {
  return { method, target, minor, fields: Fields.of(pairs) };
}

const client = { dst: 'l5d-dst-service: /svc/web\r\n', forwardClientCert: false };

/** The head lines that would be sent, without the trace. */
function sent(head: RequestHead, context: RequestContext, what = client, presented?: string): string[] {
  const generated = appendRequestFields(
    '',
    context,
    head.minor,
    what,
    tracePropagator,
    context.deadline,
    presented,
  );
  const received = head.fields.pairs().map(([name, value]) => `${name}: ${value}`);
  return [...received, ...generated.split('\r\n')].filter(
    (line) => line !== '' && !/^l5d-(?:ctx-trace|reqid)/.test(line),
  );
}

describe('receiveRequest and prepareForward', () => {
  it('replace what a router says and pass the rest on', () => {
    const head = request([
      ['Host', 'web'],
      ['l5d-dst-service', '/stale'],
      ['L5d-Dst-Residual', '/stale'],
      ['l5d-reqid', 'stale'],
      ['Via', '1.1 a'],
      ['Via', '1.1 b'],
      ['l5d-ctx-deadline', '1 2'],
      ['l5d-dtab', '/a=>/b'],
      ['l5d-ctx-other', 'x'],
      ['Connection', 'x-hop'],
      ['X-Hop', '1'],
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Connection', 'keep-alive'],
      ['Expect', '100-continue'],
      ['x-forwarded-client-cert', 'Hash=spoofed'],
      ['dtab-local', '/x=>/y'],
    ]);
    const context = new RequestContext();
    assert.equal(receiveRequest(head, options(), undefined, context), undefined);
    assert.equal(prepareForward(head, context), undefined);
    const expected = [
      'Host: web',
      'l5d-ctx-other: x',
      'dtab-local: /x=>/y',
      'Via: 1.1 a, 1.1 turnout',
      'l5d-dst-service: /svc/web',
      'l5d-ctx-deadline: 1 2',
      'l5d-ctx-dtab: /a=>/b',
    ];
    assert.deepEqual(sent(head, context), expected);
    assert.deepEqual(sent(head, context), expected, 'a second attempt sends the same');
  });

  it('forget the last request', () => {
    const context = new RequestContext();
    const first = request(
      [
        ['Via', 'a'],
        ['l5d-dtab', '/a=>/b'],
        ['l5d-ctx-deadline', '1 2'],
        ['Max-Forwards', '0'],
        ['l5d-add-context', 'true'],
        ['x-forwarded-client-cert', 'h'],
      ],
      '/',
      'TRACE',
    );
    receiveRequest(first, options(), undefined, context);
    prepareForward(first, context);
    assert.ok(context.answerHere && context.addContext);
    const second = request([['Host', 'web']]);
    receiveRequest(second, options(), undefined, context);
    prepareForward(second, context);
    assert.ok(!context.answerHere && !context.addContext);
    assert.deepEqual(sent(second, context), ['Host: web', 'Via: 1.1 turnout', 'l5d-dst-service: /svc/web']);
  });

  it('believe nothing behind clearContext', () => {
    const head = request([
      ['Host', 'web'],
      ['l5d-dtab', 'not even a table'],
      ['l5d-ctx-deadline', '1 2'],
      ['l5d-ctx-other', 'x'],
      ['l5d-add-context', 'true'],
      ['x-forwarded-client-cert', 'Hash=spoofed'],
    ]);
    const context = new RequestContext();
    assert.equal(receiveRequest(head, options({ clearContext: true }), undefined, context), undefined);
    prepareForward(head, context);
    assert.deepEqual(sent(head, context, { ...client, forwardClientCert: true }), [
      'Host: web',
      'Via: 1.1 turnout',
      'l5d-dst-service: /svc/web',
    ]);
  });

  it('forward the certificate of the caller only where the client says so', () => {
    const head = request([
      ['Host', 'web'],
      ['x-forwarded-client-cert', 'Hash=A'],
    ]);
    const context = new RequestContext();
    receiveRequest(head, options(), undefined, context);
    prepareForward(head, context);
    const forwarding = { ...client, forwardClientCert: true };
    const header = 'x-forwarded-client-cert: ';
    assert.ok(sent(head, context, forwarding, 'Hash=B').includes(`${header}Hash=B`));
    assert.ok(sent(head, context, forwarding).includes(`${header}Hash=A`));
    assert.ok(!sent(head, context, client, 'Hash=B').some((line) => line.startsWith(header)));
  });

  it('take the host of an absolute target, and add Forwarded and the time of what was received', () => {
    const address = { ip: '1.2.3.4', port: 5 };
    const line = new ForwardedLine(
      { by: { kind: 'router' }, for: { kind: 'ip' } },
      address,
      address,
      'r',
      seededRng(1),
    );
    const head = request(
      [
        ['Host', 'old'],
        ['Forwarded', 'for=_x'],
      ],
      'http://web/p',
    );
    const context = new RequestContext();
    receiveRequest(head, options({ timestampHeader: 'X-Time' }), line, context);
    assert.equal(head.target, '/p');
    assert.deepEqual(head.fields.pairs(), [
      ['Host', 'web'],
      ['Forwarded', 'for=_x'],
      ['Forwarded', 'by=_r;for=1.2.3.4;host=old;proto=http'],
      ['X-Time', '1700000000123'],
    ]);
  });

  it('refuse a bad table, a loop, a target without a host and a bad Max-Forwards', () => {
    const kind = (head: RequestHead, changes: Partial<ReceiveOptions> = {}): string | undefined => {
      const context = new RequestContext();
      const failure =
        receiveRequest(head, options(changes), undefined, context) ?? prepareForward(head, context);
      return failure?.kind;
    };
    assert.equal(kind(request([['l5d-dtab', 'x']])), 'bad-dtab');
    assert.equal(kind(request([['Via', 'a, b']]), { maxCallDepth: 1 }), 'call-depth');
    assert.equal(kind(request([], 'http:///')), 'unidentified');
    assert.equal(kind(request([['Max-Forwards', 'x']], '/', 'TRACE')), 'bad-max-forwards');
  });

  it('give an HTTP/1.1 request without Host an empty one, and leave HTTP/1.0 without', () => {
    const context = new RequestContext();
    const modern = request([]);
    prepareForward(modern, context);
    assert.deepEqual(modern.fields.pairs(), [['Host', '']]);
    const old = request([], '/', 'GET', 0);
    receiveRequest(old, options(), undefined, context);
    prepareForward(old, context);
    assert.deepEqual(sent(old, context), ['Via: 1.0 turnout', 'l5d-dst-service: /svc/web']);
  });
});

describe('receiveResponse', () => {
  it('takes out what we write ourselves', () => {
    const fields = Fields.of([
      ['Server', 'x'],
      ['Via', '1.1 b'],
      ['Connection', 'keep-alive, x-hop'],
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Connection', 'keep-alive'],
      ['X-Hop', '1'],
      ['Transfer-Encoding', 'chunked'],
      ['l5d-success-class', '0.5'],
      ['l5d-err', 'from behind'],
    ]);
    const via = receiveResponse(fields);
    assert.deepEqual(fields.pairs(), [
      ['Server', 'x'],
      ['l5d-err', 'from behind'],
    ]);
    assert.equal(
      appendResponseFields('', via, 1, 'success'),
      'Via: 1.1 b, 1.1 turnout\r\nl5d-success-class: 1.0\r\n',
    );
    assert.equal(receiveResponse(Fields.of([['Server', 'x']])), undefined);
    assert.equal(
      appendResponseFields('', undefined, 0, 'retryable'),
      'Via: 1.0 turnout\r\nl5d-success-class: 0.0\r\n',
    );
  });
});
