/** Callers and endpoints that are slow, or silent: who is waited for, how long, and what then is answered. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { header } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

let backend: ScriptedBackend;
let rig: Rig;
const start = async (options: RigOptions): Promise<void> => {
  await rig.close();
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

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

describe('A caller', () => {
  it('who sends nothing is closed when the head timeout is over', async () => {
    const client = await rig.connect();
    await until(() => rig.server.connections === 1, 'the connection');
    rig.clock.advance(29_900);
    await settled();
    assert.equal(client.closed || client.ended, false);
    rig.clock.advance(200);
    await client.untilEnded();
    assert.equal(client.text, '');
  });

  it('who sends a head slowly gets 408, counted from the start of the connection', async () => {
    const client = await rig.connect();
    await until(() => rig.server.connections === 1, 'the connection');
    rig.clock.advance(20_000);
    client.send('GET / HTTP');
    await until(() => rig.serverStat('received_bytes') > 0, 'the bytes');
    rig.clock.advance(10_100);
    assert.equal((await client.answer()).status, 408);
    await client.untilEnded();
  });

  it('who sends a later head slowly gets 408, counted from its first byte', async () => {
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    rig.clock.advance(100_000);
    const before = rig.serverStat('received_bytes');
    client.send('GET / HTTP');
    await until(() => rig.serverStat('received_bytes') > before, 'the bytes');
    rig.clock.advance(29_900);
    await settled();
    assert.equal(client.text, '');
    rig.clock.advance(200);
    assert.equal((await client.answer()).status, 408);
  });

  for (const [kind, length] of [
    ['buffered', 100],
    ['streamed', 100_000],
  ] as const) {
    it(`who stalls in a ${kind} body gets 408`, async () => {
      const client = await rig.connect();
      client.send(`POST / HTTP/1.1\r\nHost: web\r\nContent-Length: ${length}\r\n\r\nhello`);
      await until(() => rig.serverStat('received_bytes') > 50, 'the bytes');
      if (kind === 'streamed')
        await until(() => backend.connections[0]?.text.endsWith('hello') === true, 'the body');
      rig.clock.advance(59_000);
      client.send('x');
      const before = rig.serverStat('received_bytes');
      await until(() => rig.serverStat('received_bytes') > before, 'another byte');
      rig.clock.advance(59_000);
      await settled();
      assert.equal(client.text, '');
      rig.clock.advance(1100);
      assert.equal((await client.answer()).status, 408);
      await client.untilEnded();
      await until(() => backend.connections.every((each) => each.ended || each.closed), 'the end upstream');
      assert.equal(rig.serverStat('pending'), 0);
    });
  }

  it('is not blamed for a body that nobody reads yet', async () => {
    await start({ server: { bodyIdleTimeoutMs: 1000 } });
    rig.pend('web');
    const other = await rig.connect();
    other.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 100000\r\n\r\nhello');
    await until(() => rig.serviceStat('pending') === 1, 'the request');
    rig.clock.advance(5000);
    await settled();
    assert.equal(other.text, '');
  });

  it('who is idle is closed when the idle time is over', async () => {
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    rig.clock.advance(599_000);
    await settled();
    assert.equal(client.ended || client.closed, false);
    rig.clock.advance(1100);
    await client.untilEnded();
  });

  it('who stays for longer than lifeTimeMs is told to go with the next answer', async () => {
    await start({ server: { lifeTimeMs: 5000 } });
    const client = await rig.connect();
    client.send(GET);
    assert.equal(header(await client.answer(), 'connection'), 'keep-alive');
    backend.script = () => undefined;
    client.send(GET);
    await backend.untilRequests(2);
    rig.clock.advance(6000);
    backend.connections[0]?.write(OK);
    assert.equal(header(await client.answer(), 'connection'), 'close');
    await client.untilEnded();
  });

  it('who reads nothing bounds the memory, and is cut in the end', async () => {
    const total = 64 << 20;
    const piece = Buffer.alloc(65536, 'x');
    let written = 0;
    backend.script = ({ connection }) => {
      const more = (): void => {
        while (written < total) {
          written += piece.length;
          if (!connection.socket.write(piece)) {
            connection.socket.once('drain', more);
            return;
          }
        }
      };
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      more();
      return undefined;
    };
    const client = await rig.connect();
    client.socket.pause();
    client.send(GET);
    await backend.untilRequests(1);
    let before = -1;
    await until(() => {
      const same = before === rig.clientStat('received_bytes');
      before = rig.clientStat('received_bytes');
      return same && before > 65536;
    }, 'the flow to stop');
    await settled(100);
    const taken = rig.clientStat('received_bytes');
    assert.ok(taken < total / 2, `${taken} bytes taken`);
    assert.ok(taken - client.received < 16 << 20);
    rig.clock.advance(61_000);
    client.socket.resume();
    await until(() => client.closed, 'the cut');
    assert.ok(client.received < total);
    await until(() => backend.open === 0, 'the end upstream');
  });

  it('who reads slowly, but reads, gets everything', async () => {
    const total = 8 << 20;
    backend.script = () => `HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n${'x'.repeat(total)}`;
    const client = await rig.connect();
    client.send(GET);
    for (let turn = 0; turn < 10; turn++) {
      client.socket.pause();
      await settled(20);
      rig.clock.advance(50_000);
      client.socket.resume();
      await settled(20);
    }
    assert.equal((await client.answer()).body.length, total);
  });

  it('who pipelines and never reads stops being served', async () => {
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(60000)}`;
    backend.script = () => answer;
    const client = await rig.connect();
    client.socket.pause();
    client.send(GET.repeat(2000));
    let before = -1;
    await until(() => {
      const same = before === backend.requests.length;
      before = backend.requests.length;
      return same && before > 0;
    }, 'the requests to stop');
    await settled(100);
    const served = backend.requests.length;
    assert.ok(served < 1000, `${served} requests served`);
    client.socket.resume();
    await until(() => backend.requests.length > served, 'the rest to go on');
    for (let i = 0; i < 20; i++) assert.equal((await client.answer()).body.length, 60000);
  });

  it('who takes the last bytes late still gets them after the connection is to be closed', async () => {
    const total = 6 << 20;
    backend.script = () => `HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n${'x'.repeat(total)}`;
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n');
    for (let turn = 0; turn < 5; turn++) {
      client.socket.pause();
      await settled(20);
      rig.clock.advance(10_000);
      client.socket.resume();
      await settled(10);
    }
    assert.equal((await client.answer()).body.length, total);
    await client.untilEnded();
    assert.equal(client.error, undefined);
  });

  it('who goes away has the request given up upstream', async () => {
    backend.script = () => undefined;
    const client = await rig.connect();
    client.send(GET);
    await backend.untilRequests(1);
    client.reset();
    await until(() => backend.open === 0, 'the end upstream');
    assert.equal(rig.serverStat('pending'), 0);
    assert.equal(rig.clientStat('pending'), 0);
    assert.equal(rig.serviceStat('pending'), 0);
    assert.equal(rig.serverStat('requests'), 0);
  });

  it('who goes away within a buffered body leaves no count behind', async () => {
    const client = await rig.connect();
    client.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 100\r\n\r\nhello');
    await until(() => rig.serverStat('received_bytes') > 50, 'the bytes');
    client.reset();
    await until(() => rig.server.connections === 0, 'the close');
    assert.equal(rig.serverStat('pending'), 0);
  });
});

describe('Time limits', () => {
  const silent = (): undefined => undefined;

  it('totalTimeoutMs answers 503, says so, and tells the next hop the deadline', async () => {
    await start({ service: { totalTimeoutMs: 2000 } });
    backend.script = silent;
    const client = await rig.connect();
    client.send(GET);
    await backend.untilRequests(1);
    const ns = BigInt(rig.clock.wallMs()) * 1_000_000n;
    assert.equal(header(backend.requests[0]!, 'l5d-ctx-deadline'), `${ns} ${ns + 2_000_000_000n}`);
    rig.clock.advance(2050);
    const answer = await client.answer();
    assert.equal(answer.status, 503);
    assert.match(
      answer.body,
      /^exceeded 2\.seconds to \/svc\/web while waiting for a response for the request, including retries/,
    );
    await until(() => backend.open === 0, 'the end upstream');
  });

  it('requestAttemptTimeoutMs answers 503 when it is not retried', async () => {
    await start({ client: { requestAttemptTimeoutMs: 500 } });
    backend.script = silent;
    const client = await rig.connect();
    client.send(GET);
    await backend.untilRequests(1);
    rig.clock.advance(550);
    const answer = await client.answer();
    assert.equal(answer.status, 503);
    assert.match(
      answer.body,
      /^exceeded 500\.milliseconds to .* for an individual request, excluding retries/,
    );
  });

  it('requestAttemptTimeoutMs is retried by a classifier that retries, each attempt with a deadline of its own', async () => {
    await start({
      client: { requestAttemptTimeoutMs: 500 },
      service: { responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' } },
    });
    backend.script = () => (backend.requests.length === 1 ? undefined : OK);
    const client = await rig.connect();
    client.send(GET);
    await backend.untilRequests(1);
    rig.clock.advance(550);
    assert.equal((await client.answer()).status, 200);
    const [first, second] = backend.requests.map((each) => header(each, 'l5d-ctx-deadline')?.split(' ')[1]);
    assert.equal(BigInt(second!) - BigInt(first!), 550_000_000n);
    assert.equal(rig.serviceStat('retries/total'), 1);
  });

  it('timeoutMs of a server answers 503, wherever the request is', async () => {
    await start({ server: { timeoutMs: 1000 } });
    backend.script = silent;
    const client = await rig.connect();
    client.send(GET);
    await backend.untilRequests(1);
    assert.notEqual(header(backend.requests[0]!, 'l5d-ctx-deadline'), undefined);
    rig.clock.advance(1050);
    const answer = await client.answer();
    assert.equal(answer.status, 503);
    assert.match(answer.body, /^exceeded 1\.seconds/);
    rig.pend('slow');
    client.send('GET / HTTP/1.1\r\nHost: slow\r\n\r\n');
    await until(() => rig.serviceStat('pending', 'slow') === 1, 'the request');
    rig.clock.advance(1050);
    assert.equal((await client.answer()).status, 503);
  });

  it('the strictest deadline of all goes on', async () => {
    await start({ server: { timeoutMs: 9000 }, client: { requestAttemptTimeoutMs: 8000 } });
    const client = await rig.connect();
    const ns = BigInt(rig.clock.wallMs()) * 1_000_000n;
    client.send(`GET / HTTP/1.1\r\nHost: web\r\nl5d-ctx-deadline: 5 ${ns + 7_000_000n}\r\n\r\n`);
    await client.answer();
    assert.equal(header(backend.requests[0]!, 'l5d-ctx-deadline'), `${ns} ${ns + 7_000_000n}`);
  });

  it('a response body that stalls is cut after bodyIdleTimeoutMs', async () => {
    backend.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello';
    const client = await rig.connect();
    client.send(GET);
    await client.untilText('hello');
    rig.clock.advance(60_100);
    await until(() => client.closed, 'the abort');
    assert.ok(client.error !== undefined);
  });
});
