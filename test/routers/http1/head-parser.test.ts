import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RequestHead, ResponseHead } from '../../../routers/head.ts';
import { HeadParser, HeadProblem } from '../../../routers/http1/head-parser.ts';

const LIMITS = { initialLineBytes: 200, headBytes: 600, lines: 20 };
const parser = new HeadParser(LIMITS);

const TOKENS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const chars = (all: string, min: number, max: number) =>
  fc.array(fc.constantFrom(...all), { minLength: min, maxLength: max }).map((each) => each.join(''));
const range = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)).join('');
const token = chars(TOKENS, 1, 12);
const target = chars(range(0x21, 0x7e), 1, 40);
const value = chars(`\t ${range(0x21, 0x7e)}${range(0x80, 0xff)}`, 0, 30).map((text) =>
  text.replace(/^[\t ]+|[\t ]+$/g, ''),
);
const fields = fc.array(fc.tuple(token, value), { maxLength: 6 });
const shown = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, each]) => `${name}: ${each}\r\n`).join('');

type Parsed = RequestHead | ResponseHead | HeadProblem;

/** What a reader finds that gets the text in pieces, as connections do: the result, or undefined at the end. */
function inPieces(
  parse: (text: string) => Parsed | undefined,
  text: string,
  cuts: readonly number[],
): Parsed | undefined {
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut >= text.length) break;
    const found = parse(text.slice(0, cut));
    if (found !== undefined) return found;
  }
  return parse(text);
}

const plain = (found: Parsed | undefined): unknown =>
  found === undefined || found instanceof HeadProblem
    ? 'refused'
    : { ...found, fields: found.fields.pairs() };

