import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { seededRng } from '../../src/base/rng.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { Statsd, statsdName } from '../../src/telemetry/statsd.ts';
import { HandClock } from '../support/hand-clock.ts';
import { until } from '../support/until.ts';

async function rig(t: TestContext, sampleRate: number) {
  const server = createSocket('udp4');
  const datagrams: string[] = [];
  server.on('message', (message) => datagrams.push(message.toString()));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = new HandClock();
  const metrics = new MetricsTree(clock);
  const spec = {
    kind: 'io.l5d.statsd',
    prefix: 'linkerd',
    hostname: '127.0.0.1',
    port: server.address().port,
    gaugeIntervalMs: 10_000,
    sampleRate,
  } as const;
  const statsd = new Statsd(spec, { metrics, clock, log: silentLog, rng: seededRng(3) });
  t.after(() => {
    statsd.close();
    metrics.close();
    server.close();
  });
  const lines = () => datagrams.flatMap((each) => each.split('\n'));
  /** Lets a second pass and waits for the line that is last in the tree. */
  const round = async (): Promise<readonly string[]> => {
    datagrams.length = 0;
    metrics.scope.counter('zzz').add(1 / sampleRate);
    clock.advance(1000);
    await until(() => lines().some((line) => line.startsWith('linkerd.zzz:')), 'a round of metrics');
    await until(() => clock.pending === 2, 'the next round');
    return lines().filter((line) => !line.includes('zzz') && !line.includes('statsd'));
  };
  return { metrics, datagrams, round, statsd, clock };
}

describe('StatsD', () => {
  it('is told what counters have grown by, once, and gauges every gaugeIntervalMs', async (t) => {
    const { metrics, round } = await rig(t, 1);
    const { scope } = metrics;
    const requests = scope.counter('rt', 'http', 'server', '0.0.0.0/4140', 'requests');
    scope.gauge('pending').set(3);
    requests.add(5);
    assert.deepEqual((await round()).toSorted(), [
      'linkerd.pending:3|g',
      'linkerd.rt.http.server.0_0_0_0.4140.requests:5|c|@1',
    ]);
    requests.add(2);
    assert.deepEqual(await round(), ['linkerd.rt.http.server.0_0_0_0.4140.requests:2|c|@1']);
    assert.deepEqual(await round(), []);
    for (let second = 4; second <= 10; second++) assert.deepEqual(await round(), []);
    assert.deepEqual(await round(), ['linkerd.pending:3|g']);
  });

  it('gets what stats observe as timers, while the summaries of the process stay as they are', async (t) => {
    const { metrics, round } = await rig(t, 1);
    const latency = metrics.scope.stat('ms');
    for (const value of [7, 7, 20]) latency.observe(value);
    assert.deepEqual(await round(), ['linkerd.ms:7|ms|@1', 'linkerd.ms:7|ms|@1', 'linkerd.ms:20|ms|@1']);
    latency.observe(9);
    assert.deepEqual(await round(), ['linkerd.ms:9|ms|@1']);
    const metric = metrics.find(['ms'])?.metric;
    assert.equal(metric?.type === 'stat' && metric.summary.count, 4);
  });

  it('gets a share of them, right on average', async (t) => {
    const { metrics, round } = await rig(t, 0.1);
    const requests = metrics.scope.counter('requests');
    let told = 0;
    for (let i = 0; i < 50; i++) {
      requests.add(25);
      for (const line of await round())
        told += Number(/^linkerd\.requests:(\d+)\|c\|@0\.1$/.exec(line)?.[1] ?? 0);
    }
    assert.ok(told > 100 && told < 150, `${told} of 125`);
  });

  it('gets datagrams that pass undivided, and no more than the queue holds', async (t) => {
    const { metrics, datagrams, clock } = await rig(t, 1);
    for (let i = 0; i < 10_050; i++) metrics.scope.counter('c', `name-${i}`).add(1);
    clock.advance(1000);
    const dropped = () => {
      const metric = metrics.find(['statsd', 'dropped'])?.metric;
      return metric?.type === 'counter' ? metric.value : 0;
    };
    await until(() => dropped() >= 50, 'dropped lines');
    for (const datagram of datagrams) assert.ok(datagram.length <= 1400);
  });

  it('names metrics as linkerd does', () => {
    assert.equal(statsdName('l5d', 'rt/a b/client/#/io.l5d.fs/web'), 'l5d.rt.a_b.client._.io_l5d_fs.web');
    assert.equal(statsdName('', 'a//b'), 'a.b');
  });
});
