import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  classifyAtRest,
  classifyFirstBytes,
  FIRST_TEXT_MAX,
  type FirstBytes,
} from '../../../routers/http1/first-bytes.ts';

const CASES: readonly (readonly [what: string, bytes: string, verdict: FirstBytes])[] = [
  ['a GET', 'GET / HTTP/1.1\r\nHost: web\r\n\r\n', 'http'],
  ['a request of HTTP/1.0', 'POST /a HTTP/1.0\r\n\r\n', 'http'],
  ['a CONNECT', 'CONNECT web:80 HTTP/1.1\r\n', 'http'],
  ['an extension method', 'PROPFIND /dav HTTP/1.1\r\n', 'http'],
  ['a request after an empty line', '\r\nGET / HTTP/1.1\r\n', 'http'],
  ['a known method with two blanks, for the parser to refuse', 'GET  / HTTP/1.1\r\n', 'http'],
  ['a known method with a wrong version', 'GET / HTTP/3\r\n', 'http'],
  ['a target without end', `M-SEARCH /${'a'.repeat(5000)}`, 'http'],
  ['a ClientHello', '\x16\x03\x01\x02\x00\x01', 'tls'],
  ['a ClientHello of TLS 1.3', '\x16\x03\x03\x00\xff\x01', 'tls'],
  ['another record with that number', '\x16\x02\x00', 'opaque'],
  ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'opaque'],
  ['SSH, whose greeting is a token and a blank', 'SSH-2.0-OpenSSH_9.6 Debian-3\r\n', 'opaque'],
  ['SMTP', 'EHLO mail\r\n', 'opaque'],
  ['Redis', '*1\r\n$4\r\nPING\r\n', 'opaque'],
  ['Redis in a line', 'PING\r\n', 'opaque'],
  ['memcached', 'get key\r\n', 'opaque'],
  ['PostgreSQL', '\0\0\0\x08\x04\xd2\x16\x2f', 'opaque'],
  ['a word without end', 'x'.repeat(5000), 'opaque'],
  ['a word without end after an empty line', `\r\n${'x'.repeat(5000)}`, 'opaque'],
  ['a request after many empty lines, for the parser to refuse', '\r\n\r\n\r\nGET / HTTP/1.1\r\n', 'http'],
  ['a request after a bare LF, for the parser to refuse', '\nGET / HTTP/1.1\r\n', 'http'],
  ['a request after bare CRs, for the parser to refuse', '\r\r\nBREW / HTTP/1.1\r\n', 'http'],
  ['a known method and a tab, for the parser to refuse', 'GET\t/ HTTP/1.1\r\n', 'http'],
  ['a known method and a form feed, for the parser to refuse', 'POST\f/ HTTP/1.1\r\n', 'http'],
  ['a known method and a line break, for the parser to refuse', 'GET\r\n/ HTTP/1.1\r\n', 'http'],
  ['empty lines without end, for the parser to refuse', '\r\n'.repeat(2500), 'http'],
  ['a version cut by the limit, for the parser to refuse', `BREW /${'a'.repeat(4085)} HTTP/1.1\r\n`, 'http'],
  ['a long target after empty lines', `${'\r\n'.repeat(100)}BREW /${'a'.repeat(3990)} HTTP/1.1\r\n`, 'http'],
  ['another method and a byte above ASCII in the target', 'BREW /\xe4 HTTP/1.1\r\n', 'http'],
  ['another method between tabs', 'brew\t/\tHTTP/1.1\r\n', 'http'],
  ['a known method and another byte', 'GET\0/ HTTP/1.1\r\n', 'opaque'],
  ['another protocol after empty lines', '\r\n\r\nEHLO mail\r\n', 'opaque'],
];

describe('classifyFirstBytes', () => {
  for (const [what, bytes, verdict] of CASES) {
    it(`takes ${what} for ${verdict}`, () => assert.equal(classifyFirstBytes(bytes), verdict));
  }

  it('gives the same verdict however the bytes are split, and never changes it', () => {
    for (const [what, bytes, verdict] of CASES) {
      for (let length = 0; length < bytes.length; length++) {
        const early = classifyFirstBytes(bytes.slice(0, length));
        assert.ok(early === undefined || early === verdict, `${what} after ${length} bytes: ${early}`);
      }
    }
  });

  it('needs no more than FIRST_TEXT_MAX bytes', () => {
    for (const [, bytes, verdict] of CASES) {
      assert.equal(classifyFirstBytes(bytes.slice(0, FIRST_TEXT_MAX)), verdict);
    }
  });

  it('keeps a verdict whatever comes after it', () => {
    const word = fc.constantFrom(
      'GET',
      'FOO',
      ' ',
      '/',
      'HTTP/1.',
      '\r\n',
      '\x16',
      '\x03',
      'a',
      '\0',
      '\xff',
      '\t',
      '\n',
    );
    const bytes = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));
    fc.assert(
      fc.property(bytes, bytes, (first, more) => {
        const verdict = classifyFirstBytes(first);
        if (verdict !== undefined) assert.equal(classifyFirstBytes(first + more), verdict);
      }),
    );
  });
});

describe('classifyAtRest', () => {
  for (const [bytes, verdict] of [
    ['', 'opaque'],
    ['G', 'http'],
    ['GET', 'http'],
    ['\r\nPO', 'http'],
    ['HELLO', 'opaque'],
    ['FOO / HT', 'opaque'],
    ['\x16', 'opaque'],
    ['\r', 'opaque'],
    ['\r\n\r\n', 'opaque'],
    ['\n\nGE', 'http'],
  ] as const) {
    it(`takes ${JSON.stringify(bytes)} and nothing more for ${verdict}`, () =>
      assert.equal(classifyAtRest(bytes), verdict));
  }
});
