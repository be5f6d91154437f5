import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { after, afterEach, describe, it } from 'node:test';
import { Failure } from '../../../src/base/failure.ts';
import { seededRng } from '../../../src/base/rng.ts';
import { RawClient } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { type BackendConnection, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';
const CONNECT = 'CONNECT web:443 HTTP/1.1\r\nHost: web:443\r\n\r\n';
/** The first bytes of every TLS connection; what comes after is of no concern to a tunnel. */
const HELLO = '\x16\x03\x01\x00\x05hello';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});
after(noSocketsLeft);

type Setting = { rig: Rig; backend: ScriptedBackend };

async function start(options: RigOptions = {}): Promise<Setting> {
  const backend = await ScriptedBackend.start();
  backend.onBytes = () => {};
  const rig = await Rig.start(options);
  rig.bind('web:443', [backend], 'web');
  opened.push(rig, backend);
  return { rig, backend };
}

async function connect(rig: Rig, early = ''): Promise<RawClient> {
  const client = await rig.connect();
  client.send(CONNECT + early);
  await client.untilText(ESTABLISHED);
  client.text = client.text.slice(ESTABLISHED.length);
  return client;
}

/** Both ends of a tunnel through which something has gone each way. */
async function joined({ rig, backend }: Setting): Promise<{ client: RawClient; far: BackendConnection }> {
  const before = backend.connections.length;
  const client = await connect(rig, HELLO);
  await until(() => backend.connections[before]?.text === HELLO, 'the hello at the backend');
  const far = backend.connections[before] as BackendConnection;
  far.write('back');
  await client.untilText('back');
  return { client, far };
}

async function reached(backend: ScriptedBackend, text: string): Promise<BackendConnection> {
  const found = (): BackendConnection | undefined =>
    backend.connections.findLast((each) => each.text.includes(text));
  await until(
    () => found() !== undefined,
    () => `${JSON.stringify(text)} at the backend`,
  );
  return found() as BackendConnection;
}

const wasReset = (client: RawClient): boolean =>
  (client.error as NodeJS.ErrnoException | undefined)?.code === 'ECONNRESET';

async function untilReset(client: RawClient): Promise<void> {
  await until(() => client.closed, 'the close of a client');
  assert.ok(wasReset(client), 'not a reset');
}

