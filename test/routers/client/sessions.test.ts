/** How long connections to endpoints are kept and waited for, and what is set on their sockets. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { after, afterEach, describe, it } from 'node:test';
import { ClientMaterial } from '../../../routers/tls/client-material.ts';
import { ClientTls } from '../../../routers/tls/client-tls.ts';
import { Refusals } from '../../../routers/tls/refusals.ts';
import { SecureContexts } from '../../../routers/tls/secure-contexts.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { LimitedLog } from '../../../src/base/limited-log.ts';
import { silentLog } from '../../../src/base/log.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { RecordedStats } from '../../support/recorded-stats.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

let backend: ScriptedBackend;
let rig: Rig;
afterEach(async () => {
  await rig.close();
  await backend.close();
});
after(noSocketsLeft);

async function start(options: RigOptions): Promise<void> {
  backend = await ScriptedBackend.start();
  rig = await Rig.over([backend], options);
}

/** Requests that are all in flight at once, then all answered. */
async function together(count: number): Promise<void> {
  const from = backend.requests.length;
  backend.script = () => undefined;
  const clients = await Promise.all(Array.from({ length: count }, () => rig.connect()));
  for (const client of clients) client.send(GET);
  await backend.untilRequests(from + count);
  for (const { connection } of backend.requests.slice(from)) connection.write(OK);
  for (const client of clients) assert.equal((await client.answer()).status, 200);
}

const pool = { minSize: 0, maxSize: 100, maxWaiters: 100 };

describe('hostConnectionPool', () => {
  it('keeps minSize connections for ever, and the others for idleTimeMs', async () => {
    await start({ client: { hostConnectionPool: { ...pool, minSize: 2, idleTimeMs: 5000 } } });
    await together(5);
    assert.equal(rig.clientStat('pool_cached'), 5);
    rig.clock.advance(5100);
    await until(
      () => backend.open === 2,
      () => `the close of three, ${backend.open} are open`,
    );
    rig.clock.advance(3_600_000);
    await settled();
    assert.equal(backend.open, 2);
    assert.equal(rig.clientStat('pool_size'), 2);
  });

  it('keeps none beyond minSize when idleTimeMs is 0', async () => {
    await start({ client: { hostConnectionPool: { ...pool, idleTimeMs: 0 } } });
    await together(2);
    await until(() => backend.open === 0, 'the close');
    assert.equal(rig.clientStat('pool_cached'), 0);
  });

  it('lets a request wait for as long as a name may take, then answers 502', async () => {
    await start({ client: { hostConnectionPool: { ...pool, maxSize: 1 } } });
    backend.script = () => undefined;
    const [first, second] = [await rig.connect(), await rig.connect()];
    first.send(GET);
    await backend.untilRequests(1);
    second.send(GET);
    await until(() => rig.clientStat('pool_waiters') === 1, 'the second to wait');
    rig.clock.advance(10_100);
    const answer = await second.answer();
    assert.equal(answer.status, 502);
    assert.match(answer.body, /Exceeded 10\.seconds binding timeout while connecting to/);
    assert.equal(rig.clientStat('pool_waiters'), 0);
    assert.equal(rig.clientStat('failure_accrual/removals'), 0);
    backend.connections[0]!.write(OK);
    assert.equal((await first.answer()).status, 200);
  });
});

describe('clientSession', () => {
  it('closes a connection that was not used for idleTimeMs, also one of minSize', async () => {
    await start({
      client: { hostConnectionPool: { ...pool, minSize: 1 }, clientSession: { idleTimeMs: 2000 } },
    });
    await together(1);
    rig.clock.advance(1900);
    await together(1);
    rig.clock.advance(1900);
    await settled();
    assert.equal(backend.open, 1);
    rig.clock.advance(200);
    await until(() => backend.open === 0, 'the close');
    assert.equal(rig.clientStat('idle'), 1);
    assert.equal(backend.connections.length, 1);
  });

  it('closes a connection that was open for lifeTimeMs, and says so', async () => {
    await start({
      client: { hostConnectionPool: { ...pool, minSize: 1 }, clientSession: { lifeTimeMs: 2000 } },
    });
    await together(1);
    rig.clock.advance(2100);
    await until(() => backend.open === 0, 'the close');
    assert.equal(rig.clientStat('lifetime'), 1);
  });
});

describe('connectTimeoutMs', () => {
  it('limits connecting, with a TLS handshake that stalls', async () => {
    const stats = new RecordedStats().root;
    const material = new ClientMaterial(
      { disableValidation: true },
      { contexts: new SecureContexts(), wheel: new TimerWheel(new HandClock()), drainMs: 1 },
    );
    const refusals = new Refusals(stats, 'test', new LimitedLog(silentLog, systemClock));
    const tls = new ClientTls(material, undefined, { stats, refusals, clock: systemClock });
    await start({
      client: { connectTimeoutMs: 300, failureAccrual: { kind: 'none' } },
      clientTls: () => tls,
    });
    backend.onBytes = () => {};
    const client = await rig.connect();
    client.send(GET);
    for (const attempt of [1, 2]) {
      await until(() => backend.connections.length === attempt, 'a handshake');
      rig.clock.advance(280);
      await settled();
      assert.equal(backend.connections[attempt - 1]?.ended, false);
      rig.clock.advance(40);
      await until(() => backend.connections[attempt - 1]?.ended === true, 'its end');
    }
    assert.equal((await client.answer()).status, 502);
  });
});

