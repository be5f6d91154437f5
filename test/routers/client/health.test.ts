/** Endpoints that fail, go, and come back, over real sockets: who gets requests meanwhile. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { AccrualSpec, LoadBalancerSpec } from '../../../config/spec.ts';
import { leaf } from '../../../dtab/names.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';
import { specs } from '../balance/nodes.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
const ERROR = 'HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops';

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

async function get(client: RawClient, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) {
    client.send(GET);
    statuses.push((await client.answer()).status);
  }
  return statuses;
}

const accrual: AccrualSpec = {
  kind: 'io.l5d.consecutiveFailures',
  failures: 3,
  backoff: { kind: 'constant', ms: 1000 },
};

describe('Failure accrual', () => {
  it('is on by default: after five failures in a row an endpoint gets nothing', async () => {
    const [bad, good] = await start(2);
    bad!.script = () => ERROR;
    const statuses = await get(await rig.connect(), 60);
    assert.equal(bad!.requests.length, 5);
    assert.equal(good!.requests.length, 55);
    assert.equal(statuses.filter((each) => each === 500).length, 5);
    assert.equal(rig.clientStat('failure_accrual/removals'), 1);
    assert.equal(rig.clientStat('loadbalancer/available'), 1);
    assert.equal(rig.clientStat('loadbalancer/busy'), 1);
    assert.equal(rig.clientStat('loadbalancer/size'), 2);
  });

  for (const [kind, loadBalancer] of Object.entries(specs) as [string, LoadBalancerSpec][]) {
    it(`tries a dead endpoint with one request, then uses it again: ${kind}`, async () => {
      const [bad] = await start(2, { client: { failureAccrual: accrual, loadBalancer } });
      bad!.script = () => ERROR;
      backends[1]!.script = () => ERROR;
      const client = await rig.connect();
      while (bad!.requests.length < 3) await get(client, 1);
      backends[1]!.script = () => OK;
      rig.clock.advance(3000);
      await get(client, 20);
      const before = bad!.requests.length;
      await get(client, 20);
      assert.equal(bad!.requests.length, before, 'dead again after its probe');
      bad!.script = () => OK;
      rig.clock.advance(3000);
      await get(client, 60);
      assert.ok(rig.clientStat('failure_accrual/revivals') >= 1);
      assert.ok(rig.clientStat('failure_accrual/probes') >= 2);
      assert.equal(rig.clientStat('loadbalancer/available'), 2);
    });
  }

  it('lets one request probe while others go elsewhere', async () => {
    const [bad, good] = await start(2, { client: { failureAccrual: accrual } });
    bad!.script = () => ERROR;
    const client = await rig.connect();
    await get(client, 30);
    assert.equal(bad!.requests.length, 3);
    bad!.script = () => undefined;
    rig.clock.advance(1100);
    const clients = await Promise.all(Array.from({ length: 10 }, () => rig.connect()));
    for (const each of clients) each.send(GET);
    await until(() => bad!.requests.length + good!.requests.length === 40, 'all requests');
    assert.equal(bad!.requests.length, 4);
    bad!.connections.find((each) => !each.closed)!.write(OK);
    for (const each of clients) assert.equal((await each.answer()).status, 200);
    assert.equal(rig.clientStat('failure_accrual/revivals'), 1);
  });

  it('counts what the classifier of the service calls a failure, and nothing else', async () => {
    const kind = 'io.l5d.http.allSuccessful';
    const [bad] = await start(1, {
      client: { failureAccrual: accrual },
      service: { responseClassifier: { kind } },
    });
    bad!.script = () => ERROR;
    await get(await rig.connect(), 10);
    assert.equal(rig.clientStat('failure_accrual/removals'), 0);
  });

  it('counts attempts that time out', async () => {
    const [hung, good] = await start(2, {
      client: { failureAccrual: accrual, requestAttemptTimeoutMs: 500 },
    });
    hung!.script = () => undefined;
    for (let i = 0; hung!.requests.length < 3 && i < 200; i++) {
      const client = await rig.connect();
      const before = hung!.requests.length;
      client.send(GET);
      await until(() => hung!.requests.length > before || client.text !== '', 'the request');
      if (client.text === '') rig.clock.advance(520);
      await client.answer();
    }
    assert.equal(rig.clientStat('failure_accrual/removals'), 1);
    const before = good!.requests.length;
    await get(await rig.connect(), 10);
    assert.equal(good!.requests.length, before + 10);
  });

  it('does not count callers that went away', async () => {
    const [backend] = await start(1, { client: { failureAccrual: accrual } });
    backend!.script = () => undefined;
    for (let i = 0; i < 5; i++) {
      const client = await rig.connect();
      client.send(GET);
      await backend!.untilRequests(i + 1);
      client.reset();
    }
    await until(() => rig.server.connections === 0, 'the end of all callers');
    assert.equal(rig.clientStat('failure_accrual/removals'), 0);
  });

  it('does not count idle connections that were closed just as they were used, but what follows', async () => {
    const kind = 'io.l5d.http.retryableRead5XX';
    const [backend] = await start(1, {
      client: { failureAccrual: { ...accrual, failures: 1 } as AccrualSpec },
      service: { responseClassifier: { kind } },
    });
    const client = await rig.connect();
    await get(client, 1);
    // Dies as soon as it sees a second request on a connection.
    backend!.script = ({ connection }) => {
      if (backend!.connections.indexOf(connection) > 0) return OK;
      connection.reset();
      return undefined;
    };
    assert.deepEqual(await get(client, 1), [200]);
    assert.equal(backend!.connections.length, 2);
    assert.equal(rig.clientStat('failure_accrual/removals'), 0);
    await backend!.close();
    client.send(GET);
    assert.equal((await client.answer()).status, 502);
    assert.equal(rig.clientStat('failure_accrual/removals'), 1);
  });

  it('still sends requests to somebody when everybody is dead', async () => {
    const all = await start(3, { client: { failureAccrual: accrual } });
    for (const each of all) each.script = () => ERROR;
    const client = await rig.connect();
    await get(client, 40);
    assert.equal(rig.clientStat('loadbalancer/available'), 0);
    assert.equal(rig.clientStat('available'), 0);
    for (const each of all) each.script = () => OK;
    assert.deepEqual(await get(client, 5), [200, 200, 200, 200, 200]);
  });

  it('forgets an endpoint that leaves while it is dead, or being tried', async () => {
    const [bad, good] = await start(2, { client: { failureAccrual: accrual } });
    bad!.script = () => ERROR;
    const client = await rig.connect();
    await get(client, 30);
    bad!.script = () => undefined;
    rig.clock.advance(1100);
    const probing = await rig.connect();
    for (let i = 0; bad!.requests.length < 4 && i < 50; i++) {
      probing.send(GET);
      await until(() => bad!.requests.length === 4 || probing.text !== '', 'the probe');
      if (probing.text !== '') await probing.answer();
    }
    rig.addresses('web', [good!]);
    bad!.connections.find((each) => !each.closed)!.write(OK);
    assert.equal((await probing.answer()).status, 200);
    assert.equal(rig.clientStat('loadbalancer/size'), 1);
    assert.equal(rig.clientStat('loadbalancer/available'), 1);
  });

  it('tries one that died again after half a restart, without losing a request', async () => {
    const [a, b] = await start(2, { client: { failureAccrual: accrual } });
    const client = await rig.connect();
    await get(client, 10);
    await a!.close();
    assert.ok((await get(client, 40)).every((status) => status === 200));
    assert.equal(rig.clientStat('loadbalancer/available'), 1);
    const again = await ScriptedBackend.start(() => OK, a!.port);
    backends.push(again);
    await b!.close();
    // The other is still taken for dead: it is tried all the same.
    assert.ok((await get(client, 20)).every((status) => status === 200));
  });
});

describe('failFast', () => {
  it('gives nothing to an endpoint that refused a connection, until one comes about', async () => {
    const [live, dead] = await start(2, { client: { failFast: true, failureAccrual: { kind: 'none' } } });
    const { port } = dead!;
    await dead!.close();
    const client = await rig.connect();
    assert.ok((await get(client, 30)).every((status) => status === 200));
    assert.equal(rig.clientStat('failfast/marked_dead'), 1);
    assert.equal(rig.clientStat('failfast/is_marked_dead'), 1);
    assert.equal(rig.stats.samples('rt/http/client/#/test/web/failed_connect_latency_ms').length, 1);
    rig.clock.advance(1100);
    const tries = (): number =>
      rig.stats.samples('rt/http/client/#/test/web/failed_connect_latency_ms').length;
    await until(() => tries() === 2, 'the first try');
    assert.equal(rig.clientStat('failfast/unhealthy_num_tries'), 1);
    const back = await ScriptedBackend.start(() => OK, port);
    backends.push(back);
    await until(() => {
      rig.clock.advance(20);
      return rig.clientStat('failfast/marked_available') === 1;
    }, 'the endpoint');
    assert.equal(rig.clientStat('failfast/is_marked_dead'), 0);
    const before = live!.requests.length;
    await get(client, 40);
    assert.ok(back.requests.length > 5 && live!.requests.length > before);
  });

  it('answers at once when all are marked down', async () => {
    await start(1, { client: { failFast: true, failureAccrual: { kind: 'none' } } });
    await backends[0]!.close();
    const client = await rig.connect();
    assert.deepEqual(await get(client, 5), [502, 502, 502, 502, 502]);
    client.send(GET);
    assert.match((await client.answer()).body, /is marked down.*code: marked-down/s);
    assert.equal(rig.stats.samples('rt/http/client/#/test/web/failed_connect_latency_ms').length, 1);
    assert.equal(rig.clientStat('retries/not_open'), 6);
  });
});

describe('enableProbation', () => {
  const loadBalancer: LoadBalancerSpec = { kind: 'roundRobin', maxEffort: 5, enableProbation: true };

  it('keeps an endpoint that left its set until it is not well', async () => {
    const [a, b] = await start(2, { client: { loadBalancer, failureAccrual: accrual } });
    const client = await rig.connect();
    await get(client, 2);
    rig.addresses('web', [b!]);
    await get(client, 18);
    assert.equal(a!.requests.length, 10);
    assert.equal(rig.clientStat('loadbalancer/size'), 2);
    a!.script = () => ERROR;
    await get(client, 20);
    const before = a!.requests.length;
    rig.addr('web').set({
      type: 'bound',
      addresses: [{ host: '127.0.0.1', port: b!.port, meta: { weight: 2 } }],
      meta: {},
    });
    assert.equal(rig.clientStat('loadbalancer/size'), 1);
    await get(client, 20);
    assert.equal(a!.requests.length, before);
  });
});

describe('An update of the address set', () => {
  it('keeps connections and health of those that stay, also when their weight changes', async () => {
    const [bad, good, other] = await start(3, { client: { failureAccrual: accrual } });
    bad!.script = () => ERROR;
    rig.addresses('web', [bad!, good!]);
    const client = await rig.connect();
    await get(client, 30);
    assert.equal(bad!.requests.length, 3);
    const addresses = [other!, bad!, good!].map(({ port }, i) => ({
      host: '127.0.0.1',
      port,
      meta: { weight: 1 + i },
    }));
    rig.addr('web').set({ type: 'bound', addresses, meta: {} });
    await get(client, 30);
    assert.equal(bad!.requests.length, 3, 'it is still taken for dead');
    assert.equal(good!.connections.length, 1);
    assert.ok(other!.requests.length > 0);
    assert.equal(rig.clientStat('loadbalancer/num_weight_classes'), 3);
  });

  it('of 10,000 keeps the connections of those that stay, and closes the others', async () => {
    const backend = await ScriptedBackend.start(undefined, 0, '0.0.0.0');
    backends.push(backend);
    rig = await Rig.start({ client: { hostConnectionPool: { minSize: 1, maxSize: 9, maxWaiters: 9 } } });
    const host = (i: number): string => `127.1.${i >> 8}.${i & 255}`;
    const update = (from: number): void =>
      rig.addr('web').set({
        type: 'bound',
        addresses: Array.from({ length: 10_000 }, (_, i) => ({ host: host(from + i), port: backend.port })),
        meta: {},
      });
    update(0);
    rig.tree('web', leaf(rig.bound('web')));
    const client = await rig.connect();
    await get(client, 200);
    const before = [...backend.connections];
    assert.ok(before.length > 150, `${before.length} connections`);
    const stays = new Set(Array.from({ length: 5000 }, (_, i) => host(5000 + i)));
    const staying = before.filter(({ socket }) => stays.has(socket.localAddress ?? ''));
    update(5000);
    await until(
      () => backend.open === staying.length,
      () => `${backend.open} are open, of ${staying.length}`,
    );
    assert.ok(staying.every(({ closed }) => !closed));
    assert.deepEqual(
      [rig.clientStat('loadbalancer/adds'), rig.clientStat('loadbalancer/removes')],
      [15_000, 5000],
    );
    await get(client, 200);
    assert.ok(
      backend.requests
        .slice(200)
        .every(({ connection }) => !before.includes(connection) || staying.includes(connection)),
    );
  });

  it('moves those who wait for a connection to others when their endpoint leaves', async () => {
    const [a, b] = await start(2, {
      client: { hostConnectionPool: { minSize: 0, maxSize: 1, maxWaiters: 10 } },
    });
    rig.addresses('web', [a!]);
    a!.script = () => undefined;
    const [first, second] = [await rig.connect(), await rig.connect()];
    first.send(GET);
    await a!.untilRequests(1);
    second.send(GET);
    await until(() => rig.clientStat('pool_waiters') === 1, 'the second to wait');
    rig.addresses('web', [b!]);
    assert.equal((await second.answer()).status, 200);
    a!.connections[0]!.write(OK);
    assert.equal((await first.answer()).status, 200);
    await settled();
    assert.equal(b!.requests.length, 1);
  });
});
