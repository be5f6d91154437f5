import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { type SlabPart, SlabSource } from '../../src/telemetry/slab-source.ts';
import { type SlabMessage, SlabStats } from '../../src/threads/stat-slab.ts';
import { HandClock } from '../support/hand-clock.ts';

/** A slab whose messages arrive when `deliver` is called, and what the reader then knows. */
function rig() {
  const messages: SlabMessage[] = [];
  const slab = new SlabStats((batch) => messages.push(...batch));
  const values = new Map<string, SlabPart>();
  const source = new SlabSource({
    defined: (type, segments, part) => values.set(`${type} ${segments.join(' ')}`, part),
    removed(part) {
      for (const [name, known] of values) if (known === part) values.delete(name);
    },
  });
  const deliver = () => {
    slab.flush();
    source.receive(messages.splice(0));
  };
  return { slab, values, messages, deliver, value: (name: string) => values.get(name)?.value() };
}

describe('SlabStats', () => {
  it('shows every update to the reader without a message', () => {
    const { slab, deliver, messages, value } = rig();
    const requests = slab.scope('rt', 'http').counter('requests');
    const open = slab.gauge('connections');
    deliver();
    requests.add(2);
    requests.add(3);
    open.set(7);
    open.add(-1);
    slab.flush();
    assert.equal(messages.length, 0);
    assert.equal(value('counter rt http requests'), 5);
    assert.equal(value('gauge connections'), 6);
  });

  it('gives the same handle for the same segments, however they are reached', () => {
    const { slab } = rig();
    assert.equal(slab.scope('a').scope('b').counter('c'), slab.scope('a', 'b').counter('c'));
    assert.equal(slab.counter('a', 'b', 'c'), slab.scope('a').counter('b', 'c'));
    assert.notEqual(slab.counter('a/b'), slab.counter('a', 'b'));
  });

  it('refuses a metric of another type on the same node', () => {
    const { slab } = rig();
    slab.counter('a', 'b');
    slab.stat('c');
    assert.throws(() => slab.gauge('a', 'b'), /metric a\/b is a counter and cannot be a gauge too/);
    assert.throws(() => slab.stat('a', 'b'), /cannot be a stat/);
    assert.throws(() => slab.counter('c'), /c is a stat/);
  });

  it('tells all names of one turn of the loop in one message', async () => {
    const batches: number[] = [];
    const slab = new SlabStats((batch) => batches.push(batch.length));
    for (let i = 0; i < 40; i++) slab.counter(`c${i}`);
    await Promise.resolve();
    assert.deepEqual(batches, [41]);
  });

  it('grows by pages and keeps every counter apart', () => {
    const { slab, deliver, value } = rig();
    const counters = Array.from({ length: 20_000 }, (_, i) => slab.counter(`c${i}`));
    counters.forEach((counter, i) => {
      counter.add(i);
    });
    deliver();
    for (const i of [0, 1, 8190, 8191, 8192, 19_999]) assert.equal(value(`counter c${i}`), i);
    assert.equal(slab.bytes, 3 * 65_536);
  });

  it('removes a pruned subtree, and its handles and scopes write to nowhere', () => {
    const { slab, deliver, values, value } = rig();
    const scope = slab.scope('svc', 'web');
    const requests = scope.counter('requests');
    const latency = scope.stat('latency');
    latency.observe(5);
    slab.counter('other').add(1);
    scope.prune();
    deliver();
    assert.deepEqual([...values.keys()], ['counter other']);
    const again = slab.scope('svc', 'web').counter('requests');
    const fresh = slab.stat('fresh');
    for (let i = 0; i < 100; i++) {
      requests.add(1);
      latency.observe(i);
      scope.counter('late').add(1);
      scope.scope('deeper').stat('late').observe(1);
    }
    deliver();
    assert.equal(value('counter svc web requests'), 0);
    assert.equal(value('stat fresh'), 0);
    assert.deepEqual([...values.keys()].sort(), ['counter other', 'counter svc web requests', 'stat fresh']);
    again.add(1);
    fresh.observe(1);
    assert.equal(value('counter svc web requests'), 1);
  });

  it('uses a pruned slot again only after the reader has forgotten the old name', () => {
    const { slab, deliver, value } = rig();
    slab.counter('old').add(5);
    deliver();
    slab.scope('old').prune();
    slab.counter('new').add(100);
    assert.equal(value('counter old'), 5);
    deliver();
    assert.equal(value('counter old'), undefined);
    assert.equal(value('counter new'), 100);
  });

  it('holds no more memory for names that come and go', () => {
    const { slab, deliver } = rig();
    const live = () => {
      const scope = slab.scope('svc');
      for (let i = 0; i < 200; i++) {
        scope.counter(`c${i}`).add(1);
        const stat = scope.stat(`s${i}`);
        for (const value of [1, 100, 10_000, 1e6]) stat.observe(value);
      }
      deliver();
      slab.scope('svc').prune();
      deliver();
    };
    live();
    live();
    const { bytes } = slab;
    for (let i = 0; i < 50; i++) live();
    assert.equal(slab.bytes, bytes);
  });

  it('starts a slot that is used again from zero, buckets included', () => {
    const clock = new HandClock();
    const tree = new MetricsTree(clock);
    const stat = (name: string) => {
      const found = tree.find([name])?.metric;
      assert.ok(found?.type === 'stat');
      return found;
    };
    tree.scope.stat('a').observe(1000);
    assert.equal(stat('a').summary.max, 1000);
    tree.scope.scope('a').prune();
    tree.settle();
    tree.scope.stat('b').observe(5);
    assert.equal(stat('b').summary.count, 1);
    assert.equal(stat('b').summary.max, 5);
    tree.close();
  });

  it('counts odd values somewhere and harms nothing', () => {
    const { slab, deliver, value } = rig();
    const stat = slab.stat('s');
    const odd = [Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 40, 0.5, 2 ** 32, 2 ** 32 - 1];
    for (const each of odd) stat.observe(each);
    deliver();
    assert.equal(value('stat s'), odd.length);
  });

  it('is read across threads while a worker writes', async () => {
    const clock = new HandClock();
    const tree = new MetricsTree(clock);
    const source = tree.addSource();
    const slabUrl = new URL('../../src/threads/stat-slab.ts', import.meta.url).href;
    const worker = new Worker(
      `import { parentPort } from 'node:worker_threads';
       import { SlabStats } from ${JSON.stringify(slabUrl)};
       const slab = new SlabStats((messages) => parentPort.postMessage(messages));
       const counter = slab.counter('n');
       const stat = slab.stat('s');
       for (let i = 0; i < 10000; i++) { counter.add(1); stat.observe(i); }
       slab.flush();`,
      { eval: true, execArgv: ['--input-type=module'] },
    );
    worker.on('message', (messages: readonly SlabMessage[]) => source.receive(messages));
    await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    source.close();
    const counter = tree.find(['n'])?.metric;
    assert.ok(counter?.type === 'counter');
    assert.equal(counter.value, 10_000);
    const stat = tree.find(['s'])?.metric;
    assert.ok(stat?.type === 'stat');
    assert.equal(stat.count, 10_000);
    assert.equal(stat.sum, 49_995_000);
    tree.close();
  });
});