describe('socketOptions', () => {
  const noDelay = true;

  for (const caller of [true, false]) {
    for (const endpoint of [true, false]) {
      it(`noDelay: ${caller} to callers, ${endpoint} to endpoints`, async (context) => {
        await start({
          client: { socketOptions: { noDelay: endpoint } },
          server: { socketOptions: { noDelay: caller, reusePort: false } },
        });
        const { _handle } = (await rig.connect()).socket as unknown as { _handle: object };
        const set = context.mock.method(Object.getPrototypeOf(_handle), 'setNoDelay');
        const client = await rig.connect();
        assert.equal((await client.send(GET).answer()).status, 200);
        // The two ends that the test holds have it set.
        assert.equal(set.mock.callCount(), 2 + Number(caller) + Number(endpoint));
      });
    }
  }

  it('readTimeoutMs of a client ends a connection on which nothing comes', async () => {
    await start({ client: { socketOptions: { noDelay, readTimeoutMs: 800 } } });
    backend.script = () => undefined;
    const client = await rig.connect();
    client.send(GET);
    await backend.untilRequests(1);
    rig.clock.advance(790);
    await settled();
    assert.equal(client.text, '');
    rig.clock.advance(120);
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.match(answer.body, /no byte came for 800 ms/);
    assert.equal(rig.clientStat('read_timeout'), 1);
  });

  it('readTimeoutMs of a server ends a connection on which nothing comes, whatever it does', async () => {
    await start({ server: { socketOptions: { noDelay, reusePort: false, readTimeoutMs: 800 } } });
    const idle = await rig.connect();
    idle.send(GET);
    await idle.answer();
    rig.clock.advance(750);
    idle.send(GET);
    await idle.answer();
    rig.clock.advance(750);
    await settled();
    assert.equal(idle.closed || idle.ended, false);
    rig.clock.advance(250);
    await until(() => idle.closed, 'the reset');
    assert.equal(rig.serverStat('read_timeout'), 1);
  });

  it('writeTimeoutMs of a server ends a connection whose caller takes nothing', async () => {
    await start({ server: { socketOptions: { noDelay, reusePort: false, writeTimeoutMs: 1000 } } });
    const body = 'x'.repeat(16 << 20);
    backend.script = () => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const client = await rig.connect();
    client.socket.pause();
    client.send(GET);
    await backend.untilRequests(1);
    let sent = -1;
    await until(() => {
      const before = sent;
      sent = rig.serverStat('sent_bytes');
      return sent > 0 && sent === before;
    }, 'a full pipe');
    await settled(200);
    for (let i = 0; i < 20 && rig.serverStat('write_timeout') === 0; i++) {
      rig.clock.advance(250);
      await settled();
    }
    assert.equal(rig.serverStat('write_timeout'), 1);
    client.socket.resume();
    await until(() => client.closed, 'the reset');
    assert.ok(client.error !== undefined, 'it must not look complete');
  });

  it('writeTimeoutMs of a client ends a connection whose endpoint takes nothing', async () => {
    await start({ client: { socketOptions: { noDelay, writeTimeoutMs: 1000 } } });
    backend.onConnection = ({ socket }) => socket.pause();
    const client = await rig.connect();
    client.send(`PUT / HTTP/1.1\r\nHost: web\r\nContent-Length: ${16 << 20}\r\n\r\n`);
    client.send(Buffer.alloc(16 << 20));
    let sent = -1;
    await until(() => {
      const before = sent;
      sent = rig.clientStat('sent_bytes');
      return sent > 0 && sent === before;
    }, 'a full pipe');
    await settled(200);
    assert.equal(rig.clientStat('write_timeout'), 0);
    for (let i = 0; i < 20 && rig.clientStat('write_timeout') === 0; i++) {
      rig.clock.advance(250);
      await settled();
    }
    assert.equal(rig.clientStat('write_timeout'), 1);
    assert.equal((await client.answer()).status, 502);
  });

  const table = '/proc/net/tcp';
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');

  it('backlog bounds how many wait to be accepted', { skip: !existsSync(table) }, async () => {
    await start({ server: { socketOptions: { noDelay, reusePort: false, backlog: 3 } } });
    const sockets = Array.from({ length: 12 }, () => net.connect({ host: '127.0.0.1', port: rig.port }));
    // Before the event loop turns and they are accepted.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const states = readFileSync(table, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , to = '']) => to.endsWith(`:${hex(rig.port)}`))
      .map(([, , , state]) => state)
      // Connected or not answered: there may be ends of older connections to the same port.
      .filter((state) => state === '01' || state === '02');
    for (const socket of sockets) socket.destroy();
    assert.equal(states.length, 12);
    assert.equal(states.filter((state) => state === '01').length, 4, 'one more than the backlog');
  });

  it('keepAlive arms the keep-alive timer of both sides', { skip: !existsSync(table) }, async () => {
    await start({
      client: { socketOptions: { noDelay, keepAlive: true } },
      server: { socketOptions: { noDelay, reusePort: false, keepAlive: true } },
    });
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    /** Kind of the timer that the system runs for an established connection; 02 is keep-alive. */
    const timer = (local: number | undefined, remote: number | undefined): string | undefined => {
      for (const line of readFileSync(table, 'latin1').split('\n')) {
        const [, from = '', to = '', state, , when = ''] = line.trim().split(/\s+/);
        if (state !== '01') continue;
        if (local !== undefined && !from.endsWith(`:${hex(local)}`)) continue;
        if (remote === undefined || to.endsWith(`:${hex(remote)}`)) return when.slice(0, 2);
      }
      return undefined;
    };
    assert.equal(timer(undefined, backend.port), '02', 'to the endpoint');
    assert.equal(timer(rig.port, client.socket.localPort), '02', 'to the caller');
    assert.notEqual(timer(backend.port, undefined), '02', 'the test would see its absence');
  });
});
