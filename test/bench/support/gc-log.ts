/**
 * Loaded with --import into every thread of a proxy under test: appends each pause of the garbage collector
 * to the file that TURNOUT_BENCH_GC_LOG names, as `thread startMs durationMs kind`, in ms since the epoch.
 */
import { appendFileSync } from 'node:fs';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { threadId } from 'node:worker_threads';

const file = process.env['TURNOUT_BENCH_GC_LOG'] ?? '';
const kinds = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak'],
]);

function kindOf(entry: object): string {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  const kind = typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined;
  return (typeof kind === 'number' ? kinds.get(kind) : undefined) ?? 'other';
}

const observer = new PerformanceObserver((list) => {
  const lines = list.getEntries().map((entry) => {
    const startMs = performance.timeOrigin + entry.startTime;
    return `${threadId} ${startMs.toFixed(3)} ${entry.duration.toFixed(3)} ${kindOf(entry)}\n`;
  });
  appendFileSync(file, lines.join(''));
});
observer.observe({ entryTypes: ['gc'] });
