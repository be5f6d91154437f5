/** Endpoints that die, lie or talk too much: a caller gets 502 or a visible abort, and never another caller's bytes. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { header } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

let backend: ScriptedBackend;
let rig: Rig;
beforeEach(async () => {
  backend = await ScriptedBackend.start();
  rig = await Rig.over([backend]);
});
afterEach(async () => {
  await rig.close();
  await backend.close();
});
after(noSocketsLeft);

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

/** The next request, of the same and of another caller, gets its own answer. */
async function othersGetTheirOwn(): Promise<void> {
  backend.script = ({ target }) => `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`;
  for (const target of ['/mine', '/yours']) {
    const client = await rig.connect();
    client.send(`GET ${target} HTTP/1.1\r\nHost: web\r\n\r\n`);
    assert.equal((await client.answer()).body, target);
  }
}

const beforeAnswer: readonly (readonly [title: string, bytes: string])[] = [
  ['before the head', ''],
  ['within the status line', 'HTTP/1.1 20'],
  ['within the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
];
const afterHead: readonly (readonly [title: string, bytes: string])[] = [
  ['right after the head', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'],
  ['within a body with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
  ['within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nhello'],
  ['within a chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1'],
  ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ['within the trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n'],
];

for (const how of ['end', 'reset'] as const) {
  describe(`An endpoint whose connection dies by ${how}`, () => {
    for (const [title, bytes] of beforeAnswer) {
      it(`${title} leads to 502`, async () => {
        backend.script = ({ connection }) => {
          if (bytes !== '') connection.write(bytes);
          setImmediate(() => connection[how]());
          return undefined;
        };
        const client = await rig.connect();
        client.send(GET);
        const answer = await client.answer();
        assert.equal(answer.status, 502);
        assert.match(answer.body, /ended the connection/);
        assert.equal(backend.requests.length, 1, 'a first use is not repeated');
        await othersGetTheirOwn();
      });
    }
    for (const [title, bytes] of afterHead) {
      for (const version of ['1.1', '1.0']) {
        it(`${title} is visible to an HTTP/${version} caller (RFC 9112 8)`, async () => {
          backend.script = ({ connection }) => {
            connection.write(bytes);
            setImmediate(() => connection[how]());
            return undefined;
          };
          const client = await rig.connect();
          client.send(`GET / HTTP/${version}\r\nHost: web\r\n\r\n`);
          await until(() => client.closed, 'the abort');
          // A reset can never be taken for the end of a body that ends with its connection.
          assert.ok(client.error !== undefined, `closed as if complete: ${JSON.stringify(client.text)}`);
          await othersGetTheirOwn();
        });
      }
    }
  });
}

const malformed: readonly (readonly [title: string, bytes: string])[] = [
  ['garbage', 'NOT HTTP AT ALL\r\n\r\n'],
  ['HTTP/0.9', 'hello'.repeat(10)],
  ['another protocol version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
  [
    'Content-Length and Transfer-Encoding',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['an unknown Transfer-Encoding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
  ['Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 0\r\n\r\n'],
  ['a blank before a colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['a NUL', 'HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of 99', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a head that is too long', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(9000)}\r\n\r\n`],
  ['a status line that is too long', `HTTP/1.1 200 ${'x'.repeat(5000)}\r\n\r\n`],
  ['101 to a request without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'],
  ['a flood of informational responses', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(40)],
];

describe('An endpoint that answers with', () => {
  for (const [title, bytes] of malformed) {
    it(`${title} leads to 502, and its connection is not used again`, async () => {
      backend.script = () => bytes;
      const client = await rig.connect();
      client.send(GET);
      const answer = await client.answer();
      assert.equal(answer.status, 502);
      assert.match(answer.body, /not well-formed/);
      await until(() => backend.open === 0, 'the close of the connection');
      await othersGetTheirOwn();
    });
  }

  it('a bad chunk in the middle of a body aborts the answer', async () => {
    backend.script = () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n';
    const client = await rig.connect();
    client.send(GET);
    await until(() => client.closed, 'the abort');
    assert.ok(client.error !== undefined);
  });

  const tooMuch: readonly (readonly [title: string, bytes: string, body: string])[] = [
    [
      'more than its length',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen',
      'ok',
    ],
    [
      'more than its last chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen',
      'ok',
    ],
    [
      'more than nothing',
      'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen',
      '',
    ],
    [
      'an empty body and more',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen',
      '',
    ],
  ];
  for (const [title, bytes, body] of tooMuch) {
    it(`${title} is cut there, and nobody else gets the rest (RFC 9112 9.2)`, async () => {
      backend.script = () => bytes;
      const client = await rig.connect();
      client.send(GET);
      assert.equal((await client.answer()).body, body);
      await until(() => backend.open === 0, 'the close of the connection');
      await othersGetTheirOwn();
    });
    it(`${title} does not give the rest to a request that waits for the connection`, async () => {
      await rig.close();
      rig = await Rig.over([backend], {
        client: { hostConnectionPool: { minSize: 0, maxSize: 1, maxWaiters: 10 } },
      });
      backend.script = ({ target }) => (target === '/wait' ? OK : undefined);
      const first = await rig.connect();
      first.send(GET);
      await backend.untilRequests(1);
      const second = await rig.connect();
      second.send('GET /wait HTTP/1.1\r\nHost: web\r\n\r\n');
      await until(() => rig.clientStat('pool_waiters') === 1, 'the second to wait');
      backend.connections[0]?.write(bytes);
      assert.equal((await first.answer()).body, body);
      assert.equal((await second.answer()).body, 'ok');
      assert.equal(backend.connections.length, 2);
    });
  }

  it('bytes before there is a request loses its connection', async () => {
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    backend.connections[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen');
    await until(() => backend.open === 0, 'the close of the connection');
    await othersGetTheirOwn();
  });
});

describe('A connection that an endpoint closed while it was idle', () => {
  /** The endpoint closes just as the next request arrives: it is read, and not answered. */
  async function closeOnSecond(): Promise<void> {
    backend.script = ({ connection }) => {
      const nth = backend.requests.filter((each) => each.connection === connection).length;
      if (nth === 1) return OK;
      connection.end();
      return undefined;
    };
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
  }

  it('has a GET sent once more, on a new connection', async () => {
    await closeOnSecond();
    const client = await rig.connect();
    client.send('GET /again HTTP/1.1\r\nHost: web\r\n\r\n');
    assert.equal((await client.answer()).status, 200);
    const sent = backend.requests.filter((each) => each.target === '/again');
    assert.deepEqual(
      sent.map((each) => each.connection.number),
      [0, 1],
    );
    assert.equal(rig.clientStat('retries/requeues'), 1);
  });

  it('does not have a POST sent twice (RFC 9110 9.2.2)', async () => {
    await closeOnSecond();
    const client = await rig.connect();
    client.send('POST /order HTTP/1.1\r\nHost: web\r\nContent-Length: 1\r\n\r\n1');
    assert.equal((await client.answer()).status, 502);
    assert.equal(backend.requests.filter((each) => each.target === '/order').length, 1);
  });

  it('does not have a GET repeated that was answered in part', async () => {
    backend.script = ({ connection }) => {
      const nth = backend.requests.filter((each) => each.connection === connection).length;
      if (nth === 1) return OK;
      connection.write('HTTP/1.1 103 Early Hints\r\n\r\n');
      setImmediate(() => connection.end());
      return undefined;
    };
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    client.send('GET /again HTTP/1.1\r\nHost: web\r\n\r\n');
    assert.equal((await client.answer()).status, 103);
    assert.equal((await client.answer()).status, 502);
    assert.equal(backend.requests.filter((each) => each.target === '/again').length, 1);
  });

  it('is not used when the close has been seen', async () => {
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    backend.connections[0]?.end();
    await until(() => rig.clientStat('pool_cached') === 0, 'the close');
    client.send('POST /order HTTP/1.1\r\nHost: web\r\nContent-Length: 1\r\n\r\n1');
    assert.equal((await client.answer()).status, 200);
  });

  it('is not taken while it is being closed for its age', async () => {
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    // Expiry and the next request in one turn of the event loop.
    client.send('POST /order HTTP/1.1\r\nHost: web\r\nContent-Length: 1\r\n\r\n1');
    rig.clock.advance(3100);
    assert.equal((await client.answer()).status, 200);
  });
});

describe('Idle connections to an endpoint', () => {
  it('are closed after 3 s when the endpoint announces nothing', async () => {
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    rig.clock.advance(2900);
    await settled();
    assert.equal(backend.open, 1);
    rig.clock.advance(200);
    await until(() => backend.open === 0, 'the close');
  });

  it('are closed a second before the time that the endpoint announces', async () => {
    backend.script = () => 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=20\r\nContent-Length: 0\r\n\r\n';
    const client = await rig.connect();
    client.send(GET);
    assert.equal(header(await client.answer(), 'keep-alive'), 'timeout=600', 'and the caller is told ours');
    rig.clock.advance(18900);
    await settled();
    assert.equal(backend.open, 1);
    rig.clock.advance(200);
    await until(() => backend.open === 0, 'the close');
  });

  it('are not kept when the answer says close', async () => {
    backend.script = () => 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
    const client = await rig.connect();
    client.send(GET);
    const answer = await client.answer();
    assert.equal(header(answer, 'connection'), 'keep-alive', 'which concerns that connection alone');
    await until(() => backend.open === 0, 'the close');
    client.send(GET);
    assert.equal((await client.answer()).body, 'ok');
  });
});
