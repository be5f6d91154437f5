/**
 * What a caller sends that two parsers might read differently: refused, closed, and nothing of it goes on.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { header } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig } from '../../support/rig.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';

const BODY = 'POST /x HTTP/1.1\r\nHost: web\r\n';

const refused: readonly (readonly [title: string, bytes: string, status: number])[] = [
  [
    'Content-Length with Transfer-Encoding (RFC 9112 6.1)',
    `${BODY}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'two differing Content-Lengths (RFC 9112 6.3)',
    `${BODY}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    400,
  ],
  ['a list of differing Content-Lengths', `${BODY}Content-Length: 5, 6\r\n\r\nhello`, 400],
  ['a Content-Length with a sign', `${BODY}Content-Length: +5\r\n\r\nhello`, 400],
  ['an empty Content-Length', `${BODY}Content-Length:\r\n\r\n`, 400],
  ['a Content-Length beyond all numbers', `${BODY}Content-Length: 99999999999999999999\r\n\r\n`, 400],
  ['Transfer-Encoding: gzip, chunked', `${BODY}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 400],
  [
    'Transfer-Encoding: chunked twice',
    `${BODY}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ['Transfer-Encoding: identity', `${BODY}Transfer-Encoding: identity\r\n\r\n`, 400],
  ['Transfer-Encoding with a vertical tab', `${BODY}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`, 400],
  [
    'Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)',
    'POST / HTTP/1.0\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['a folded line (RFC 9112 5.2)', 'GET / HTTP/1.1\r\nHost: web\r\nX: a\r\n b\r\n\r\n', 400],
  ['a fold right after the request line', 'GET / HTTP/1.1\r\n Host: web\r\n\r\n', 400],
  ['a bare CR in a value (RFC 9112 2.2)', 'GET / HTTP/1.1\r\nHost: web\r\nX: a\rb\r\n\r\n', 400],
  ['a bare LF as the end of a line', 'GET / HTTP/1.1\r\nHost: web\nX: a\r\n\r\n', 400],
  ['a bare LF after the request line', 'GET / HTTP/1.1\nHost: web\r\n\r\n', 400],
  ['a NUL in a value', 'GET / HTTP/1.1\r\nHost: web\r\nX: a\0b\r\n\r\n', 400],
  ['a NUL in a name', 'GET / HTTP/1.1\r\nHost: web\r\nX\0: a\r\n\r\n', 400],
  ['a blank before the colon (RFC 9112 5.1)', `${BODY}Content-Length : 5\r\n\r\nhello`, 400],
  ['a tab before the colon', `${BODY}Content-Length\t: 5\r\n\r\nhello`, 400],
  ['a line without a colon', 'GET / HTTP/1.1\r\nHost: web\r\nnonsense\r\n\r\n', 400],
  ['a line without a name', 'GET / HTTP/1.1\r\nHost: web\r\n: value\r\n\r\n', 400],
  ['two blanks in the request line', 'GET  / HTTP/1.1\r\nHost: web\r\n\r\n', 400],
  ['a blank in the target', 'GET /a b HTTP/1.1\r\nHost: web\r\n\r\n', 400],
  ['a byte above ASCII in the target', 'GET /\xe4 HTTP/1.1\r\nHost: web\r\n\r\n', 400],
  ['a request line of HTTP/0.9', 'GET /\r\n\r\n', 400],
  ['HTTP/2 in the request line', 'GET / HTTP/2.0\r\nHost: web\r\n\r\n', 505],
  ['something that is not HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['no Host (RFC 9112 3.2)', 'GET / HTTP/1.1\r\nX: a\r\n\r\n', 400],
  ['no Host with OPTIONS *', 'OPTIONS * HTTP/1.1\r\nX: a\r\n\r\n', 400],
  ['two Hosts (RFC 9112 3.2)', 'GET / HTTP/1.1\r\nHost: web\r\nHost: web\r\n\r\n', 400],
  ['a Host that is none (RFC 9112 3.2)', 'GET / HTTP/1.1\r\nHost: we b\r\n\r\n', 400],
  ['a Host with a slash', 'GET / HTTP/1.1\r\nHost: web/x\r\n\r\n', 400],
  ['a target that is neither a path nor a URI', 'GET web HTTP/1.1\r\nHost: web\r\n\r\n', 400],
  [
    'another Expect than 100-continue (RFC 9110 10.1.1)',
    `${BODY}Content-Length: 2\r\nExpect: a-miracle\r\n\r\n`,
    417,
  ],
  ['a request line that is too long', `GET /${'x'.repeat(5000)} HTTP/1.1\r\nHost: web\r\n\r\n`, 414],
  ['a request line that does not end', `GET /${'x'.repeat(5000)}`, 414],
  ['a head that is too long', `GET / HTTP/1.1\r\nHost: web\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, 431],
  ['a head that does not end', `GET / HTTP/1.1\r\nHost: web\r\nX: ${'x'.repeat(9000)}`, 431],
  ['a chunk size that is no number', `${BODY}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 400],
  ['a chunk size with a blank', `${BODY}Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk size with 0x', `${BODY}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a bare LF after a chunk size', `${BODY}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`, 400],
  [
    'chunk data longer than its size',
    `${BODY}Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n`,
    400,
  ],
];

describe('A request that is not strictly well-formed', () => {
  let backend: ScriptedBackend;
  let rig: Rig;
  before(async () => {
    backend = await ScriptedBackend.start();
    // Bodies are buffered whole, so that a bad body is seen before anything is forwarded.
    rig = await Rig.over([backend], { router: { streamAfterBytes: Number.POSITIVE_INFINITY } });
  });
  after(async () => {
    await rig.close();
    assert.equal(backend.requests.length, 0);
    assert.equal(backend.connections.length, 0);
    await backend.close();
    await noSocketsLeft();
  });

  for (const [title, bytes, status] of refused) {
    it(`is refused and the connection closed: ${title}`, async () => {
      const client = await rig.connect();
      client.send(bytes);
      const answer = await client.answer();
      assert.equal(answer.status, status, answer.line);
      assert.equal(header(answer, 'connection'), 'close');
      await client.untilEnded();
      assert.equal(client.text, '');
    });
  }

  it('is refused although it arrives byte by byte', async () => {
    const client = await rig.connect();
    for (const byte of 'GET / HTTP/1.1\r\nHost: web\r\nX : 1') client.send(byte);
    assert.equal((await client.answer()).status, 400);
    await client.untilEnded();
  });

  it('takes the pipelined requests behind it with it', async () => {
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: a b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n');
    assert.equal((await client.answer()).status, 400);
    await client.untilEnded();
    assert.equal(client.text, '');
  });

  it('is counted with its status', () => {
    assert.ok(rig.serverStat('refused') > 40);
    assert.equal(rig.serverStat('status/414'), 2);
    assert.equal(rig.serverStat('pending'), 0);
  });
});
