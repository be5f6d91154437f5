import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  errorLimits,
  errorResponse,
  failureResponse,
  type GeneratedResponse,
} from '../../../routers/respond/error-response.ts';
import { formEncode } from '../../../routers/respond/form-encode.ts';
import { statusOf } from '../../../routers/respond/status-of.ts';
import { Failure, type FailureKind } from '../../../src/base/failure.ts';

const limits = { headerChars: 8192, bodyChars: 5_242_880 };

function field(response: GeneratedResponse, name: string): string | undefined {
  return response.fields.find(([key]) => key === name)?.[1];
}

describe('formEncode', () => {
  it('writes only characters that mean nothing in a head, and decodes to the text again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = formEncode(text, 1_000_000);
        assert.match(encoded, /^[A-Za-z0-9.\-*_+%]*$/);
        const decoded = Buffer.from(
          encoded
            .replaceAll('+', ' ')
            .replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
          'latin1',
        );
        const expected = [...text].map((c) => ((c.codePointAt(0) ?? 0) > 0xff ? '?' : c)).join('');
        assert.equal(decoded.toString('latin1'), expected);
      }),
    );
  });

  it('cuts at the limit', () => {
    assert.equal(formEncode('a\nb', 3), 'a%0');
    assert.equal(formEncode('abc', 3), 'abc');
  });
});

describe('errorResponse', () => {
  it('has the message as plain text and encoded in l5d-err', () => {
    const response = errorResponse(502, 'foo\nbar', limits);
    assert.deepEqual(response, {
      status: 502,
      fields: [
        ['l5d-err', 'foo%0Abar'],
        ['Content-Type', 'text/plain'],
      ],
      body: 'foo\nbar',
    });
  });

  it('cuts the header and the body to their limits', () => {
    const response = errorResponse(502, 'a b c d', { headerChars: 4, bodyChars: 3 });
    assert.equal(field(response, 'l5d-err'), 'a+b+');
    assert.equal(response.body, 'a b');
  });
});

describe('errorLimits', () => {
  it('leaves room for the other fields of the head', () => {
    assert.deepEqual(errorLimits(8192, 100), { headerChars: 7168, bodyChars: 100 });
    assert.equal(errorLimits(1024, 100).headerChars, 512);
  });
});

describe('failureResponse', () => {
  it('starts with the message and adds code, reasons and a command', () => {
    const failure = new Failure('no-endpoints', 'Unable to route request!\n\nservice name: /svc/web\n');
    const response = failureResponse(failure, limits, {
      router: 'outgoing',
      service: '/svc/web',
      admin: 'http://localhost:9990',
    });
    assert.equal(response.status, 502);
    assert.equal(
      response.body,
      'Unable to route request!\n\nservice name: /svc/web\n\ncode: no-endpoints\n' +
        "explain: curl -s 'http://localhost:9990/delegator.json?namespace=outgoing&base=1&path=/svc/web'\n",
    );
    assert.equal(field(response, 'l5d-retryable'), undefined);
  });

  it('makes a command that a shell reads as two plain arguments, whatever the names are', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (service, localDtab) => {
        const { body } = failureResponse(new Failure('naming', 'x'), limits, {
          service,
          localDtab,
          admin: 'http://localhost:9990',
        });
        const command = /^explain: (.*)$/m.exec(body)?.[1] ?? '';
        assert.match(command, /^curl -s 'http:\/\/localhost:9990\/delegator\.json\?[^'\s\\]*'$/);
      }),
    );
    const { body } = failureResponse(new Failure('naming', 'x'), limits, {
      service: "/svc/it's $(x)",
      admin: 'https://a:1',
    });
    const command = /^explain: curl (.*)$/m.exec(body)?.[1] ?? '';
    const read = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
    assert.equal(read, '-sk\nhttps://a:1/delegator.json?base=1&path=/svc/it%27s%20%24(x)\n');
  });

  it('marks as retryable what was certainly not sent, but not connection failures', () => {
    const mark = (kind: FailureKind, undelivered: boolean): string | undefined =>
      field(failureResponse(new Failure(kind, 'm', undelivered), limits), 'l5d-retryable');
    assert.equal(mark('upstream-closed', true), 'true');
    assert.equal(mark('nacked', true), 'true');
    assert.equal(mark('upstream-closed', false), undefined);
    assert.equal(mark('connect', true), undefined);
    assert.equal(mark('no-endpoints', true), undefined);
    assert.equal(mark('unidentified', true), undefined);
  });

  it('refuses with a nack, without l5d-err, when there are too many requests', () => {
    const response = failureResponse(new Failure('overloaded', 'm', true), limits);
    assert.equal(response.status, 503);
    assert.equal(field(response, 'l5d-err'), undefined);
    assert.equal(field(response, 'finagle-http-nack'), 'true');
    assert.equal(field(response, 'Retry-After'), '0');
  });

  it('never lets a message into the head as it is', () => {
    const response = failureResponse(new Failure('tls', 'a\r\nSet-Cookie: x=1\r\n\r\nĊbody'), limits);
    for (const [, value] of response.fields) assert.match(value, /^[\x21-\x7e]*$/);
  });
});

describe('statusOf', () => {
  it('says 400 for the caller, 503 for timeouts, 502 for everything behind', () => {
    assert.equal(statusOf('unidentified'), 400);
    assert.equal(statusOf('bad-dtab'), 400);
    assert.equal(statusOf('total-timeout'), 503);
    assert.equal(statusOf('connect'), 502);
    assert.equal(statusOf('binding-timeout'), 502);
  });
});
