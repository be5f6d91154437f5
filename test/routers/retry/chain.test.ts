/**
 * Retries through several routers, one behind the other, in front of an application that is dead: how many
 * attempts reach it in all, and what is never sent twice.
 */
import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import type { BackoffSpec, ServiceParams } from '../../../config/spec.ts';
import { header } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
const ERROR = 'HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops';
const ROUTERS = 3;
/** Retries that the budget allows without traffic. */
const RESERVE = 10;

const service: ServiceParams = {
  responseClassifier: { kind: 'io.l5d.http.retryableAll5XX' },
  retryBudget: { ttlMs: 10_000, minRetriesPerSec: RESERVE / 10, percentCanRetry: 0.2 },
};

let backend: ScriptedBackend;
/** The one that callers talk to comes first. */
let rigs: Rig[];
afterEach(async () => {
  for (const rig of rigs) await rig.close();
  await backend.close();
});
after(noSocketsLeft);

async function chain(script: () => string | undefined, options: RigOptions = { service }): Promise<void> {
  backend = await ScriptedBackend.start(script);
  rigs = [];
  let next: { readonly port: number } = backend;
  for (let i = 0; i < ROUTERS; i++) {
    const rig = await Rig.over([next as ScriptedBackend], options);
    rigs.unshift(rig);
    next = rig;
  }
}

const retries = (): number[] => rigs.map((rig) => rig.serviceStat('retries/total'));

describe('Three routers before a dead application', () => {
  it('try a request as often as one budget allows, not as often as three multiplied', async () => {
    await chain(() => ERROR);
    const client = await rigs[0]!.connect();
    client.send(GET);
    const answer = await client.answer();
    assert.equal(answer.status, 500);
    assert.equal(header(answer, 'l5d-retryable'), 'false');
    assert.equal(backend.requests.length, 1 + RESERVE);
    assert.deepEqual(retries(), [0, 0, RESERVE]);
  });

  it('try many requests a fifth more often, and the reserve', async () => {
    await chain(() => ERROR);
    const client = await rigs[0]!.connect();
    for (let i = 0; i < 100; i++) {
      client.send(GET);
      await client.answer();
    }
    assert.equal(backend.requests.length, 100 + RESERVE + 20);
  });

  it('are bounded by their budgets when the next router does not say that it has tried', async () => {
    // The last router does not retry, so that each of those before it finds out for itself.
    await chain(() => ERROR);
    const last = await Rig.over([backend], {});
    const middle = await Rig.over([last as unknown as ScriptedBackend], { service });
    const first = await Rig.over([middle as unknown as ScriptedBackend], { service });
    rigs.unshift(first, middle, last);
    const client = await first.connect();
    for (let i = 0; i < 100; i++) {
      client.send(GET);
      await client.answer();
    }
    // 20 % at most of what each of the two gets, and their reserves.
    assert.ok(backend.requests.length <= (100 * 1.2 + RESERVE) * 1.2 + RESERVE, `${backend.requests.length}`);
  });

  it('make few connections to one that refuses them', async () => {
    await chain(() => ERROR);
    await backend.close();
    const client = await rigs[0]!.connect();
    client.send(GET);
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.match(answer.body, /code: connect/);
    const tried = rigs[2]!.stats.samples('rt/http/client/#/test/web/failed_connect_latency_ms').length;
    assert.ok(tried <= 2 * (1 + RESERVE), `${tried}`);
    assert.deepEqual(retries(), [0, 0, RESERVE]);
  });

  it('never send a streamed request twice', async () => {
    await chain(() => ERROR);
    const client = await rigs[0]!.connect();
    client.send('PUT / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n');
    assert.equal((await client.answer()).status, 500);
    assert.equal(backend.requests.length, 1);
    assert.deepEqual(retries(), [0, 0, 0]);
  });

  it('tell each other the strictest deadline, and begin no attempt after it', async () => {
    await chain(() => undefined, { service: { ...service, totalTimeoutMs: 5000 } });
    const client = await rigs[0]!.connect();
    const nowNs = BigInt(rigs[0]!.clock.wallMs()) * 1_000_000n;
    const deadlineNs = nowNs + 2_000_000_000n;
    client.send(`GET / HTTP/1.1\r\nHost: web\r\nl5d-ctx-deadline: ${nowNs} ${deadlineNs}\r\n\r\n`);
    await backend.untilRequests(1);
    assert.equal(header(backend.requests[0]!, 'l5d-ctx-deadline'), `${nowNs} ${deadlineNs}`);
    // The answer comes when the caller's time is over: nobody tries again.
    for (const rig of rigs) rig.clock.advance(2100);
    backend.connections[0]!.write(ERROR);
    assert.equal((await client.answer()).status, 500);
    await settled();
    assert.equal(backend.requests.length, 1);
    assert.deepEqual(retries(), [0, 0, 0]);
  });
});

