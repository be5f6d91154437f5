import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '../../../routers/fields.ts';
import type { RequestHead } from '../../../routers/head.ts';
import { rewriteAbsoluteForm, splitAbsoluteForm } from '../../../routers/headers/absolute-form.ts';
import { clearRequestContext, clearResponseContext } from '../../../routers/headers/clear-context.ts';
import { dstClientBlock, dstServiceBlock } from '../../../routers/headers/dst.ts';
import { fieldText, isFieldText } from '../../../routers/headers/field-text.ts';
import { authorityHost, restoreHost } from '../../../routers/headers/host-rewrite.ts';
import { countDownForwards, wantsContext } from '../../../routers/headers/max-forwards.ts';
import { Failure } from '../../../src/base/failure.ts';

function head(target: string, pairs: [string, string][] = [], method = 'GET'): RequestHead {
  return { method, target, minor: 1, fields: Fields.of(pairs) };
}

describe('rewriteAbsoluteForm', () => {
  it('makes the authority the Host and keeps the rest byte for byte', () => {
    const request = head('http://u:p@web:8080/a%2Fb?x=R%26D#f', [['Host', 'other']]);
    assert.equal(rewriteAbsoluteForm(request), 'http');
    assert.equal(request.target, '/a%2Fb?x=R%26D#f');
    assert.deepEqual(request.fields.pairs(), [['Host', 'u:p@web:8080']]);
  });

  it('adds a Host where there is none, and a slash where there is no path', () => {
    for (const [target, expected] of [
      ['http://web', '/'],
      ['HTTPS://web?q=http://x/', '/?q=http://x/'],
      ['http://web#f', '/#f'],
    ] as const) {
      const request = head(target);
      rewriteAbsoluteForm(request);
      assert.equal(request.target, expected);
      assert.equal(request.fields.named('host'), 'web');
    }
  });

  it('leaves other targets alone', () => {
    for (const target of ['/', '/foo?u=http://x/y', '*', 'web:80', 'foo?u=http://x', '://x']) {
      const request = head(target, [['Host', 'other']]);
      assert.equal(rewriteAbsoluteForm(request), undefined);
      assert.equal(request.target, target);
      assert.equal(request.fields.named('host'), 'other');
    }
  });

  it('refuses an absolute target without a valid host', () => {
    for (const target of ['http:///path', 'http://?x', 'http://a"b/', 'http://w\u00e9b/']) {
      const answer = rewriteAbsoluteForm(head(target));
      assert.ok(answer instanceof Failure, target);
      assert.equal(answer.kind, 'unidentified');
    }
  });

  it('has an empty rest for a bare authority', () => {
    assert.deepEqual(splitAbsoluteForm('http://web'), { scheme: 'http', authority: 'web', rest: '' });
  });
});

describe('restoreHost', () => {
  it('maps every occurrence in Location and Refresh back', () => {
    const fields = Fields.of([
      ['Location', 'http://acme.co/a?b=acme.co'],
      ['refresh', '5; url=http://acme.co/'],
      ['X-Other', 'acme.co'],
    ]);
    restoreHost(fields, 'acme.co', '$&.web');
    assert.deepEqual(fields.pairs(), [
      ['Location', 'http://$&.web/a?b=$&.web'],
      ['refresh', '5; url=http://$&.web/'],
      ['X-Other', 'acme.co'],
    ]);
  });

  it('leaves the answer alone when the caller sent no Host', () => {
    const fields = Fields.of([['Location', 'http://acme.co/']]);
    restoreHost(fields, 'acme.co', undefined);
    assert.equal(fields.named('location'), 'http://acme.co/');
  });
});

describe('authorityHost', () => {
  it('never lets metadata break out of the field', () => {
    assert.equal(authorityHost('acme.co:80'), 'acme.co:80');
    for (const bad of [undefined, '', 'a\r\nX: y', 'a\u010dX: y', 'a\0'])
      assert.equal(authorityHost(bad), undefined);
  });
});

describe('field text', () => {
  it('knows the characters whose low byte is a line end', () => {
    assert.equal(isFieldText('a\tb \xff'), true);
    assert.equal(isFieldText('a\u010ab'), false);
    assert.equal(fieldText('a\r\n\u010ab\x7f\u{1f600}'), 'a???b??');
  });
});

describe('l5d-dst fields', () => {
  it('have no residual when it is empty', () => {
    assert.equal(dstServiceBlock('/svc/web'), 'l5d-dst-service: /svc/web\r\n');
    assert.equal(dstClientBlock('/#/fs/web', '/'), 'l5d-dst-client: /#/fs/web\r\n');
    assert.equal(
      dstClientBlock('/#/fs/web', '/v1'),
      'l5d-dst-client: /#/fs/web\r\nl5d-dst-residual: /v1\r\n',
    );
  });
});

describe('clearContext', () => {
  it('removes every l5d field and the client certificate from requests', () => {
    const fields = Fields.of([
      ['L5D-Dtab', '/a=>/b'],
      ['l5d-ctx-foo', '1'],
      ['l5d-name', '/x'],
      ['X-Forwarded-Client-Cert', 'Hash=1'],
      ['x-b3-traceid', '1'],
      ['l5dx', '1'],
    ]);
    clearRequestContext(fields);
    assert.deepEqual(fields.pairs(), [['l5dx', '1']]);
  });

  it('asks for the body of a router error to be emptied', () => {
    const error = Fields.of([
      ['l5d-err', 'x'],
      ['l5d-success-class', '1.0'],
      ['Content-Length', '4'],
    ]);
    assert.equal(clearResponseContext(error), true);
    assert.deepEqual(error.pairs(), [['Content-Length', '4']]);
    assert.equal(clearResponseContext(Fields.of([['l5d-success-class', '1.0']])), false);
  });
});

describe('Max-Forwards', () => {
  const trace = (value: string, method = 'TRACE'): [boolean | Failure, string | undefined] => {
    const request = head('/', [['Max-Forwards', value]], method);
    return [countDownForwards(request), request.fields.named('max-forwards')];
  };

  it('is counted down and ends here at 0', () => {
    assert.deepEqual(trace('3'), [false, '2']);
    assert.deepEqual(trace('0'), [true, '0']);
    assert.deepEqual(trace('0', 'OPTIONS'), [true, '0']);
    assert.deepEqual(trace('0', 'GET'), [false, '0']);
  });

  it('refuses a TRACE with nonsense', () => {
    for (const value of ['x', '', '-1', '+1', '1.5', '99999999999', '2147483648']) {
      const [answer] = trace(value);
      assert.ok(answer instanceof Failure && answer.kind === 'bad-max-forwards', value);
    }
    assert.deepEqual(trace('x', 'OPTIONS'), [false, 'x']);
  });

  it('goes with a request for the routing details only on TRACE', () => {
    assert.equal(wantsContext(head('/', [['l5d-add-context', 'True']], 'TRACE')), true);
    assert.equal(wantsContext(head('/', [['l5d-add-context', 'no']], 'TRACE')), false);
    assert.equal(wantsContext(head('/', [['l5d-add-context', 'true']])), false);
  });
});
