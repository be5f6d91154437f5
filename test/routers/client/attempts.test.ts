/** Endpoints, pools, requeues and retries, over real sockets. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { leaf } from '../../../dtab/names.ts';
import { header } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 2\r\n\r\nhi';

let backends: ScriptedBackend[];
let rig: Rig;
beforeEach(() => {
  backends = [];
});
afterEach(async () => {
  await rig.close();
  for (const backend of backends) await backend.close();
});
after(noSocketsLeft);

async function start(count: number, options: RigOptions = {}): Promise<ScriptedBackend[]> {
  for (let i = 0; i < count; i++) backends.push(await ScriptedBackend.start());
  rig = await Rig.over(backends, options);
  return backends;
}

/** A port that refuses connections. */
async function deadPort(): Promise<{ port: number }> {
  const backend = await ScriptedBackend.start();
  const { port } = backend;
  await backend.close();
  return { port };
}

const total = (): number => backends.reduce((sum, each) => sum + each.requests.length, 0);

describe('A connection that is refused', () => {
  it('leads to another endpoint, also for a POST: nothing was delivered', async () => {
    const [live] = await start(1);
    rig.addresses('web', [await deadPort(), live!]);
    const client = await rig.connect();
    for (let i = 0; i < 10; i++) {
      client.send(i % 2 === 0 ? GET : POST);
      assert.equal((await client.answer()).status, 200);
    }
    assert.equal(live?.requests.length, 10);
    assert.ok(rig.clientStat('retries/requeues') > 0);
  });

  it('is told to the source of the addresses, at most once a second', async () => {
    const [live] = await start(1);
    let told = 0;
    rig.tree('web', leaf({ ...rig.bound('web'), refresh: () => void told++ }));
    rig.addresses('web', [await deadPort(), live!]);
    const client = await rig.connect();
    const refused = (): number => rig.clientStat('failures/connect') + rig.clientStat('retries/requeues');
    for (const expected of [1, 2]) {
      const earlier = refused();
      while (refused() < earlier + 3) {
        client.send(GET);
        assert.equal((await client.answer()).status, 200);
        rig.addresses('web', [live!]);
        rig.addresses('web', [await deadPort(), live!]);
      }
      assert.equal(told, expected);
      rig.clock.advance(1000);
    }
  });

  it('leads to another endpoint for a streamed body too', async () => {
    const [live] = await start(1);
    rig.addresses('web', [await deadPort(), live!]);
    const body = 'x'.repeat(100_000);
    for (let i = 0; i < 5; i++) {
      const client = await rig.connect();
      client.send(`POST / HTTP/1.1\r\nHost: web\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      assert.equal((await client.answer()).status, 200);
    }
    assert.ok(live?.requests.every((each) => each.body === body));
  });

  it('by all endpoints leads to 502 with the addresses, not marked retryable', async () => {
    await start(0);
    const dead = [await deadPort(), await deadPort()];
    rig.addresses('web', dead);
    const client = await rig.connect();
    client.send(GET);
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.match(
      answer.body,
      /^Unable to establish connection to 127\.0\.0\.1:\d+\.\n\nservice name: \/svc\/web\nclient name: \/#\/test\/web\n/,
    );
    for (const { port } of dead)
      assert.match(answer.body, new RegExp(`addresses: .*127\\.0\\.0\\.1:${port}`));
    assert.equal(header(answer, 'l5d-retryable'), undefined);
    assert.equal(header(answer, 'via'), undefined);
    assert.equal(rig.clientStat('pending'), 0);
    await settled();
    assert.equal(rig.clientStat('pool_size'), 0);
  });

  it('for many at once makes no more connections than requests', async () => {
    await start(0, { client: { failureAccrual: { kind: 'none' } } });
    rig.addresses('web', [await deadPort()]);
    const clients = await Promise.all(Array.from({ length: 20 }, () => rig.connect()));
    for (const client of clients) client.send(GET);
    for (const client of clients) assert.equal((await client.answer()).status, 502);
    await until(() => rig.clientStat('pool_size') === 0, 'the end of all attempts');
    // Each request tries twice.
    assert.equal(rig.stats.samples('rt/http/client/#/test/web/failed_connect_latency_ms').length, 40);
  });

  it('that does not come about in time is given up', async () => {
    await start(0, { client: { connectTimeoutMs: 300 } });
    // 192.0.2.0/24 is for documentation: nobody answers there, or the system says at once that there is no way.
    rig.addr('web').set({ type: 'bound', addresses: [{ host: '192.0.2.1', port: 9 }], meta: {} });
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.clientStat('pending') === 1 || client.text !== '', 'the attempt');
    for (let turn = 0; turn < 5; turn++) {
      rig.clock.advance(350);
      await settled();
    }
    assert.equal((await client.answer()).status, 502);
  });
});

describe('Requests', () => {
  it('are spread over the endpoints by load', async () => {
    const all = await start(3);
    const waiting: (() => void)[] = [];
    for (const backend of all) {
      backend.script = ({ connection }) => {
        waiting.push(() => connection.write(OK));
        return undefined;
      };
    }
    const clients = await Promise.all(Array.from({ length: 30 }, () => rig.connect()));
    for (const client of clients) client.send(GET);
    await until(() => total() === 30, 'all requests');
    for (const backend of all)
      assert.ok(Math.abs(backend.requests.length - 10) <= 3, `${backend.requests.length}`);
    for (const answer of waiting) answer();
    for (const client of clients) assert.equal((await client.answer()).status, 200);
  });

  it('follow a change of the address set at once, and idle connections to those that left are closed', async () => {
    const [a, b] = await start(2);
    rig.addresses('web', [a!]);
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    assert.equal(a?.open, 1);
    rig.addresses('web', [b!]);
    await until(() => a!.open === 0, 'the close of the idle connection');
    client.send(GET);
    await client.answer();
    assert.equal(b?.requests.length, 1);
    assert.equal(rig.clientStat('loadbalancer/size'), 1);
    assert.equal(rig.clientStat('loadbalancer/removes') >= 1, true);
  });

  it('in flight to an endpoint that leaves are finished, and its connection then closed', async () => {
    const [a, b] = await start(2);
    rig.addresses('web', [a!]);
    a!.script = () => undefined;
    const client = await rig.connect();
    client.send(GET);
    await a!.untilRequests(1);
    rig.addresses('web', [b!]);
    a!.connections[0]!.write(OK);
    assert.equal((await client.answer()).body, 'ok');
    await until(() => a!.open === 0, 'the close');
  });

  it('reuse the connection that was used last, and keep the others as long as they are useful', async () => {
    const [backend] = await start(1);
    const client = await rig.connect();
    for (let i = 0; i < 5; i++) {
      client.send(GET);
      await client.answer();
    }
    assert.equal(backend?.connections.length, 1);
    assert.equal(rig.clientStat('pool_cached'), 1);
    assert.equal(rig.clientStat('connections'), 1);
  });

  it('after lifeTimeMs get a new connection', async () => {
    const [backend] = await start(1, { client: { clientSession: { lifeTimeMs: 1000 } } });
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    rig.clock.advance(1100);
    await until(() => backend?.open === 0, 'the close');
    backend!.script = () => undefined;
    client.send(GET);
    await backend!.untilRequests(2);
    rig.clock.advance(1100);
    backend!.connections[1]!.write(OK);
    assert.equal((await client.answer()).status, 200, 'a request in flight finishes first');
    await until(() => backend?.open === 0, 'the close');
  });
});

describe('A connection pool', () => {
  it('opens maxSize connections, lets maxWaiters wait in order, and refuses the rest at once', async () => {
    const [backend] = await start(1, {
      client: { hostConnectionPool: { minSize: 0, maxSize: 1, maxWaiters: 2 } },
    });
    backend!.script = () => undefined;
    const clients = [await rig.connect(), await rig.connect(), await rig.connect(), await rig.connect()];
    for (const [i, client] of clients.entries()) {
      client.send(`GET /${i} HTTP/1.1\r\nHost: web\r\n\r\n`);
      await until(() => rig.serviceStat('pending') === i + 1 || client.text !== '', 'the request');
      if (i === 0) await backend!.untilRequests(1);
    }
    const refused = await clients[3]!.answer();
    assert.equal(refused.status, 502);
    assert.match(refused.body, /has 1 connections, and 2 requests wait for one/);
    assert.equal(rig.clientStat('pool_waiters'), 2);
    assert.equal(rig.clientStat('pool_num_too_many_waiters'), 1);
    for (const i of [0, 1, 2]) {
      await backend!.untilRequests(i + 1);
      assert.equal(backend!.requests[i]?.target, `/${i}`);
      backend!.connections[0]!.write(OK);
      assert.equal((await clients[i]!.answer()).body, 'ok');
    }
    assert.equal(backend!.connections.length, 1);
  });

  it('forgets those who went away while they waited', async () => {
    const [backend] = await start(1, {
      client: { hostConnectionPool: { minSize: 0, maxSize: 1, maxWaiters: 5 } },
    });
    backend!.script = () => undefined;
    const first = await rig.connect();
    const second = await rig.connect();
    first.send(GET);
    await backend!.untilRequests(1);
    second.send('GET /gone HTTP/1.1\r\nHost: web\r\n\r\n');
    await until(() => rig.clientStat('pool_waiters') === 1, 'the second to wait');
    second.reset();
    await until(() => rig.clientStat('pool_waiters') === 0, 'the second to be forgotten');
    backend!.connections[0]!.write(OK);
    assert.equal((await first.answer()).status, 200);
    await settled();
    assert.equal(backend!.requests.length, 1);
  });

  it('gives a waiter a connection of his own when the one that was busy breaks', async () => {
    const [backend] = await start(1, {
      client: { hostConnectionPool: { minSize: 0, maxSize: 1, maxWaiters: 5 } },
    });
    backend!.script = ({ target }) => (target === '/2' ? OK : undefined);
    const first = await rig.connect();
    const second = await rig.connect();
    first.send(GET);
    await backend!.untilRequests(1);
    second.send('GET /2 HTTP/1.1\r\nHost: web\r\n\r\n');
    await until(() => rig.clientStat('pool_waiters') === 1, 'the second to wait');
    backend!.connections[0]!.reset();
    assert.equal((await first.answer()).status, 502);
    assert.equal((await second.answer()).status, 200);
  });
});

describe('A nack', () => {
  const NACK = 'HTTP/1.1 503 Busy\r\nfinagle-http-nack: true\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n';

  it('is sent to another endpoint, also for a POST', async () => {
    const [a, b] = await start(2);
    a!.script = () => NACK;
    const client = await rig.connect();
    for (let i = 0; i < 6; i++) {
      client.send(POST);
      assert.equal((await client.answer()).status, 200);
    }
    assert.equal(b!.requests.length, 6);
  });

  it('by everyone ends in 502 that is marked retryable, within the budget', async () => {
    const all = await start(1, {
      client: { requeueBudget: { ttlMs: 10000, minRetriesPerSec: 1, percentCanRetry: 0 } },
    });
    all[0]!.script = () => 'HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n';
    const client = await rig.connect();
    client.send(GET);
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.equal(header(answer, 'l5d-retryable'), 'true');
    assert.equal(total(), 3, 'ceil(0.2 * 10) requeues');
    assert.equal(rig.clientStat('retries/request_limit'), 1);
  });

  it('that must not be repeated ends in 502 at once', async () => {
    const [backend] = await start(1);
    backend!.script = () =>
      'HTTP/1.1 503 Busy\r\nfinagle-http-nonretryable-nack: true\r\nContent-Length: 0\r\n\r\n';
    const client = await rig.connect();
    client.send(GET);
    assert.equal((await client.answer()).status, 502);
    assert.equal(total(), 1);
  });

  it('of a streamed request is the answer', async () => {
    const [backend] = await start(1);
    backend!.script = () => NACK;
    const client = await rig.connect();
    client.send('POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n');
    assert.equal((await client.answer()).status, 503);
  });
});

describe('Retries of a service', () => {
  const kind = 'io.l5d.http.retryableRead5XX';
  const ERROR = 'HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops';

  it('repeat what its classifier calls retryable, and drop the failed response', async () => {
    const [backend] = await start(1, { service: { responseClassifier: { kind } } });
    backend!.script = () => (total() < 3 ? ERROR : OK);
    const client = await rig.connect();
    client.send(GET);
    const answer = await client.answer();
    assert.equal(answer.body, 'ok');
    assert.equal(total(), 3);
    assert.equal(rig.serviceStat('retries/total'), 2);
    assert.deepEqual(rig.stats.samples('rt/http/service/svc/web/retries/per_request'), [2]);
    assert.equal(rig.serviceStat('requests'), 1);
    assert.equal(rig.serviceStat('success'), 1);
    assert.equal(rig.clientStat('requests'), 3);
    assert.equal(rig.clientStat('failures'), 2);
  });

  it('do not repeat a POST', async () => {
    const [backend] = await start(1, { service: { responseClassifier: { kind } } });
    backend!.script = () => ERROR;
    const client = await rig.connect();
    client.send(POST);
    assert.equal((await client.answer()).body, 'oops');
    assert.equal(total(), 1);
  });

  it('end with the budget, and the last response is the answer', async () => {
    const retryBudget = { ttlMs: 10000, minRetriesPerSec: 0.5, percentCanRetry: 0 };
    const [backend] = await start(1, { service: { responseClassifier: { kind }, retryBudget } });
    backend!.script = () => ERROR;
    const client = await rig.connect();
    client.send(GET);
    assert.equal((await client.answer()).body, 'oops');
    assert.equal(total(), 6);
    assert.equal(rig.serviceStat('retries/budget_exhausted'), 1);
  });

  it('wait as long as the backoff says, and are given up with the caller', async () => {
    const retryBackoff = { kind: 'constant', ms: 200 } as const;
    const [backend] = await start(1, { service: { responseClassifier: { kind }, retryBackoff } });
    backend!.script = () => (total() < 2 ? ERROR : OK);
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.serviceStat('retries/total') === 1, 'the first retry');
    await settled();
    assert.equal(total(), 1);
    rig.clock.advance(210);
    assert.equal((await client.answer()).status, 200);
    backend!.script = () => ERROR;
    client.send(GET);
    await until(() => rig.serviceStat('retries/total') === 2, 'another retry');
    client.reset();
    await until(() => rig.server.connections === 0, 'the close');
    rig.clock.advance(1000);
    await settled();
    assert.equal(total(), 3);
  });

  it('are not spent on a name that leads nowhere, nor on one that answers by itself', async () => {
    const retryBudget = { ttlMs: 60000, minRetriesPerSec: 10000, percentCanRetry: 1000 };
    await start(1, { service: { responseClassifier: { kind }, retryBudget } });
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: nowhere\r\n\r\n');
    assert.equal((await client.answer()).status, 502);
    rig.addresses('web', [], { status: 503 });
    client.send(GET);
    assert.equal((await client.answer()).status, 503);
    assert.equal(rig.serviceStat('retries/total'), 0);
    assert.equal(rig.serviceStat('retries/total', 'nowhere'), 0);
  });

  it('repeat after a connection that broke before the answer', async () => {
    const [backend] = await start(1, { service: { responseClassifier: { kind } } });
    backend!.script = ({ connection }) => {
      if (total() > 1) return OK;
      connection.reset();
      return undefined;
    };
    const client = await rig.connect();
    client.send(GET);
    assert.equal((await client.answer()).status, 200);
    assert.equal(total(), 2);
  });
});

describe('An authority in the address set', () => {
  it('replaces Host upstream, and is mapped back in Location', async () => {
    const [backend] = await start(1);
    rig.addresses('web', [backend!], { authority: 'real.example' });
    backend!.script = () =>
      'HTTP/1.1 302 Found\r\nLocation: http://real.example/x\r\nContent-Length: 0\r\n\r\n';
    const client = await rig.connect();
    client.send(GET);
    const answer = await client.answer();
    assert.equal(header(backend!.requests[0]!, 'host'), 'real.example');
    assert.equal(header(answer, 'location'), 'http://web/x');
  });
});