describe('A deadline of the caller', () => {
  const late = (rig: Rig, leftMs: number): string => {
    const nowNs = BigInt(rig.clock.wallMs()) * 1_000_000n;
    const deadline = `l5d-ctx-deadline: ${nowNs} ${nowNs + BigInt(leftMs) * 1_000_000n}`;
    return `GET / HTTP/1.1\r\nHost: web\r\n${deadline}\r\n\r\n`;
  };
  const begin = async (script: () => string | undefined, options: RigOptions = {}): Promise<Rig> => {
    backend = await ScriptedBackend.start(script);
    const rig = await Rig.over([backend], options);
    rigs = [rig];
    return rig;
  };

  it('that is over when the request arrives is answered 503, and nothing is sent', async () => {
    const rig = await begin(() => ERROR);
    const client = await rig.connect();
    client.send(late(rig, -1));
    const answer = await client.answer();
    assert.equal(answer.status, 503);
    assert.match(answer.body, /the deadline of the request.*code: deadline/s);
    assert.equal(header(answer, 'l5d-retryable'), undefined);
    assert.equal(backend.requests.length, 0);
    assert.equal(rig.serverStat('admission_control/deadline/exceeded'), 1);
    assert.equal(rig.serverStat('admission_control/deadline/rejected'), 1);
  });

  it('means nothing on a server that trusts no context', async () => {
    const rig = await begin(() => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', {
      server: { clearContext: true },
    });
    const client = await rig.connect();
    client.send(late(rig, -1));
    assert.equal((await client.answer()).status, 200);
  });

  it('ends the retries: a wait that would end after it is not begun', async () => {
    const retryBackoff: BackoffSpec = { kind: 'constant', ms: 400 };
    const rig = await begin(() => ERROR, { service: { ...service, retryBackoff } });
    const client = await rig.connect();
    client.send(late(rig, 1000));
    for (const count of [1, 2]) {
      await backend.untilRequests(count);
      await until(() => rig.serviceStat('retries/total') === count, 'a retry');
      rig.clock.advance(410);
    }
    assert.equal((await client.answer()).body, 'oops');
    assert.equal(backend.requests.length, 3);
    assert.equal(rig.serviceStat('retries/budget_exhausted'), 0);
  });

  it('that passes while the request waits for a connection is answered 503', async () => {
    const rig = await begin(() => undefined, {
      client: { hostConnectionPool: { minSize: 0, maxSize: 1, maxWaiters: 9 } },
    });
    const [first, second] = [await rig.connect(), await rig.connect()];
    first.send(GET);
    await backend.untilRequests(1);
    second.send(late(rig, 500));
    await until(() => rig.clientStat('pool_waiters') === 1, 'the second to wait');
    rig.clock.advance(600);
    backend.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    assert.equal((await first.answer()).status, 200);
    assert.equal((await second.answer()).status, 503);
    assert.equal(backend.requests.length, 1);
    // The connection that came too late is there for others.
    backend.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    first.send(GET);
    assert.equal((await first.answer()).status, 200);
    assert.equal(backend.connections.length, 1);
  });

  it('does not cut an attempt that has begun', async () => {
    const rig = await begin(() => undefined);
    const client = await rig.connect();
    client.send(late(rig, 500));
    await backend.untilRequests(1);
    rig.clock.advance(5000);
    backend.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    assert.equal((await client.answer()).status, 200);
  });
});
