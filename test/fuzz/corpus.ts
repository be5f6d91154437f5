/** Valid messages, and what chance makes of them. */
import fc from 'fast-check';

export const requestHeads: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: web\r\n\r\n',
  'GET /a/b?c=d HTTP/1.1\r\nHost: web\r\nAccept: */*\r\nUser-Agent: x/1.0 (y; z)\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n',
  'PUT /x HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
  'GET http://web/x HTTP/1.1\r\nHost: other\r\nProxy-Connection: keep-alive\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: web\r\nMax-Forwards: 3\r\n\r\n',
  'HEAD /x HTTP/1.1\r\nHost: web\r\nConnection: close, X-A\r\nX-A: 1\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: web\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: web\r\nl5d-dtab: /a => /b\r\nVia: 1.1 a, 1.1 b\r\nTE: trailers\r\n\r\n',
  '\r\nGET / HTTP/1.1\r\nHost: web\r\n\r\n',
];

export const responseHeads: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n',
  'HTTP/1.0 200\r\nServer: x\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "a"\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\n\r\n',
  'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
];

export const chunkedBodies: readonly string[] = [
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  'a\r\n0123456789\r\n1;a=b\r\nx\r\n0\r\nX-T: y\r\n\r\n',
  '005;x="y"\r\nhello\r\n000\r\nA: b\r\nC: d\r\n\r\nGET / HTTP/1.1\r\n',
];

export const bytesOf = (array: fc.Arbitrary<Uint8Array>): fc.Arbitrary<string> =>
  array.map((bytes) => Buffer.from(bytes).toString('latin1'));

/** Pieces that parsers have been fooled with. */
const PIECES: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ' ',
  '\t',
  '\0',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  ':',
  ',',
  ';',
  '0',
  '5',
  '-',
  '+',
  '0x',
  '/',
  '*',
  '"',
  '\r\n ',
  'Content-Length: 5\r\n',
  'Content-Length: 6\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Host: evil\r\n',
  'Connection: close\r\n',
  'Connection: Host\r\n',
  'HTTP/1.0',
  'HTTP/1.1',
  'http://',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  'X: y\r\n',
  'x'.repeat(300),
  'X: y\r\n'.repeat(40),
];

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(6)),
  piece: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...PIECES) },
    { weight: 1, arbitrary: fc.nat(255).map((code) => String.fromCharCode(code)) },
    { weight: 1, arbitrary: fc.constant('') },
  ),
});

/** One of the seeds with a few pieces put in, replaced or taken out. */
export function mutated(seeds: readonly string[], editsMax = 3): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: editsMax })).map(([seed, edits]) => {
    let text = seed;
    for (const { at, remove, piece } of edits) {
      const from = Math.floor(at * text.length);
      text = text.slice(0, from) + piece + text.slice(from + remove);
    }
    return text;
  });
}

/** Where a text is cut, as shares of its length. */
export const splits: fc.Arbitrary<number[]> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  maxLength: 6,
});
