/**
 * Metrics of the process and its runtime. prom-client's default ones (process_*, nodejs_*) are appended to
 * the Prometheus output; the few `jvm/*` gauges that linkerd's dashboards read stand in the tree. Times are
 * milliseconds.
 */
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { PerformanceObserver } from 'node:perf_hooks';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Clock } from '../base/clock.ts';
import { type Closable, closeAll } from '../base/closable.ts';
import { descriptorLimit } from '../descriptor-plan.ts';
import type { MetricsTree } from './metrics-tree.ts';

/** One for the process, made when first asked for: its observers of the runtime cannot be taken down. */
let registry: Registry | undefined;

function processRegistry(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}

export function processMetricNames(): readonly string[] {
  const names: string[] = [];
  for (const { name } of processRegistry().getMetricsAsArray()) {
    names.push(name, `${name}_bucket`, `${name}_count`, `${name}_sum`);
  }
  return names;
}

/** prom-client writes "Nan" where nothing has been measured yet, which the format does not know. */
export async function processMetricsText(): Promise<string> {
  return (await processRegistry().metrics()).replace(/ Nan$/gm, ' NaN');
}

/** Counting directory entries costs a system call an entry: not more often than this. */
const COUNT_EVERY_MS = 5000;

/**
 * How many entries a folder of /proc has; as of the last time somebody asked, where there is such a folder.
 */
class FolderCount {
  readonly #folder: string;
  readonly #clock: Clock;
  #entries = Number.NaN;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  read(): number {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#askedMs >= COUNT_EVERY_MS) {
      this.#askedMs = nowMs;
      this.refresh();
    }
    return this.#entries;
  }

  async refresh(): Promise<void> {
    try {
      this.#entries = (await readdir(this.#folder)).length;
    } catch {
      this.#entries = Number.NaN;
    }
  }
}

/** Adds the `jvm/*` gauges to the tree until closed. */
export async function watchProcess(tree: MetricsTree, clock: Clock): Promise<Closable> {
  const startMs = clock.nowMs();
  const startWallMs = clock.wallMs();
  let collectingMs = 0;
  const collections = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) collectingMs += entry.duration;
  });
  collections.observe({ entryTypes: ['gc'] });
  const descriptors = new FolderCount('/proc/self/fd', clock);
  const threads = new FolderCount('/proc/self/task', clock);
  await Promise.all([descriptors.refresh(), threads.refresh()]);
  const limit = descriptorLimit();
  const gauge = (segments: readonly string[], read: () => number) =>
    tree.computedGauge(['jvm', ...segments], read);
  const parts: Closable[] = [
    { close: () => collections.disconnect() },
    gauge(['uptime'], () => clock.nowMs() - startMs),
    gauge(['start_time'], () => startWallMs),
    gauge(['num_cpus'], () => availableParallelism()),
    gauge(['mem', 'current', 'used'], () => process.memoryUsage.rss()),
    gauge(['gc', 'msec'], () => collectingMs),
  ];
  if (!Number.isNaN(threads.read())) parts.push(gauge(['thread', 'count'], () => threads.read()));
  if (!Number.isNaN(descriptors.read())) parts.push(gauge(['fd_count'], () => descriptors.read()));
  parts.push(gauge(['fd_limit'], () => limit));
  return closeAll(parts);
}
