/** Limits of a listener: who is refused, how, and that nobody takes what is for others. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { Descriptors } from '../../../routers/descriptors.ts';
import { Admission } from '../../../routers/http1/admission.ts';
import { type CallerSide, KeptCaller, type Source } from '../../../routers/http1/caller-side.ts';
import { LinkedList } from '../../../src/base/linked-list.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { header } from '../../support/raw-client.ts';
import { RecordedStats } from '../../support/recorded-stats.ts';
import { noSocketsLeft, Rig, type RigOptions, serverSpec } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

describe('A listener', () => {
  let backend: ScriptedBackend;
  let rig: Rig;
  const start = async (options: RigOptions): Promise<void> => {
    rig = await Rig.over([backend], options);
  };
  beforeEach(async () => {
    backend = await ScriptedBackend.start();
  });
  afterEach(async () => {
    await rig.close();
    await backend.close();
  });
  after(noSocketsLeft);

  it('answers one connection more than it may have with 503, Retry-After and the end', async () => {
    await start({ server: { maxConnections: 2 } });
    const clients = [await rig.connect(), await rig.connect()];
    for (const client of clients) assert.equal((await client.send(GET).answer()).status, 200);
    const third = await rig.connect();
    const refused = await third.answer();
    assert.equal(refused.status, 503);
    assert.equal(header(refused, 'retry-after'), '1');
    await third.untilEnded();
    assert.equal(rig.serverStat('limits/connections'), 1);
    for (const client of clients) assert.equal((await client.send(GET).answer()).status, 200);
    await clients[0]?.close();
    await until(() => rig.server.connections === 1, 'the end of a connection');
    assert.equal((await (await rig.connect()).send(GET).answer()).status, 200);
  });

  it('limits the connections of one source', async () => {
    await start({ server: { maxConnectionsPerSource: 1, ip: '127.0.0.1' } });
    await rig.connect();
    assert.equal((await (await rig.connect()).answer()).status, 503);
    assert.equal((await connectFrom('127.0.0.2', rig.port, GET)).slice(0, 12), 'HTTP/1.1 200');
    assert.equal(rig.serverStat('limits/connections_per_source'), 1);
  });

  it('refuses connections before the process has no descriptor left', async () => {
    await start({ descriptors: new Descriptors(1, 10) });
    const first = await rig.connect();
    assert.equal((await (await rig.connect()).answer()).status, 503);
    assert.equal(rig.serverStat('limits/descriptors'), 1);
    assert.equal((await first.send(GET).answer()).status, 200);
  });

  it('answers 503 when it may open no connection, and takes the endpoint for well', async () => {
    await start({ descriptors: new Descriptors(10, 1) });
    backend.script = () => undefined;
    const first = (await rig.connect()).send(GET);
    await backend.untilRequests(1);
    const second = await rig.connect();
    for (let i = 0; i < 10; i++) {
      const answer = await second.send(GET).answer();
      assert.equal(answer.status, 503);
      assert.equal(header(answer, 'retry-after'), '1');
      assert.match(answer.body, /code: no-descriptors/);
    }
    assert.equal(rig.clientStat('no_descriptors'), 10);
    backend.script = () => OK;
    backend.connections[0]?.write(OK);
    assert.equal((await first.answer()).status, 200);
    assert.equal((await second.send(GET).answer()).status, 200);
  });

  it('gives the place of an idle connection of the greediest source to a modest one', async () => {
    await start({ server: { maxConnections: 4 } });
    const greedy = await Promise.all([1, 2, 3, 4].map(() => rig.connect()));
    await until(() => rig.server.connections === 4, 'the connections');
    assert.equal((await connectFrom('127.0.0.2', rig.port, GET)).slice(0, 12), 'HTTP/1.1 200');
    await until(() => greedy.filter(({ closed, ended }) => closed || ended).length === 1, 'one to make room');
    assert.equal(rig.serverStat('limits/evicted'), 1);
    assert.equal(rig.serverStat('limits/connections'), 0);
  });

  it('cuts no request to make room, but ends a connection of the greediest source after it', async () => {
    await start({ server: { maxConnections: 2 } });
    backend.script = () => undefined;
    const greedy = [await rig.connect(), await rig.connect()];
    for (const client of greedy) client.send(GET);
    await backend.untilRequests(2);
    assert.equal((await connectFrom('127.0.0.2', rig.port, GET)).slice(0, 12), 'HTTP/1.1 503');
    for (const connection of backend.connections) connection.write(OK);
    const closing = [];
    for (const client of greedy) closing.push(header(await client.answer(), 'connection'));
    assert.deepEqual(closing.sort(), ['close', 'keep-alive']);
  });

  it('gives up a body that comes too slowly for too long, not one that is slow for a while', async () => {
    await start({ server: { minBodyBytesPerSec: 10, bodyIdleTimeoutMs: 10_000 } });
    const head = 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 100000\r\n\r\n';
    const drip = async (client: Awaited<ReturnType<Rig['connect']>>, bytes: number): Promise<void> => {
      const before = rig.serverStat('received_bytes');
      client.send('x'.repeat(bytes));
      await until(() => rig.serverStat('received_bytes') === before + bytes, 'the bytes');
      rig.clock.advance(2000);
    };
    const uneven = (await rig.connect()).send(head);
    await until(() => rig.serverStat('received_bytes') === head.length, 'the head');
    for (let i = 0; i < 20; i++) await drip(uneven, i % 5 === 4 ? 100 : 1);
    assert.equal(uneven.text, '');
    await uneven.close();
    await until(() => rig.server.connections === 0, 'the end of the first');
    const slow = await rig.connect();
    const before = rig.serverStat('received_bytes');
    slow.send(head);
    await until(() => rig.serverStat('received_bytes') === before + head.length, 'the head');
    for (let i = 0; i < 6; i++) await drip(slow, 10);
    assert.equal((await slow.answer()).status, 408);
    assert.equal(rig.serverStat('limits/body_rate'), 1);
  });

  it('lets a body take its time while the endpoint is answering it', async () => {
    await start({ server: { minBodyBytesPerSec: 10, bodyIdleTimeoutMs: 10_000 } });
    backend.onBytes = (connection) => {
      if (connection.text.includes('POST')) connection.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
      connection.text = '';
    };
    const client = (await rig.connect()).send(
      'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 100000\r\n\r\n',
    );
    await client.untilText('200 OK');
    for (let i = 0; i < 10; i++) {
      const before = rig.serverStat('received_bytes');
      client.send('x');
      await until(() => rig.serverStat('received_bytes') > before, 'the byte');
      rig.clock.advance(2000);
    }
    assert.equal(rig.serverStat('limits/body_rate'), 0);
    assert.equal(client.closed, false);
  });

  it('holds no more bodies in memory than it may, one or all together', async () => {
    await start({
      server: { maxBufferedBytes: 8000 },
      router: { streamAfterBytes: Number.POSITIVE_INFINITY },
    });
    const post = (length: number): string =>
      `POST / HTTP/1.1\r\nHost: web\r\nContent-Length: ${length}\r\n\r\n`;
    const one = (await rig.connect()).send(post(1001) + 'x'.repeat(1001));
    assert.equal((await one.answer()).status, 413);
    await until(() => rig.serverStat('buffered_bytes') === 0, 'the memory of the first');
    const many = [];
    for (let i = 1; i <= 8; i++) {
      many.push((await rig.connect()).send(post(1000) + 'x'.repeat(999)));
      await until(() => rig.serverStat('buffered_bytes') === i * 999, 'the body');
    }
    const last = (await rig.connect()).send(post(1000) + 'x'.repeat(999));
    const refused = await last.answer();
    assert.equal(refused.status, 503);
    assert.equal(header(refused, 'retry-after'), '1');
    for (const client of many) assert.equal((await client.send('x').answer()).status, 200);
    assert.equal(rig.serverStat('buffered_bytes'), 0);
    assert.equal(rig.serverStat('limits/buffered'), 2);
  });

  it('counts which limit has ended a connection or refused a request', async () => {
    await start({ server: { idleTimeMs: 5000, headTimeoutMs: 1000, bodyIdleTimeoutMs: 1000 } });
    const idle = await rig.connect();
    await idle.send(GET).answer();
    rig.clock.advance(5100);
    await idle.untilEnded();
    const silent = await rig.connect();
    await until(() => rig.server.connections === 1, 'a connection');
    rig.clock.advance(1100);
    await silent.untilEnded();
    const long = (await rig.connect()).send(`GET /${'x'.repeat(5000)} HTTP/1.1\r\nHost: web\r\n\r\n`);
    assert.equal((await long.answer()).status, 414);
    const counted = ['idle_timeout', 'head_timeout', 'head_size'].map((each) =>
      rig.serverStat(`limits/${each}`),
    );
    assert.deepEqual(counted, [1, 1, 1]);
  });

  it('refuses the newest requests while the event loop is late', async () => {
    await start({ server: { maxLoopDelayMs: 100 } });
    const client = await rig.connect();
    rig.loop.delayMs = 101;
    const shed = await client.send(GET).answer();
    assert.equal(shed.status, 503);
    assert.equal(header(shed, 'retry-after'), '0');
    assert.equal(rig.serverStat('limits/loop_delay'), 1);
    rig.loop.delayMs = 100;
    assert.equal((await client.send(GET).answer()).status, 200);
    await settled();
  });
});

describe('A caller that asks again as soon as it has been refused', () => {
  it('is read from at a rate by source address, so that others are served meanwhile', async () => {
    const backend = await ScriptedBackend.start(() => undefined);
    const rig = await Rig.over([backend], { server: { maxConcurrentRequests: 1 } });
    (await rig.connect()).send(GET);
    await backend.untilRequests(1);
    const greedy = await Promise.all(Array.from({ length: 25 }, () => rig.connect()));
    const answers = (): number => {
      const all = greedy.map(({ text }) => text.split('HTTP/1.1 503').length - 1);
      return all.reduce((sum, count) => sum + count, 0);
    };
    for (const client of greedy) client.send(GET);
    await until(() => answers() === 25, 'the first refusal of each, at once');
    for (const client of greedy) client.send(GET);
    await until(() => answers() === 35, 'ten of them');
    for (let before = 35; before < 50; before = answers()) {
      await settled();
      assert.equal(answers(), before);
      // Others have a rate of their own.
      assert.match(await connectFrom('127.0.0.2', rig.port, GET), /^HTTP.1\.1 503/);
      rig.clock.advance(10);
      await settled();
      assert.ok(answers() <= before + 10);
    }
    await rig.close();
    await backend.close();
  });
});

describe('Fair shares', () => {
  const clock = new HandClock();
  const stats = new RecordedStats();
  const make = (maxConcurrentRequests: number): Admission =>
    new Admission({
      spec: { ...serverSpec, maxConcurrentRequests },
      stats: stats.root,
      wheel: new TimerWheel(clock),
      descriptors: new Descriptors(10_000, 10_000),
      loop: { delayMs: 0 },
      threads: 1,
    });
  const side: CallerSide = { busy: true, kept: undefined, drain() {}, close() {} };

  /** Tells how many requests of each kind were admitted in a second of 1 ms steps, with 10 ms a request. */
  function second(greedyCount: number): { greedy: number; modest: number } {
    const admission = make(50);
    const ending: { readonly atMs: number; readonly source: Source }[] = [];
    const admitted = { greedy: 0, modest: 0 };
    const source = (address: string): Source => {
      const entered = admission.enter(address);
      assert.ok(entered !== undefined);
      new KeptCaller(side, entered, undefined, new LinkedList());
      return entered;
    };
    const greedy = Array.from({ length: greedyCount }, () => source('10.0.0.1'));
    const modest = Array.from({ length: 9 }, (_, i) => source(`10.0.1.${i}`));
    const ask = (from: Source): number => {
      if (admission.begin(from)) {
        ending.push({ atMs: clock.nowMs() + 10, source: from });
        return 1;
      }
      admission.ended(from);
      return 0;
    };
    for (let ms = 0; ms < 1000; ms++) {
      clock.advance(1);
      while ((ending[0]?.atMs ?? Number.POSITIVE_INFINITY) <= clock.nowMs())
        admission.ended(ending.shift()?.source);
      for (const from of greedy) admitted.greedy += ask(from);
      if (ms % 5 === 0) for (const from of modest) admitted.modest += ask(from);
    }
    return admitted;
  }

  it('leave nine modest sources at least 80 % of their requests beside one with 500 connections', () => {
    const alone = second(0);
    const together = second(500);
    assert.equal(alone.modest, 1800);
    assert.ok(together.modest >= 0.8 * alone.modest, `${together.modest} of ${alone.modest}`);
    assert.ok(together.greedy > 0);
  });

  it('keep free what modest sources have needed lately, even when they ask all at once', () => {
    const admission = make(20);
    const [greedy, ...modest] = Array.from({ length: 10 }, (_, i) => admission.enter(`10.0.0.${i}`));
    const ask = (source: Source | undefined): boolean => {
      const admitted = admission.begin(source);
      if (!admitted) admission.ended(source);
      return admitted;
    };
    const fill = (): number => Array.from({ length: 30 }, () => ask(greedy)).filter(Boolean).length;
    assert.equal(fill(), 20);
    assert.deepEqual(new Set(modest.map(ask)), new Set([false]), 'nobody had asked before');
    for (let i = 0; i < 20; i++) admission.ended(greedy);
    assert.equal(fill(), 11);
    assert.deepEqual(new Set(modest.map(ask)), new Set([true]));
    for (const source of modest) admission.ended(source);
    for (let i = 0; i < 11; i++) admission.ended(greedy);
    clock.advance(2000);
    assert.equal(fill(), 20, 'the others have asked for nothing for two seconds');
  });

  it('leave all of it to a source that is alone', () => {
    const admission = make(4);
    const source = admission.enter('10.0.0.1');
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => admission.begin(source)),
      [true, true, true, true, false],
    );
  });
});

/** What is answered to bytes that come from this address; the connection is closed then. */
function connectFrom(localAddress: string, port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port, localAddress });
    socket.write(bytes);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      resolve(chunk.toString('latin1'));
      socket.destroy();
    });
  });
}