describe('A TLS tunnel', () => {
  it('carries the bytes as they are, both ways, and counts them', async () => {
    const setting = await start();
    const { client, far } = await joined(setting);
    assert.equal(far.text, HELLO);
    client.send('more');
    await reached(setting.backend, 'more');
    const { rig } = setting;
    assert.equal(rig.serverStat('tunnel/tls'), 1);
    assert.equal(rig.serverStat('tunnel/open'), 1);
    assert.equal(rig.serverStat('tunnel/received_bytes'), HELLO.length + 4);
    assert.equal(rig.serverStat('tunnel/sent_bytes'), 4);
    assert.equal(rig.serverStat('received_bytes'), CONNECT.length + HELLO.length + 4);
    assert.equal(rig.serverStat('sent_bytes'), ESTABLISHED.length + 4);
    assert.equal(rig.clientStat('sent_bytes'), HELLO.length + 4);
    assert.equal(rig.clientStat('received_bytes'), 4);
    assert.equal(rig.serverStat('requests'), 1);
    assert.equal(rig.serviceStat('success', 'web:443'), 1);
    rig.clock.advance(250);
    client.end();
    far.end();
    await until(() => rig.serverStat('tunnel/open') === 0, 'the end of the tunnel');
    assert.deepEqual(rig.stats.samples('rt/http/server/test/tunnel/duration_ms'), [250]);
  });

  it('lets one direction end before the other, whichever it is', async () => {
    const setting = await start();
    const { client, far } = await joined(setting);
    client.end();
    await until(() => far.ended, 'the end at the backend');
    far.write('late');
    await client.untilText('late');
    far.end();
    await until(() => client.closed && far.closed, 'the end of both');
    assert.equal(client.error, undefined);

    const second = await joined(setting);
    second.far.end();
    await second.client.untilEnded();
    second.client.send('late too');
    await reached(setting.backend, 'late too');
    second.client.end();
    await until(() => second.client.closed && second.far.closed, 'the end of both');
    assert.equal(second.client.error, undefined);
  });

  it('passes a reset on, from either side', async () => {
    const setting = await start();
    const first = await joined(setting);
    first.far.reset();
    await untilReset(first.client);
    const second = await joined(setting);
    second.client.reset();
    await until(() => second.far.closed, 'the close of the backend');
  });

  it('carries much, both ways at once, to readers that are slow at first', async () => {
    const setting = await start();
    const { client, far } = await joined(setting);
    // More than the system's buffers on the way hold.
    const bytes = Buffer.concat(new Array<Buffer>(48).fill(randomBytes(1 << 20)));
    const digest = createHash('sha256').update(bytes).digest('hex');
    const hashOf = (socket: Socket): Promise<string> => {
      const hash = createHash('sha256');
      let left = bytes.length;
      return new Promise((resolve) => {
        socket.on('data', (chunk: Buffer) => {
          hash.update(chunk);
          left -= chunk.length;
          if (left === 0) resolve(hash.digest('hex'));
        });
        socket.resume();
      });
    };
    for (const { socket } of [client, far]) {
      socket.removeAllListeners('data');
      socket.pause();
    }
    client.send(bytes);
    far.write(bytes);
    await settled(200);
    // The kernel takes what its buffers hold, the router at most a read and what a socket queues.
    assert.ok(client.socket.writableLength > 0 && far.socket.writableLength > 0, 'nobody was slowed down');
    assert.deepEqual(await Promise.all([hashOf(client.socket), hashOf(far.socket)]), [digest, digest]);
  });

  it('survives the time limits of requests, and ends when nothing has moved for idleTimeMs', async () => {
    const setting = await start({
      server: { timeoutMs: 50, idleTimeMs: 5000 },
      client: { requestAttemptTimeoutMs: 50 },
      service: { totalTimeoutMs: 50 },
    });
    const { client, far } = await joined(setting);
    setting.rig.clock.advance(4000);
    client.send('more');
    await reached(setting.backend, 'more');
    setting.rig.clock.advance(4000);
    await settled();
    assert.ok(!client.closed && !far.closed);
    setting.rig.clock.advance(1020);
    await untilReset(client);
    await until(() => far.closed, 'the close of the backend');
    assert.equal(setting.rig.serverStat('tunnel/timeouts'), 1);
  });

  it('ends at lifeTimeMs although something moves', async () => {
    const setting = await start({ server: { lifeTimeMs: 3000 } });
    const { client } = await joined(setting);
    for (let i = 0; i < 3; i++) {
      client.send(`${i}`);
      await reached(setting.backend, `${i}`);
      setting.rig.clock.advance(1010);
    }
    await untilReset(client);
  });

  it('counts as one of maxConcurrentRequests', async () => {
    const setting = await start({ server: { maxConcurrentRequests: 1 } });
    const { client, far } = await joined(setting);
    const second = await connect(setting.rig, HELLO);
    await untilReset(second);
    client.end();
    far.end();
    await until(() => setting.rig.serverStat('tunnel/open') === 0, 'the end of the tunnel');
    await joined(setting);
  });

  it('goes on while the server drains, and is cut in the end', async () => {
    const setting = await start();
    const { client, far } = await joined(setting);
    let drained = false;
    void setting.rig.server.drain().then(() => {
      drained = true;
    });
    await settled();
    client.send('still');
    await reached(setting.backend, 'still');
    assert.ok(!drained);
    setting.rig.server.close();
    await untilReset(client);
    await until(() => far.closed && drained, 'the end of the drain');
  });

  it('has a connection of its own, which is not used again', async () => {
    const setting = await start();
    const first = await joined(setting);
    first.client.end();
    first.far.end();
    await until(() => first.client.closed, 'the end of the tunnel');
    await joined(setting);
    assert.equal(setting.backend.connections.length, 2);
    assert.equal(setting.rig.clientStat('pool_cached'), 0);
  });
});

describe('A tunnel of something else', () => {
  it('is opened after 100 ms for a server that speaks first', async () => {
    const { rig, backend } = await start();
    backend.onConnection = (far) => far.write('220 mail\r\n');
    const client = await connect(rig);
    rig.clock.advance(50);
    await settled();
    assert.equal(backend.connections.length, 0);
    rig.clock.advance(70);
    await client.untilText('220 mail\r\n');
    client.send('EHLO me\r\n');
    await reached(backend, 'EHLO me\r\n');
    assert.equal(rig.serverStat('tunnel/opaque'), 1);
  });

  it('is opened at once for bytes that are neither HTTP nor TLS, and for a caller that says nothing', async () => {
    const { rig, backend } = await start();
    backend.onConnection = (far) => far.write('hello');
    const ssh = await connect(rig, 'SSH-2.0-OpenSSH_9.6 Debian-3\r\n');
    await reached(backend, 'SSH-2.0-OpenSSH_9.6 Debian-3\r\n');
    await ssh.untilText('hello');
    const silent = (await connect(rig)).end();
    await silent.untilText('hello');
    await until(() => backend.connections[1]?.ended === true, 'the end at the backend');
  });

  it('waits for its name, and keeps what is said meanwhile', async () => {
    const { rig, backend } = await start();
    rig.pend('web:443');
    const client = await connect(rig, HELLO);
    client.send('1');
    await settled();
    client.send('2');
    await settled();
    rig.bind('web:443', [backend], 'web');
    await reached(backend, `${HELLO}12`);
  });
});

