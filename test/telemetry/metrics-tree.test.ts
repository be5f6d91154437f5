import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StatMetric, ValueMetric } from '../../src/telemetry/metric.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { SlabStats } from '../../src/threads/stat-slab.ts';
import { HandClock } from '../support/hand-clock.ts';

function rig() {
  const clock = new HandClock();
  const tree = new MetricsTree(clock);
  const slabs: SlabStats[] = [];
  const thread = () => {
    const source = tree.addSource();
    const slab = new SlabStats((messages) => source.receive(messages));
    slabs.push(slab);
    return { slab, end: () => source.close() };
  };
  const metric = (...segments: string[]) => {
    for (const slab of slabs) slab.flush();
    return tree.find(segments)?.metric;
  };
  const value = (...segments: string[]) => (metric(...segments) as ValueMetric | undefined)?.value;
  const stat = (...segments: string[]) => metric(...segments) as StatMetric;
  return { clock, tree, thread, metric, value, stat };
}

describe('MetricsTree', () => {
  it('adds up counters and gauges over all threads and its own', () => {
    const { tree, thread, value } = rig();
    const [a, b] = [thread(), thread()];
    a.slab.counter('rt', 'http', 'requests').add(2);
    b.slab.counter('rt', 'http', 'requests').add(3);
    tree.scope.counter('rt', 'http', 'requests').add(4);
    a.slab.gauge('open').set(2);
    b.slab.gauge('open').set(5);
    assert.equal(value('rt', 'http', 'requests'), 9);
    assert.equal(value('open'), 7);
  });

  it('takes the largest of the gauges that tell what every thread sees as a whole', () => {
    const { thread, value } = rig();
    const names = [
      ['rt', 'http', 'originator'],
      ['rt', 'http', 'client', 'a', 'available'],
      ['rt', 'http', 'client', 'a', 'loadbalancer', 'size'],
      ['rt', 'http', 'client', 'a', 'loadbalancer', 'algorithm', 'p2c_least_loaded'],
    ];
    for (const sees of [1, 3, 2]) {
      const { slab } = thread();
      for (const name of names) slab.gauge(...name).set(sees);
    }
    for (const name of names) assert.equal(value(...name), 3, name.join('/'));
  });

  it('keeps what the counters of an ended thread counted, and forgets its gauges', () => {
    const { thread, value, stat } = rig();
    const first = thread();
    first.slab.counter('n').add(10);
    first.slab.gauge('open').set(3);
    first.slab.stat('ms').observe(8);
    assert.equal(value('n'), 10);
    first.end();
    assert.equal(value('n'), 10);
    assert.equal(value('open'), undefined);
    const second = thread();
    second.slab.counter('n').add(1);
    second.slab.stat('ms').observe(2);
    assert.equal(value('n'), 11);
    assert.deepEqual([stat('ms').count, stat('ms').sum], [2, 10]);
  });

  it('drops what only an ended thread had after ten minutes', () => {
    const { clock, tree, thread, value } = rig();
    const first = thread();
    first.slab.counter('svc', 'gone').add(1);
    first.slab.counter('svc', 'back').add(1);
    assert.equal(value('svc', 'gone'), 1);
    first.end();
    thread().slab.counter('svc', 'back').add(1);
    assert.equal(value('svc', 'back'), 2);
    clock.advance(599_000);
    assert.equal(value('svc', 'gone'), 1);
    clock.advance(120_000);
    assert.equal(value('svc', 'gone'), undefined);
    assert.equal(value('svc', 'back'), 2);
    assert.equal(tree.find(['svc'])?.children.size, 1);
  });

  it('keeps a name until every thread has pruned it, without its counter going down', () => {
    const { tree, thread, value } = rig();
    const [a, b] = [thread(), thread()];
    a.slab.counter('svc', 'web', 'n').add(5);
    b.slab.counter('svc', 'web', 'n').add(7);
    assert.equal(value('svc', 'web', 'n'), 12);
    a.slab.scope('svc', 'web').prune();
    assert.equal(value('svc', 'web', 'n'), 12);
    b.slab.scope('svc').prune();
    assert.equal(value('svc', 'web', 'n'), undefined);
    assert.equal(tree.root.children.size, 0);
  });

  it('shows the running window until the first has finished, then the last finished one', () => {
    const { clock, thread, stat } = rig();
    const { slab } = thread();
    const ms = slab.stat('ms');
    ms.observe(10);
    assert.equal(stat('ms').summary.count, 1);
    ms.observe(1000);
    assert.deepEqual([stat('ms').summary.count, stat('ms').summary.max], [2, 1000]);
    clock.advance(60_000);
    ms.observe(3);
    assert.deepEqual([stat('ms').summary.count, stat('ms').summary.max], [2, 1000]);
    clock.advance(60_000);
    const { count, sum, min, max, p50, avg } = stat('ms').summary;
    assert.deepEqual(
      { count, sum, min, max, p50, avg },
      { count: 1, sum: 3, min: 3, max: 3, p50: 3, avg: 3 },
    );
    clock.advance(60_000);
    assert.equal(stat('ms').summary.count, 0);
    assert.deepEqual([stat('ms').count, stat('ms').sum], [3, 1013]);
  });

  it('merges the buckets of all threads', () => {
    const { clock, thread, stat } = rig();
    const [a, b] = [thread(), thread()];
    for (let i = 1; i <= 50; i++) a.slab.stat('ms').observe(i);
    for (let i = 51; i <= 100; i++) b.slab.stat('ms').observe(i);
    stat('ms');
    clock.advance(60_000);
    const { count, min, max, p50, p90, p99, sum } = stat('ms').summary;
    assert.deepEqual({ count, min, max, sum }, { count: 100, min: 1, max: 100, sum: 5050 });
    assert.ok(Math.abs(p50 - 50) <= 1 && Math.abs(p90 - 90) <= 1 && Math.abs(p99 - 99) <= 2);
  });

  it('closes the windows of thousands of stats in turns', () => {
    const { clock, tree, thread, stat } = rig();
    const { slab } = thread();
    for (let i = 0; i < 3000; i++) slab.stat(`s${i}`).observe(i);
    assert.equal(stat('s2999').summary.count, 1);
    clock.advance(59_999);
    let turns = 0;
    const { after } = clock;
    clock.after = (delayMs, callback) => {
      turns++;
      return after.call(clock, delayMs, callback);
    };
    clock.advance(1);
    assert.ok(turns >= 3000 / 64, `${turns} turns`);
    slab.stat('s2999').observe(1);
    assert.equal(stat('s2999').summary.max, 2999);
    tree.close();
    assert.equal(clock.pending, 0);
  });

  it('computes gauges of the control thread when asked, until they are closed', () => {
    const { tree, value } = rig();
    let now = 1;
    const gauge = tree.computedGauge(['jvm', 'uptime'], () => now);
    assert.equal(value('jvm', 'uptime'), 1);
    now = 2;
    assert.equal(value('jvm', 'uptime'), 2);
    gauge.close();
    assert.equal(tree.root.children.size, 0);
  });

  it('refuses two threads that disagree on a type', () => {
    const { thread } = rig();
    const [a, b] = [thread(), thread()];
    a.slab.counter('x');
    a.slab.flush();
    b.slab.gauge('x');
    assert.throws(() => b.slab.flush(), /metric x is a counter and a gauge/);
  });
});
