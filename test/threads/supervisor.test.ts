import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { after, describe, it } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import { failedActivity } from '../../src/base/activity.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/failure.ts';
import { type Log, silentLog } from '../../src/base/log.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import type { DataPlan } from '../../src/threads/data-plane.ts';
import { type DataHost, makeDataHost } from '../../src/threads/supervisor.ts';
import { HandClock } from '../support/hand-clock.ts';
import { until } from '../support/until.ts';

const bind = () => failedActivity(new Failure('naming', 'nothing is bound here'));

type Rig = {
  host: DataHost;
  metrics: MetricsTree;
  clock: HandClock;
  errors: string[];
  plan: { routers: unknown };
  /** Lines of what was told of requests. */
  stories: string[];
};

function rig(threads: number, port = 0): Rig {
  const loaded = loadConfig(`routers: [{protocol: http, servers: [{port: ${port}}]}]`, { source: 'test' });
  assert.ok('spec' in loaded);
  const [spec] = loaded.spec.routers;
  const routers = [{ spec, baseDtab: [], serverTls: [undefined], clientTls: [] }];
  // Every error that has a service names the admin server: a thread does not survive this one.
  const descriptors = { callers: 1000, endpoints: 1000 };
  const plan = { routers, threads, descriptors, admin: 1 };
  const metrics = new MetricsTree(systemClock);
  const errors: string[] = [];
  const stories: string[] = [];
  const log: Log = { ...silentLog, error: (message) => errors.push(message) };
  const clock = new HandClock();
  const host = makeDataHost({
    plan: plan as unknown as DataPlan,
    names: { bind, ingress: () => failedActivity(new Failure('naming', 'there is no table')) },
    metrics,
    stories: ({ lines }) => stories.push(...lines.toString().trimEnd().split('\n')),
    log,
    clock,
  });
  after(async () => {
    await host.close();
    metrics.close();
  });
  return { plan, metrics, clock, errors, host, stories };
}

async function started({ host }: Rig): Promise<number> {
  const ports = await host.start();
  if (ports instanceof Failure) assert.fail(ports.message);
  return ports[0]?.[0] ?? 0;
}

/** Without a Host a request is refused with 400 before it has a service. */
async function ask(port: number): Promise<number> {
  const request = get({ host: '127.0.0.1', port, setHost: false, agent: false });
  const [response] = await once(request, 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

/** Nothing is bound to its name. */
async function answer(port: number): Promise<void> {
  const request = get({ host: '127.0.0.1', port, agent: false });
  const [response] = await once(request, 'response');
  response.resume();
  await once(response, 'end');
}

async function kill(port: number): Promise<void> {
  const request = get({ host: '127.0.0.1', port, agent: false });
  await assert.rejects(once(request, 'response'));
}

async function untilServed(port: number): Promise<void> {
  for (;;) if ((await ask(port).catch(() => undefined)) === 400) return;
}

const value = ({ metrics }: Rig, ...name: string[]): number => {
  const metric = metrics.find(name)?.metric;
  return metric === undefined || metric.type === 'stat' ? 0 : metric.value;
};

const answered = (each: Rig) => value(each, 'rt', 'http', 'server', '127.0.0.1/0', 'status', '400');
const deaths = (each: Rig) => value(each, 'threads', 'deaths');

describe('The data threads', () => {
  it('are replaced when they die, and the metrics go on from where they were', async () => {
    const each = rig(1);
    const port = await started(each);
    assert.equal(await ask(port), 400);
    await kill(port);
    await until(() => each.clock.pending > 0, 'the death of the thread');
    assert.equal(deaths(each), 1);
    assert.match(each.errors.join('\n'), /died/);
    assert.equal(answered(each), 1);
    each.clock.advance(0);
    await untilServed(port);
    await until(() => answered(each) === 2, 'the count of both threads');
    assert.equal(each.clock.pending, 0);
  });

  it('tell of their requests, and so does the one that takes the place of another', async () => {
    const each = rig(1);
    const survivable = { ...each.plan, admin: 'http://admin' } as unknown as DataPlan;
    each.host.setInterests([{ bit: 0, rate: 1, sampling: 'request', where: [], headers: false }]);
    const port = await started(each);
    await each.host.apply(survivable);
    await answer(port);
    await until(() => each.stories.length === 1, 'the first story');
    await each.host.apply(each.plan as unknown as DataPlan);
    await kill(port);
    await until(() => each.clock.pending > 0, 'the death of the thread');
    each.clock.advance(0);
    await untilServed(port);
    await each.host.apply(survivable);
    await answer(port);
    await until(() => each.stories.length === 2, 'the story that the next thread tells');
    assert.ok(each.stories.every((line) => JSON.parse(line).failure === 'naming'));
  });

  it('leave the others at work when one dies', async () => {
    const each = rig(2);
    const port = await started(each);
    await kill(port);
    await until(() => deaths(each) === 1, 'the death of one thread');
    for (let i = 0; i < 10; i++) assert.equal(await ask(port), 400);
    await each.host.close();
    assert.equal(each.clock.pending, 0);
  });

  it('are started one for one when the start fails too, after pauses that grow', async () => {
    const each = rig(1);
    const port = await started(each);
    const { routers } = each.plan;
    each.plan.routers = [{ spec: { servers: [] } }];
    await kill(port);
    await until(() => each.clock.pending > 0, 'the first death');
    each.clock.advance(0);
    for (const [i, pauseMs] of [100, 200].entries()) {
      await until(() => each.clock.pending > 0 && deaths(each) === i + 2, `death ${i + 2}`);
      assert.equal(each.clock.pending, 1);
      each.clock.advance(pauseMs - 1);
      assert.equal(each.clock.pending, 1);
      each.clock.advance(1);
      assert.equal(each.clock.pending, 0);
    }
    await until(() => each.clock.pending > 0, 'another try');
    each.plan.routers = routers;
    each.clock.advance(400);
    await until(() => each.errors.filter((error) => /cannot start/.test(error)).length === 3, 'all reports');
    await untilServed(port);
  });

  it('do not come back once the end has begun', async () => {
    const each = rig(2);
    const port = await started(each);
    for (const nth of [1, 2]) {
      await kill(port);
      await until(() => deaths(each) === nth, `death ${nth}`);
    }
    assert.equal(each.clock.pending, 2);
    await each.host.close();
    assert.equal(each.clock.pending, 0);
  });

  it('say why they cannot start at all, and are not tried again', async () => {
    const each = rig(2);
    each.plan.routers = [{ ...(each.plan.routers as object[])[0], serverTls: null }];
    const failure = await each.host.start();
    assert.ok(failure instanceof Failure);
    assert.match(failure.message, /died while it started/);
    assert.equal(deaths(each), 0);
    assert.equal(each.clock.pending, 0);
  });

  it('do not share a port with a process that would let them', async () => {
    const other = createServer().listen({ host: '127.0.0.1', port: 0, reusePort: true });
    after(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const failure = await rig(2, port).host.start();
    assert.ok(failure instanceof Failure);
    assert.equal(failure.message, `cannot listen on 127.0.0.1:${port}: another process listens there`);
  });
});