describe('HeadParser.request', () => {
  it('reads back what was written, whatever is valid, and says where the head ends', () => {
    fc.assert(
      fc.property(
        token,
        target,
        fc.constantFrom(0, 1),
        fields,
        fc.string(),
        (method, uri, minor, pairs, rest) => {
          const text = `${method} ${uri} HTTP/1.${minor}\r\n${shown(pairs)}\r\n`;
          fc.pre(text.length <= LIMITS.headBytes);
          const head = parser.request(text + rest);
          assert.ok(head !== undefined && !(head instanceof HeadProblem), JSON.stringify(head));
          assert.equal(parser.end, text.length);
          assert.deepEqual([head.method, head.target, head.minor], [method, uri, minor]);
          assert.deepEqual(head.fields.pairs(), pairs);
        },
      ),
    );
  });

  it('gives the same result however a valid head is split', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 20 });
    fc.assert(
      fc.property(token, target, fields, cuts, (method, uri, pairs, at) => {
        const text = `${method} ${uri} HTTP/1.1\r\n${shown(pairs)}\r\n`;
        const parse = (each: string) => parser.request(each);
        assert.deepEqual(plain(inPieces(parse, text, at)), plain(parser.request(text)));
      }),
    );
  });

  it('never throws and never waits for more than its limits, whatever it is given', () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 900 });
    fc.assert(
      fc.property(
        bytes,
        fc.constantFrom('', 'GET / HTTP/1.1\r\n', 'GET /', 'HTTP/1.1 200 '),
        (raw, start) => {
          const text = start + String.fromCharCode(...raw);
          const request = parser.request(text);
          if (text.length > LIMITS.headBytes) assert.notEqual(request, undefined);
          const response = parser.response(text);
          if (text.length > LIMITS.headBytes) assert.notEqual(response, undefined);
          parser.trailers(text);
        },
      ),
    );
  });

  it('refuses every control byte at every place of a head', () => {
    const text = 'GET /a HTTP/1.1\r\nHost: web\r\nX-A: b c\r\n\r\n';
    const allowed = new Set(['\t']);
    for (let at = 0; at < text.length; at++) {
      for (const code of [...range(0, 0x1f), '\x7f']) {
        for (const odd of [
          text.slice(0, at) + code + text.slice(at),
          text.slice(0, at) + code + text.slice(at + 1),
        ]) {
          // What stands behind a whole head is not the head's.
          if (odd.startsWith(text) || allowed.has(code)) continue;
          const found = parser.request(odd);
          const waits = found === undefined && parser.request(`${odd}\r\n\r\n`) instanceof HeadProblem;
          // A CR or LF that replaces its like, or an empty line before the head, leaves it valid.
          const valid = found !== undefined && !(found instanceof HeadProblem) && odd.startsWith('\r\nGET');
          assert.ok(found instanceof HeadProblem || waits || valid, JSON.stringify(odd));
          if (found instanceof HeadProblem) assert.equal(found.status, 400, JSON.stringify(odd));
        }
      }
    }
  });

  it('refuses a blank, a high byte or a separator in a name, and a blank before the colon', () => {
    for (const code of [...' \t"(),/;<=>?@[\\]{}', ...range(0x80, 0xff)]) {
      for (const name of [`${code}X`, `X${code}Y`, `X${code}`]) {
        const found = parser.request(`GET / HTTP/1.1\r\nHost: a\r\n${name}: 1\r\n\r\n`);
        assert.ok(found instanceof HeadProblem && found.status === 400, JSON.stringify(name));
      }
    }
  });

  it('bounds the initial line with 414, the head and the number of lines with 431, whole or in pieces', () => {
    const long = `GET /${'x'.repeat(300)} HTTP/1.1\r\n\r\n`;
    const large = `GET / HTTP/1.1\r\nX: ${'x'.repeat(700)}\r\n\r\n`;
    const many = `GET / HTTP/1.1\r\n${'a: 1\r\n'.repeat(21)}\r\n`;
    for (const [text, status] of [
      [long, 414],
      [large, 431],
      [many, 431],
    ] as const) {
      const everywhere = Array.from({ length: text.length }, (_, i) => i + 1);
      for (const cuts of [[], everywhere]) {
        const found = inPieces((each) => parser.request(each), text, cuts);
        assert.ok(found instanceof HeadProblem);
        assert.equal(found.status, status, text.slice(0, 40));
      }
    }
    assert.ok(!(parser.request(`GET / HTTP/1.1\r\n${'a: 1\r\n'.repeat(20)}\r\n`) instanceof HeadProblem));
  });

  it('skips one empty line before the request line (RFC 9112 2.2), and not two', () => {
    assert.deepEqual(plain(parser.request('\r\nGET / HTTP/1.1\r\n\r\n')), {
      method: 'GET',
      target: '/',
      minor: 1,
      fields: [],
    });
    assert.ok(parser.request('\r\n\r\nGET / HTTP/1.1\r\n\r\n') instanceof HeadProblem);
    assert.equal(parser.request('\r'), undefined);
  });

  it('takes a later minor version for 1.1 and refuses other versions', () => {
    const version = (text: string): unknown => parser.request(`GET / ${text}\r\n\r\n`);
    assert.equal((version('HTTP/1.7') as RequestHead).minor, 1);
    assert.equal((version('HTTP/2.0') as HeadProblem).status, 505);
    for (const odd of ['HTTP/1', 'HTTP/11', 'http/1.1', 'HTTP/1.10', 'HTP/1.1', 'HTTP/1.x', 'HTTP/ 1.1']) {
      assert.equal((version(odd) as HeadProblem).status, 400, odd);
    }
  });
});

describe('HeadParser.response', () => {
  it('reads back what was written, however it is split', () => {
    const status = fc.integer({ min: 100, max: 599 });
    const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(status, value, fields, cuts, (code, reason, pairs, at) => {
        const text = `HTTP/1.1 ${code} ${reason}\r\n${shown(pairs)}\r\n`;
        fc.pre(text.length <= LIMITS.headBytes);
        const head = inPieces((each) => parser.response(each), text, at);
        assert.deepEqual(plain(head), { status: code, reason, minor: 1, fields: pairs });
      }),
    );
  });

  it('accepts a status line without a reason phrase, with and without the blank', () => {
    for (const line of ['HTTP/1.1 204', 'HTTP/1.1 204 ']) {
      assert.equal((parser.response(`${line}\r\n\r\n`) as ResponseHead).reason, '');
    }
  });
});
