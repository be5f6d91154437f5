/** What is forwarded, and what is not: targets, hosts, hop-by-hop fields, versions, bodies. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { header } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { until } from '../../support/until.ts';

let backend: ScriptedBackend;
let rig: Rig;
const start = async (options: RigOptions = {}): Promise<void> => {
  await rig?.close();
  rig = await Rig.over([backend], options);
};
beforeEach(async () => {
  backend = await ScriptedBackend.start();
  rig = await Rig.over([backend]);
});
afterEach(async () => {
  await rig.close();
  await backend.close();
});
after(noSocketsLeft);

const sent = (name: string, at = 0): string | undefined => header(backend.requests[at]!, name);
const hash = (text: string): string => createHash('sha1').update(text, 'latin1').digest('hex');

describe('A forwarded request', () => {
  it('has its absolute-form target rewritten and the URI authority as Host (RFC 9112 3.2.2)', async () => {
    const client = await rig.connect();
    client.send('GET http://web/path?q=1 HTTP/1.1\r\nHost: elsewhere\r\n\r\n');
    assert.equal((await client.answer()).status, 200);
    assert.equal(backend.requests[0]?.target, '/path?q=1');
    assert.equal(sent('host'), 'web');
    client.send('GET http://web HTTP/1.1\r\nHost: web\r\n\r\n');
    await client.answer();
    assert.equal(backend.requests[1]?.target, '/');
  });

  it('loses hop-by-hop fields and those that Connection names (RFC 9110 7.6.1)', async () => {
    const client = await rig.connect();
    client.send(
      'GET / HTTP/1.1\r\nHost: web\r\nConnection: keep-alive, X-Drop\r\nX-Drop: 1\r\nX-Keep: 2\r\nTE: trailers\r\n' +
        'Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: secret\r\nUpgrade: h2c\r\n\r\n',
    );
    await client.answer();
    for (const name of [
      'connection',
      'x-drop',
      'te',
      'keep-alive',
      'proxy-connection',
      'proxy-authorization',
      'upgrade',
    ]) {
      assert.equal(sent(name), undefined, name);
    }
    assert.equal(sent('x-keep'), '2');
  });

  it('gets Via and the names that it was routed by, and its answer gets Via (RFC 9110 7.6.3)', async () => {
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: web\r\nVia: 1.1 first\r\nl5d-dst-residual: /lie\r\n\r\n');
    const answer = await client.answer();
    assert.equal(sent('via'), '1.1 first, 1.1 turnout');
    assert.equal(sent('l5d-dst-service'), '/svc/web');
    assert.equal(sent('l5d-dst-client'), '/#/test/web');
    assert.equal(sent('l5d-dst-residual'), undefined);
    assert.equal(header(answer, 'via'), '1.1 turnout');
    assert.equal(header(answer, 'l5d-success-class'), '1.0');
  });

  it('stays HTTP/1.0, and its connection is closed unless it asked otherwise (RFC 9112 9.3)', async () => {
    const client = await rig.connect();
    client.send('GET /a HTTP/1.0\r\nHost: web\r\n\r\n');
    const answer = await client.answer();
    assert.equal(header(answer, 'connection'), 'close');
    await client.untilEnded();
    assert.match(backend.requests[0]!.head, /^GET \/a HTTP\/1\.0\r\n/);
    assert.equal(sent('via'), '1.0 turnout');
    const keeping = await rig.connect();
    keeping.send('GET /b HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\n\r\n');
    assert.equal(header(await keeping.answer(), 'connection'), 'keep-alive');
    keeping.send('GET /c HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\n\r\n');
    assert.equal((await keeping.answer()).status, 200);
    // The endpoint was not asked to keep its side either.
    assert.equal(backend.connections.length, 3);
  });

  it('with 100-continue is told to go on once, and Expect goes no further (RFC 9110 10.1.1)', async () => {
    const client = await rig.connect();
    client.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    assert.equal((await client.answer()).status, 100);
    client.send('hello');
    assert.equal((await client.answer()).status, 200);
    assert.equal(sent('expect'), undefined);
    assert.equal(backend.requests[0]?.body, 'hello');
    client.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello');
    assert.equal((await client.answer()).status, 200, 'the body came without waiting');
  });

  it('has trailers passed on in both directions (RFC 9110 6.5), except those that would change the framing', async () => {
    backend.script = () =>
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\nContent-Length: 7\r\n\r\n';
    const client = await rig.connect();
    client.send(
      'POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nX-End: 1\r\nHost: evil\r\n\r\n',
    );
    const answer = await client.answer();
    assert.equal(backend.requests[0]?.body, 'hello');
    assert.equal(backend.requests[0]?.trailers, 'X-End: 1\r\n');
    assert.deepEqual(answer.trailers, [['X-Sum', '9']]);
  });

  for (const size of [0, 1, 5120, 5121, 65536, 5_000_000]) {
    for (const framing of ['Content-Length', 'chunked'] as const) {
      it(`carries ${size} bytes with ${framing} unchanged in both directions`, async () => {
        const body = Buffer.alloc(size, 'Turnout0123456789').toString('latin1');
        const framed = (text: string): string =>
          framing === 'chunked'
            ? `Transfer-Encoding: chunked\r\n\r\n${text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`}0\r\n\r\n`
            : `Content-Length: ${text.length}\r\n\r\n${text}`;
        backend.script = (request) => `HTTP/1.1 200 OK\r\n${framed(request.body)}`;
        const client = await rig.connect();
        client.send(`POST / HTTP/1.1\r\nHost: web\r\n${framed(body)}`);
        const answer = await client.answer();
        assert.equal(backend.requests[0]?.body.length, size);
        assert.equal(hash(backend.requests[0]!.body), hash(body));
        assert.equal(hash(answer.body), hash(body));
        client.send('GET /next HTTP/1.1\r\nHost: web\r\n\r\n');
        assert.equal((await client.answer()).status, 200);
      });
    }
  }
});

describe('A response', () => {
  it('to HEAD, with 204 and with 304 has no body, and the next one follows (RFC 9112 6.3)', async () => {
    backend.script = ({ method, target }) => {
      if (method === 'HEAD') return 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
      if (target === '/204') return 'HTTP/1.1 204 No Content\r\n\r\n';
      if (target === '/304') return 'HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n';
      return OK;
    };
    const client = await rig.connect();
    client.send('HEAD / HTTP/1.1\r\nHost: web\r\n\r\n');
    assert.equal(header(await client.answer(true), 'content-length'), '1000');
    client.send('GET /204 HTTP/1.1\r\nHost: web\r\n\r\n');
    const empty = await client.answer();
    assert.equal(empty.status, 204);
    assert.equal(header(empty, 'content-length'), undefined);
    client.send('GET /304 HTTP/1.1\r\nHost: web\r\n\r\n');
    assert.equal(header(await client.answer(), 'content-length'), '77');
    client.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    assert.equal((await client.answer()).body, 'ok');
    assert.equal(backend.connections.length, 1);
  });

  it('with 103 goes to HTTP/1.1 callers and not to HTTP/1.0 callers (RFC 9110 15.2)', async () => {
    backend.script = () =>
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: 1\r\n\r\n${OK}`;
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    const hint = await client.answer();
    assert.equal(hint.status, 103);
    assert.deepEqual(hint.headers, [['Link', '</a>']]);
    assert.equal((await client.answer()).status, 200);
    const old = await rig.connect();
    old.send('GET / HTTP/1.0\r\nHost: web\r\n\r\n');
    assert.equal((await old.answer()).status, 200);
  });

  it('without a length is chunked for HTTP/1.1 and ends with the connection for HTTP/1.0 (RFC 9112 6.3)', async () => {
    backend.script = ({ connection }) => {
      connection.write('HTTP/1.1 200 OK\r\n\r\nuntil ');
      connection.socket.end('the end');
      return undefined;
    };
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    const answer = await client.answer();
    assert.equal(header(answer, 'transfer-encoding'), 'chunked');
    assert.equal(answer.body, 'until the end');
    const old = await rig.connect();
    old.send('GET / HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\n\r\n');
    await old.untilEnded();
    assert.match(old.text, /Connection: close\r\n\r\nuntil the end$/);
    assert.equal(old.error, undefined);
  });

  it('that is chunked is never sent chunked to HTTP/1.0 (RFC 9112 6.1)', async () => {
    backend.script = () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
    const old = await rig.connect();
    old.send('GET / HTTP/1.0\r\nHost: web\r\n\r\n');
    await old.untilEnded();
    assert.doesNotMatch(old.text, /chunked/);
    assert.match(old.text, /\r\n\r\nok$/);
  });

  it('reaches a caller that has half-closed (RFC 9112 9.6)', async () => {
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n').end();
    const answer = await client.answer();
    assert.equal(answer.body, 'ok');
    await client.untilEnded();
  });

  it('reaches a caller that has half-closed after several pipelined requests', async () => {
    const client = await rig.connect();
    client.send('GET /1 HTTP/1.1\r\nHost: web\r\n\r\nGET /2 HTTP/1.1\r\nHost: web\r\n\r\n').end();
    assert.equal((await client.answer()).status, 200);
    assert.equal((await client.answer()).status, 200);
    await client.untilEnded();
  });

  it('reaches the caller while the body is still being sent, and the connection then ends', async () => {
    backend.onBytes = (connection) => {
      if (connection.received > 1000 && connection.text.length > 0) {
        connection.text = '';
        backend.onBytes = () => {};
        connection.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
      }
    };
    const client = await rig.connect();
    client.send(`POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 5000000\r\n\r\n${'x'.repeat(100_000)}`);
    const answer = await client.answer();
    assert.equal(answer.status, 413);
    assert.equal(answer.body, 'big');
    assert.equal(header(answer, 'connection'), 'close');
    client.send('x'.repeat(3_000_000));
    await client.untilEnded();
    await until(
      () => backend.connections[0]!.ended || backend.connections[0]!.closed,
      'the end of the upstream connection: it cannot be used again',
    );
    assert.equal(client.error, undefined);
  });
});

describe('Pipelined requests (RFC 9112 9.3.2)', () => {
  it('are answered in order, also when the first is slow', async () => {
    let slow: (() => void) | undefined;
    backend.script = ({ target, connection }) => {
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`;
      if (target !== '/slow') return answer;
      slow = () => connection.write(answer);
      return undefined;
    };
    const client = await rig.connect();
    client.send(
      'GET /slow HTTP/1.1\r\nHost: web\r\n\r\nGET /2 HTTP/1.1\r\nHost: web\r\n\r\nPOST /3 HTTP/1.1\r\nHost: web\r\nContent-Length: 2\r\n\r\nhiGET /4 HTTP/1.1\r\nHost: web\r\n\r\n',
    );
    await backend.untilRequests(1);
    slow?.();
    for (const target of ['/slow', '/2', '/3', '/4']) assert.equal((await client.answer()).body, target);
  });

  it('may be 100 in one write', async () => {
    backend.script = ({ target }) => `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`;
    const client = await rig.connect();
    let all = '';
    for (let i = 0; i < 100; i++) all += `GET /${i} HTTP/1.1\r\nHost: web\r\n\r\n`;
    client.send(all);
    for (let i = 0; i < 100; i++) assert.equal((await client.answer()).body, `/${i}`);
    assert.equal(backend.connections.length, 1, 'one after the other over one connection');
  });

  it('mix with refusals of the router without losing their order', async () => {
    const client = await rig.connect();
    client.send(
      'GET / HTTP/1.1\r\nHost: web\r\n\r\nGET / HTTP/1.1\r\nHost: nowhere\r\n\r\nGET / HTTP/1.1\r\nHost: web\r\n\r\n',
    );
    assert.deepEqual(
      [(await client.answer()).status, (await client.answer()).status, (await client.answer()).status],
      [200, 502, 200],
    );
  });
});

describe('A server with options', () => {
  it('clears context in both directions with clearContext', async () => {
    await start({ server: { clearContext: true } });
    const client = await rig.connect();
    client.send(
      'GET / HTTP/1.1\r\nHost: web\r\nl5d-dtab: /svc => /x\r\nL5d-Foo: 1\r\nx-forwarded-client-cert: a\r\n\r\n',
    );
    const answer = await client.answer();
    assert.equal(answer.status, 200);
    for (const name of ['l5d-dtab', 'l5d-foo', 'l5d-ctx-dtab', 'x-forwarded-client-cert'])
      assert.equal(sent(name), undefined);
    assert.ok(!answer.headers.some(([name]) => name.startsWith('l5d-')));
    client.send('GET / HTTP/1.1\r\nHost: nowhere\r\n\r\n');
    const error = await client.answer();
    assert.equal(error.status, 502);
    assert.equal(error.body, '');
    assert.ok(!error.headers.some(([name]) => name.startsWith('l5d-')));
  });

  it('empties the error of another router behind it, whatever its framing', async () => {
    await start({ server: { clearContext: true } });
    backend.script = () =>
      'HTTP/1.1 502 Bad\r\nl5d-err: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n\r\n';
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    const error = await client.answer();
    assert.equal(error.status, 502);
    assert.equal(header(error, 'content-length'), '0');
    backend.script = () => OK;
    client.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    assert.equal((await client.answer()).body, 'ok');
  });

  it('adds Forwarded and a time stamp when asked to', async () => {
    await start({
      server: {
        addForwardedHeader: { by: { kind: 'router' }, for: { kind: 'ip' } },
        timestampHeader: 'x-start',
      },
    });
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    await client.answer();
    assert.equal(sent('forwarded'), 'by=_http;for=127.0.0.1;host=web');
    assert.equal(sent('x-start'), String(rig.clock.wallMs()));
  });

  it('refuses what exceeds maxConcurrentRequests with a nack', async () => {
    await start({ server: { maxConcurrentRequests: 1 } });
    backend.script = () => undefined;
    const first = await rig.connect();
    first.send('GET /1 HTTP/1.1\r\nHost: web\r\n\r\n');
    await backend.untilRequests(1);
    const second = await rig.connect();
    second.send('GET /2 HTTP/1.1\r\nHost: web\r\n\r\n');
    const nack = await second.answer();
    assert.equal(nack.status, 503);
    assert.equal(header(nack, 'finagle-http-nack'), 'true');
    assert.equal(header(nack, 'retry-after'), '0');
    assert.equal(header(nack, 'l5d-err'), undefined);
    backend.requests[0]?.connection.write(OK);
    assert.equal((await first.answer()).status, 200);
    backend.script = () => OK;
    second.send('GET /3 HTTP/1.1\r\nHost: web\r\n\r\n');
    assert.equal((await second.answer()).status, 200);
  });

  it('announces how long idle connections are kept', async () => {
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    const answer = await client.answer();
    assert.equal(header(answer, 'connection'), 'keep-alive');
    assert.equal(header(answer, 'keep-alive'), 'timeout=600');
  });
});

describe('TRACE and OPTIONS (RFC 9110 7.6.2)', () => {
  it('are answered by the router when Max-Forwards is 0', async () => {
    const client = await rig.connect();
    client.send('OPTIONS / HTTP/1.1\r\nHost: web\r\nMax-Forwards: 0\r\n\r\n');
    const options = await client.answer();
    assert.equal(options.status, 200);
    assert.equal(options.body, '');
    client.send('TRACE / HTTP/1.1\r\nHost: web\r\nMax-Forwards: 0\r\nl5d-add-context: true\r\n\r\n');
    const trace = await client.answer();
    assert.equal(trace.status, 200);
    assert.match(trace.body, /--- Router: http ---/);
    assert.match(
      trace.body,
      new RegExp(
        `service name: /svc/web\nclient name: /#/test/web\naddresses: \\[127.0.0.1:${backend.port}\\]`,
      ),
    );
    assert.equal(backend.requests.length, 0);
  });

  it('go on with one less otherwise, and details are appended to the answer of a TRACE', async () => {
    backend.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody';
    const client = await rig.connect();
    client.send('TRACE / HTTP/1.1\r\nHost: web\r\nMax-Forwards: 3\r\nl5d-add-context: true\r\n\r\n');
    const trace = await client.answer();
    assert.equal(sent('max-forwards'), '2');
    assert.match(trace.body, /^body\n\n--- Router: http ---\n/);
    assert.match(trace.body, new RegExp(`selected address: 127.0.0.1:${backend.port}`));
    backend.script = () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n';
    client.send('TRACE / HTTP/1.1\r\nHost: web\r\nMax-Forwards: 3\r\nl5d-add-context: true\r\n\r\n');
    const chunked = await client.answer();
    assert.match(chunked.body, /Response content discarded\.\n\n--- Router/);
    client.send('TRACE / HTTP/1.1\r\nHost: web\r\nMax-Forwards: many\r\n\r\n');
    assert.equal((await client.answer()).status, 400);
  });
});
