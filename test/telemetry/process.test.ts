import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ValueMetric } from '../../src/telemetry/metric.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { watchProcess } from '../../src/telemetry/process.ts';
import { HandClock } from '../support/hand-clock.ts';

describe('watchProcess', () => {
  it('keeps the gauges that dashboards read, and takes them away when closed', async () => {
    const clock = new HandClock();
    const tree = new MetricsTree(clock);
    const watch = await watchProcess(tree, clock);
    const value = (...segments: string[]) => (tree.find(['jvm', ...segments])!.metric as ValueMetric).value;
    clock.advance(1500);
    assert.equal(value('uptime'), 1500);
    assert.equal(value('start_time'), 1_600_000_001_000);
    assert.ok(value('num_cpus') >= 1);
    assert.ok(value('mem', 'current', 'used') > 1e6);
    assert.ok(value('gc', 'msec') >= 0);
    if (process.platform === 'linux') {
      assert.ok(value('thread', 'count') >= 2);
      assert.ok(value('fd_count') >= 3);
    }
    watch.close();
    assert.equal(tree.root.children.size, 0);
  });
});
