import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ChunkDecoder } from '../../../routers/http1/chunk-decoder.ts';
import { HeadProblem } from '../../../routers/http1/head-parser.ts';

type Result = { data: string; rest: string; done: boolean; problem: boolean; trailers: [string, string][] };

function decode(text: string, cuts: readonly number[] = []): Result {
  const decoder = new ChunkDecoder();
  const bytes = Buffer.from(text, 'latin1');
  const ends = [...new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  let data = '';
  let at = 0;
  for (const end of ends) {
    // Each piece stands somewhere else in a larger buffer, as in the shared one.
    const shared = Buffer.concat([Buffer.alloc(3, '!'), bytes.subarray(at, end), Buffer.alloc(3, '!')]);
    const stopped = decoder.decode(shared, 3, 3 + end - at, (from, to) => {
      data += shared.toString('latin1', from, to);
    });
    if (stopped instanceof HeadProblem) return { data, rest: '', done: false, problem: true, trailers: [] };
    if (decoder.done) {
      const rest = text.slice(at + stopped - 3);
      return { data, rest, done: true, problem: false, trailers: decoder.trailers?.pairs() ?? [] };
    }
    assert.equal(stopped, 3 + end - at);
    at = end;
  }
  return { data, rest: '', done: false, problem: false, trailers: [] };
}

const piece = fc
  .uint8Array({ minLength: 1, maxLength: 50 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const extension = fc.constantFrom('', ';a=b', ';x="y z"', ';\tq');
const chunks = fc.array(fc.tuple(piece, extension, fc.boolean()), { maxLength: 8 });
const trailer = fc.constantFrom('', 'X-A: 1\r\n', 'X-A: 1\r\nX-B: two\r\n');
const cuts = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 30 });

function encode(parts: readonly (readonly [string, string, boolean])[], trailers: string): string {
  const size = (length: number, upper: boolean): string => {
    const hex = length.toString(16);
    return upper ? `0${hex.toUpperCase()}` : hex;
  };
  const each = parts.map(([text, ext, upper]) => `${size(text.length, upper)}${ext}\r\n${text}\r\n`);
  return `${each.join('')}0\r\n${trailers}\r\n`;
}

describe('ChunkDecoder', () => {
  it('gives the same for every split of a body, and stops exactly at its end', () => {
    fc.assert(
      fc.property(chunks, trailer, cuts, fc.string(), (parts, trailers, at, rest) => {
        const text = encode(parts, trailers);
        const next = Buffer.from(rest, 'utf8').toString('latin1');
        const found = decode(text + next, at);
        assert.equal(found.data, parts.map(([data]) => data).join(''));
        assert.ok(found.done);
        assert.equal(found.rest, next);
        assert.equal(found.trailers.map(([name, value]) => `${name}: ${value}\r\n`).join(''), trailers);
      }),
    );
  });

  it('never throws, and gives the same for every split of anything', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc
        .tuple(chunks, fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 255 }))
        .map(([parts, at, code]) => {
          const text = encode(parts, '');
          return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        }),
    );
    fc.assert(
      fc.property(anything, cuts, (text, at) => {
        const whole = decode(text);
        const pieces = decode(text, at);
        assert.equal(pieces.problem, whole.problem);
        assert.equal(pieces.done, whole.done);
        assert.equal(pieces.data, whole.data);
      }),
    );
  });

  it('refuses sizes that are not plain hexadecimal numbers', () => {
    for (const size of ['', ' 5', '5 ', '-5', '+5', '0x5', '5_0', '5\t', 'G', '1234567890abc']) {
      assert.ok(decode(`${size}\r\nhello\r\n0\r\n\r\n`).problem, JSON.stringify(size));
    }
  });

  it('refuses line ends that are not CRLF', () => {
    for (const text of [
      '5\nhello\r\n0\r\n\r\n',
      '5\rhello\r\n0\r\n\r\n',
      '5\r\nhello\n0\r\n\r\n',
      '5\r\nhello\r0\r\n\r\n',
      '0\r\n\n',
    ]) {
      assert.ok(decode(text).problem, JSON.stringify(text));
    }
  });

  it('bounds extensions of one chunk and of a body, and the trailers', () => {
    assert.ok(decode(`5;${'x'.repeat(2000)}\r\nhello\r\n0\r\n\r\n`).problem);
    assert.ok(decode(`${`1;${'x'.repeat(500)}\r\na\r\n`.repeat(40)}0\r\n\r\n`).problem);
    assert.ok(decode(`0\r\nX: ${'x'.repeat(9000)}`).problem);
    assert.ok(decode(`0\r\n${'X: 1\r\n'.repeat(65)}\r\n`).problem);
  });

  it('drops trailers that would mean something for framing, routing or authentication (RFC 9110 6.5.1)', () => {
    const found = decode(
      '0\r\nContent-Length: 5\r\nHost: a\r\nAuthorization: x\r\nX-Sum: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    assert.deepEqual(found.trailers, [['X-Sum', '1']]);
  });
});
