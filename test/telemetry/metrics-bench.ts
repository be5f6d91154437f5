/**
 * What metrics cost: `node test/telemetry/metrics-bench.ts`. CPU time, not wall time; the longest hold is the
 * longest that the loop was kept from its next turn while something was rendered or a window closed.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../../src/base/clock.ts';
import { influxLines } from '../../src/telemetry/influx.ts';
import { flatJson, prettyJson, treeJson } from '../../src/telemetry/json.ts';
import { StatMetric } from '../../src/telemetry/metric.ts';
import { type MetricNode, MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { prometheusText } from '../../src/telemetry/prometheus.ts';
import { SeriesBudget } from '../../src/telemetry/series-budget.ts';
import { inSlices, type Pieces } from '../../src/telemetry/slices.ts';
import { SlabStats } from '../../src/threads/stat-slab.ts';

const tree = new MetricsTree(systemClock);
const budget = new SeriesBudget(10_000);
const source = tree.addSource();
const slab = new SlabStats((messages) => source.receive(messages));
const values = Array.from({ length: 1024 }, (_, i) => Math.exp((i * 7919) % 6.2));

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const ROUND = 2e7;

/** The loops stand here themselves, because a callback would cost as much as an update. */
function updates(): void {
  const counters = Array.from({ length: 64 }, (_, i) => slab.counter('bench', `c${i}`));
  const stats = Array.from({ length: 64 }, (_, i) => slab.stat('bench', `s${i}`));
  const nanoseconds = (since: NodeJS.CpuUsage) => ((process.cpuUsage(since).user * 1000) / ROUND).toFixed(1);
  for (let round = 0; round < 4; round++) {
    let started = process.cpuUsage();
    for (let i = 0; i < ROUND; i++) counters[i & 63]!.add(1);
    const add = nanoseconds(started);
    started = process.cpuUsage();
    for (let i = 0; i < ROUND; i++) stats[i & 63]!.observe(values[i & 1023]!);
    console.log(`counter add ${add} ns, stat observe ${nanoseconds(started)} ns`);
  }
  slab.scope('bench').prune();
}

/** 10,000 metrics: 1,000 services with seven counters, a gauge and two stats each. */
function fill(): void {
  collect();
  const { heapUsed } = process.memoryUsage();
  const before = slab.bytes;
  for (let i = 0; i < 1000; i++) {
    const scope = slab.scope('rt', 'http', 'service', `svc/service-number-${i}`);
    for (const name of ['requests', 'success', 'failures', 'a', 'b', 'c', 'd']) scope.counter(name).add(i);
    scope.gauge('pending').set(3);
    for (const name of ['request_latency_ms', 'retries']) {
      const stat = scope.stat(name);
      for (let j = 0; j < 50; j++) stat.observe(values[(i + j) & 1023]!);
    }
  }
  slab.flush();
  collect();
  const heap = Math.round((process.memoryUsage().heapUsed - heapUsed) / 10_000);
  console.log(
    `per metric: ${Math.round((slab.bytes - before) / 10_000)} bytes shared, about ${Math.round(heap)} of heap`,
  );
}

async function render(name: string, make: () => Pieces): Promise<void> {
  for (let round = 0; round < 4; round++) {
    let [holdMs, last, bytes, going] = [0, performance.now(), 0, true];
    const turn = () => {
      const now = performance.now();
      holdMs = Math.max(holdMs, now - last);
      last = now;
      if (going) setImmediate(turn);
    };
    setImmediate(turn);
    const started = process.cpuUsage();
    for await (const chunk of inSlices(make())) bytes += chunk.length;
    const { user } = process.cpuUsage(started);
    going = false;
    console.log(
      `${name}: ${bytes} bytes, ${(user / 1000).toFixed(1)} ms, longest hold ${holdMs.toFixed(1)} ms`,
    );
  }
}

function closeWindows(node: MetricNode): number {
  let count = node.metric instanceof StatMetric ? 1 : 0;
  if (node.metric instanceof StatMetric) node.metric.closeWindow();
  for (const child of node.children.values()) count += closeWindows(child);
  return count;
}

updates();
fill();
await render('prometheus', () => prometheusText(tree.root, '', budget));
await render('flat json', () => flatJson(tree.root));
await render('pretty json', () => prettyJson(tree.root));
await render('tree json', () => treeJson(tree.root));
await render('influx', () => influxLines(tree.root, 'host'));
const started = performance.now();
const closed = closeWindows(tree.root);
console.log(`closing ${closed} windows: ${(performance.now() - started).toFixed(1)} ms in all`);
tree.close();
