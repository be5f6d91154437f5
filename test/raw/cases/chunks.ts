/** Chunked bodies of callers: sizes, extensions, line ends and trailers. */
import { chunked, type ExpectedRequest, passes, type RawCase, SMUGGLED } from '../raw-case.ts';

const both = ['plain', 'buffered'] as const;
const hello: ExpectedRequest = { line: 'POST /x HTTP/1.1', body: 'hello' };

const bad: readonly (readonly [title: string, wire: string])[] = [
  ['no size', '\r\nhello\r\n0\r\n\r\n'],
  ['a size that is no number', 'xyz\r\n'],
  ['0x before the size', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a minus sign', '-5\r\nhello\r\n0\r\n\r\n'],
  ['a plus sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a minus before a zero', '-0\r\n\r\n'],
  ['a blank before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['a blank after the size', '5 \r\nhello\r\n0\r\n\r\n'],
  ['a tab after the size', '5\t\r\nhello\r\n0\r\n\r\n'],
  ['a blank in the size', '1 0\r\nhello\r\n0\r\n\r\n'],
  ['a blank before the semicolon (RFC 9112 7.1.1)', '5 ;a\r\nhello\r\n0\r\n\r\n'],
  ['a fraction', '5.0\r\nhello\r\n0\r\n\r\n'],
  ['an h after the size', '5h\r\nhello\r\n0\r\n\r\n'],
  ['a comma', '5,5\r\nhello\r\n0\r\n\r\n'],
  ['an underscore', '0_5\r\nhello\r\n0\r\n\r\n'],
  ['2^64 + 5, which is 5 to whoever overflows', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['2^32 + 5 with zeros before it', '000000100000005\r\nhello\r\n0\r\n\r\n'],
  ['2^64 - 1', 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n'],
  ['a hundred zeros', `${'0'.repeat(100)}5\r\nhello\r\n0\r\n\r\n`],
  ['a bare LF after the size', '5\nhello\r\n0\r\n\r\n'],
  ['a bare CR after the size', '5\rhello\r\n0\r\n\r\n'],
  ['CR CR LF after the size', '5\r\r\nhello\r\n0\r\n\r\n'],
  ['a NUL after the size', '5\0\r\nhello\r\n0\r\n\r\n'],
  ['a byte above ASCII after the size', '5\xa0\r\nhello\r\n0\r\n\r\n'],
  ['a bare LF after the data', '5\r\nhello\n0\r\n\r\n'],
  ['a bare CR after the data', '5\r\nhello\r0\r\n\r\n'],
  ['data that is longer than its size', '5\r\nhello!\r\n0\r\n\r\n'],
  ['a CR and another byte than LF after the data', '5\r\nhello\rX0\r\n\r\n'],
  ['a CR and another byte than LF after the size', '5\rXhello\r\n0\r\n\r\n'],
  ['a CR and another byte than LF after the last size', '5\r\nhello\r\n0\rX\r\n'],
  ['a CR and another byte than LF after an extension', '5;a\rXhello\r\n0\r\n\r\n'],
  ['data that is shorter than its size', '6\r\nhello\r\n0\r\n\r\n'],
  ['two bytes between the chunks', '5\r\nhelloXX0\r\n\r\n'],
  ['a bare LF after the last size', '5\r\nhello\r\n0\n\r\n'],
  ['a bare LF at the end', '5\r\nhello\r\n0\r\n\n'],
  ['a letter after the last chunk', '5\r\nhello\r\n0\r\nX'],
  ['a bare LF in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
  ['a bare CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['a CR in a quoted extension', '5;a="\rX"\r\nhello\r\n0\r\n\r\n'],
  ['an LF in a quoted extension', '5;a="\nX"\r\nhello\r\n0\r\n\r\n'],
  ['a NUL in an extension', '5;a\0\r\nhello\r\n0\r\n\r\n'],
  ['a vertical tab in an extension', '5;\x0b\r\nhello\r\n0\r\n\r\n'],
  ['an extension that is too long', `5;${'x'.repeat(2000)}\r\nhello\r\n0\r\n\r\n`],
  ['extensions that are too long together', `${`1;${'x'.repeat(900)}\r\na\r\n`.repeat(20)}0\r\n\r\n`],
  ['a trailer with a blank before its colon', '5\r\nhello\r\n0\r\nX : y\r\n\r\n'],
  ['a trailer without a colon', '5\r\nhello\r\n0\r\nnonsense\r\n\r\n'],
  ['a trailer with a NUL', '5\r\nhello\r\n0\r\nX: \0\r\n\r\n'],
  ['a trailer that ends in a bare LF', '5\r\nhello\r\n0\r\nX: y\n\r\n'],
  ['a folded trailer', '5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n'],
  ['a trailer with a bare CR', '5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n'],
  ['trailers that are too long', `5\r\nhello\r\n0\r\nX: ${'y'.repeat(9000)}\r\n\r\n`],
  ['too many trailers', `5\r\nhello\r\n0\r\n${'X: y\r\n'.repeat(70)}\r\n`],
];

const good: readonly (readonly [title: string, wire: string])[] = [
  ['one chunk', '5\r\nhello\r\n0\r\n\r\n'],
  ['five chunks', '1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n'],
  ['leading zeros', '0005\r\nhello\r\n000\r\n\r\n'],
  ['an extension', '5;a=b\r\nhello\r\n0\r\n\r\n'],
  ['an extension without a value', '5;a\r\nhello\r\n0;b\r\n\r\n'],
  ['a quoted extension', '5;a="x;y\\"z"\r\nhello\r\n0\r\n\r\n'],
  ['an empty extension', '5;\r\nhello\r\n0;\r\n\r\n'],
  ['a quoted extension that looks like an end', '5;a="0"\r\nhello\r\n0\r\n\r\n'],
];

/** RFC 9110 6.5.1: what frames, routes, authenticates or changes the meaning of the message. */
const forbiddenTrailers: readonly string[] = [
  'Content-Length: 3',
  'Transfer-Encoding: chunked',
  'Host: other',
  'Connection: close',
  'TE: trailers',
  'Authorization: Basic eA==',
  'Cookie: a=b',
  'Content-Type: text/html',
  'Content-Encoding: gzip',
  'Content-Range: bytes 0-1/2',
  'Cache-Control: no-store',
  'Max-Forwards: 1',
  'Expect: 100-continue',
  'Range: bytes=0-1',
  'If-Match: "x"',
  'Via: 1.1 liar',
  'l5d-dtab: /svc => /evil',
  'l5d-ctx-dtab: /svc => /evil',
  'l5d-dst-service: /svc/evil',
  'l5d-err: x',
  'X-Forwarded-For: 10.0.0.1',
  'X-Forwarded-Client-Cert: Hash=0',
  'Forwarded: for=10.0.0.1',
  'Upgrade: h2c',
  'Trailer: X',
  'Keep-Alive: timeout=9',
  'Proxy-Connection: close',
  'Proxy-Authorization: Basic eA==',
  'Set-Cookie: a=b',
  'Content-Location: /y',
  'Pragma: no-cache',
];

const follow = 'GET /x HTTP/1.1\r\nHost: web\r\n\r\n';

export const chunks: readonly RawCase[] = [
  ...bad.map(
    ([title, wire]): RawCase => ({
      title: `a chunked body with ${title}`,
      send: chunked(`${wire}${SMUGGLED}`),
      expectUpstream: [],
      partial: true,
      expectClient: [400],
      closed: true,
      lanes: both,
    }),
  ),
  ...good.map(
    ([title, wire]): RawCase => ({
      ...passes(`a chunked body with ${title}`, chunked(wire), hello),
      lanes: both,
    }),
  ),
  ...good.map(
    ([title, wire]): RawCase => ({
      ...passes(`a chunked body with ${title}, byte by byte`, [...chunked(wire)], hello),
      lanes: both,
    }),
  ),
  ...forbiddenTrailers.map((line): RawCase => {
    const name = line.slice(0, line.indexOf(':'));
    return passes(
      `the trailer ${name} is not taken for a header, nor sent on (RFC 9110 6.5.1)`,
      chunked(`5\r\nhello\r\n0\r\n${line}\r\nX-Ok: 1\r\n\r\n`),
      {
        ...hello,
        framing: 'chunked',
        trailers: ['X-Ok: 1'],
      },
    );
  }),
  passes('extensions are not sent on', chunked('5;evil=1\r\nhello\r\n0;evil=2\r\n\r\n'), {
    ...hello,
    framing: 'chunked',
  }),
  passes('trailers are sent on', chunked('5\r\nhello\r\n0\r\nX-One: 1\r\nX-Two:  2\t\r\n\r\n'), {
    ...hello,
    trailers: ['X-One: 1', 'X-Two: 2'],
  }),
  passes('hexadecimal sizes in both cases', chunked(`a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n`), {
    line: 'POST /x HTTP/1.1',
    body: '01234567890123456789',
  }),
  passes('an empty chunked body', chunked('0\r\n\r\n'), { line: 'POST /x HTTP/1.1', body: '' }),
  passes('a chunk of 100 KB', chunked(`19000\r\n${'z'.repeat(0x19000)}\r\n0\r\n\r\n`), {
    line: 'POST /x HTTP/1.1',
    body: 'z'.repeat(0x19000),
  }),
  passes('1,000 chunks of one byte', chunked(`${'1\r\na\r\n'.repeat(1000)}0\r\n\r\n`), {
    line: 'POST /x HTTP/1.1',
    body: 'a'.repeat(1000),
  }),
  passes('data that looks like chunks', chunked('5\r\n0\r\n\r\n\r\n0\r\n\r\n'), {
    line: 'POST /x HTTP/1.1',
    body: '0\r\n\r\n',
  }),
  {
    title: 'a chunked body and a request right behind it',
    send: chunked(`5\r\nhello\r\n0\r\n\r\n${follow}`),
    expectUpstream: [hello, 'GET /x HTTP/1.1'],
    expectClient: [200, 200],
    closed: false,
    lanes: both,
  },
  {
    title: 'a chunked body with trailers and a request right behind it',
    send: chunked(`5\r\nhello\r\n0\r\nX: y\r\n\r\n${follow}`),
    expectUpstream: [hello, 'GET /x HTTP/1.1'],
    expectClient: [200, 200],
    closed: false,
    lanes: both,
  },
  {
    title: 'a chunked body without its end, and the end of the caller (RFC 9112 8)',
    send: chunked('5\r\nhello\r\n'),
    hangUp: 'end',
    expectUpstream: [],
    partial: true,
    expectClient: [],
    closed: true,
    lanes: both,
  },
  {
    title: 'a chunked body whose last line is missing, and the end of the caller',
    send: chunked('5\r\nhello\r\n0\r\n'),
    hangUp: 'end',
    expectUpstream: [],
    partial: true,
    expectClient: [],
    closed: true,
    lanes: both,
  },
];