describe('Tunnels that end at any moment and in any way', () => {
  it('leave no connection, timer or exchange behind', async () => {
    const setting = await start({ server: { idleTimeMs: 60000 } });
    const { rig, backend } = setting;
    const rng = seededRng(4711);
    const pieces = [
      '',
      CONNECT.slice(0, 20),
      CONNECT.slice(20),
      HELLO.slice(0, 1),
      HELLO.slice(1),
      'x'.repeat(70000),
    ];
    const leave = (client: RawClient): void => {
      const far = backend.connections.at(-1);
      const ways = [
        () => client.reset(),
        () => client.socket.destroy(),
        () => client.end(),
        () => far?.reset(),
        () => far?.end(),
        () => rig.clock.advance(150),
      ];
      ways[rng.below(ways.length)]?.();
    };
    for (let i = 0; i < 300; i++) {
      const client = await RawClient.connect(rig.port);
      const stop = rng.below(pieces.length);
      for (const piece of pieces.slice(0, stop + 1)) {
        if (piece !== '') client.send(piece);
        await settled(rng.below(4));
      }
      leave(client);
      await settled(rng.below(4));
      leave(client);
      await settled(1);
      client.socket.destroy();
    }
    for (const { socket } of backend.connections) socket.end();
    await until(
      () => {
        rig.clock.advance(1000);
        return rig.server.connections === 0;
      },
      () => `${rig.server.connections} connections are left`,
    );
    assert.equal(rig.serverStat('tunnel/open'), 0);
    assert.equal(rig.serverStat('pending'), 0);
    assert.equal(rig.clientStat('pending'), 0);
    await until(() => rig.clientStat('connections') === 0, 'the end of all connections to the endpoint');
    assert.ok(rig.serverStat('tunnel/tls') > 50);
    await joined(setting);
  });
});

describe('A tunnel without an endpoint', () => {
  it('is reset when its name is not bound, stays pending or fails', async () => {
    const { rig } = await start();
    rig.failName('web:443', new Failure('naming', 'no such namer'));
    await untilReset(await connect(rig, HELLO));
    rig.pend('web:443');
    const client = await connect(rig, HELLO);
    rig.clock.advance(10020);
    await untilReset(client);
    assert.equal(rig.serverStat('tunnel/failures'), 2);
    assert.equal(rig.serverStat('status/502'), 2);
  });

  it('is reset when all endpoints refuse, and finds the one that does not', async () => {
    const { rig, backend } = await start();
    const dead = await ScriptedBackend.start();
    await dead.close();
    rig.addresses('web', [dead, backend]);
    for (let i = 0; i < 4; i++) {
      const client = await connect(rig, HELLO);
      await until(() => backend.connections.length === i + 1, 'a connection');
      await client.close();
    }
    rig.addresses('web', [dead]);
    await untilReset(await connect(rig, HELLO));
    assert.equal(rig.serverStat('tunnel/failures'), 1);
  });

  it('gives its name up when the caller goes', async () => {
    const { rig, backend } = await start();
    rig.pend('web:443');
    const client = await connect(rig, HELLO);
    await settled();
    client.reset();
    await until(() => rig.server.connections === 0, 'the close');
    rig.bind('web:443', [backend], 'web');
    await settled();
    assert.equal(backend.connections.length, 0);
    assert.equal(rig.serverStat('pending'), 0);
  });

  it('is reset when its name stands for an HTTP status', async () => {
    const { rig } = await start();
    rig.addr('web').set({ type: 'bound', addresses: [], meta: { status: 404 } });
    await untilReset(await connect(rig, HELLO));
  });

  it('is reset at maxSize connections of the endpoint', async () => {
    const setting = await start({
      client: { hostConnectionPool: { minSize: 0, maxSize: 1, maxWaiters: 9 } },
    });
    await joined(setting);
    await untilReset(await connect(setting.rig, HELLO));
  });
});
