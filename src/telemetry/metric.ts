/**
 * One name of the merged tree: the parts that the threads hold, and what those that went away have left
 * behind, so that counters, and counts and sums of stats, only grow as long as the name lives.
 */
import type { MetricType } from '../threads/stat-slab.ts';
import { BucketSum, type Summary } from './histogram.ts';
import type { SlabPart } from './slab-source.ts';

/**
 * Counters are the sum over threads, and so are most gauges. A gauge of what every thread sees for itself as
 * a whole, such as the number of endpoints, is the largest.
 */
export class ValueMetric {
  readonly type: 'counter' | 'gauge';
  readonly parts: SlabPart[] = [];
  /** Computed when read, instead of parts. */
  readonly #read: (() => number) | undefined;
  readonly #largest: boolean;
  #retired = 0;

  constructor(type: 'counter' | 'gauge', largest: boolean, read?: () => number) {
    this.type = type;
    this.#largest = largest;
    this.#read = read;
  }

  get value(): number {
    if (this.#read !== undefined) return this.#read();
    if (this.#largest) return this.parts.reduce((most, part) => Math.max(most, part.value()), 0);
    let total = this.#retired;
    for (const part of this.parts) total += part.value();
    return total;
  }

  /** A gauge of a thread that has gone says nothing any more; what a counter has counted stays true. */
  retire(part: SlabPart): void {
    if (!take(this.parts, part)) return;
    if (this.type === 'counter') this.#retired += part.value();
  }
}

/** Shared by all stats, because the control thread adds up one at a time. */
const scratch = new BucketSum();

export class StatMetric {
  readonly type = 'stat';
  readonly parts: SlabPart[] = [];
  #retiredCount = 0;
  #retiredSum = 0;
  #last: Summary | undefined;

  /** Observations since the name exists. */
  get count(): number {
    let total = this.#retiredCount;
    for (const part of this.parts) total += part.value();
    return total;
  }

  get sum(): number {
    let total = this.#retiredSum;
    for (const part of this.parts) total += part.sum();
    return total;
  }

  /** The last finished window, or the running one when none has been finished yet. */
  get summary(): Summary {
    return this.#last ?? this.#window(false);
  }

  closeWindow(): void {
    this.#last = this.#window(true);
  }

  /**
   * Observations of a running window that another thread's end interrupts are left out of its percentiles.
   */
  retire(part: SlabPart): void {
    if (!take(this.parts, part)) return;
    this.#retiredCount += part.value();
    this.#retiredSum += part.sum();
  }

  #window(close: boolean): Summary {
    scratch.clear();
    for (const part of this.parts) part.addWindow(scratch, close);
    return scratch.summary();
  }
}

export type Metric = ValueMetric | StatMetric;

export function newMetric(type: MetricType, segments: readonly string[]): Metric {
  return type === 'stat'
    ? new StatMetric()
    : new ValueMetric(type, type === 'gauge' && isSeenByAll(segments));
}

const SEEN_BY_ALL = new Set([
  'originator',
  'available',
  'busy',
  'closed',
  'size',
  'num_weight_classes',
  'meanweight',
  'is_marked_dead',
]);

function isSeenByAll(segments: readonly string[]): boolean {
  return SEEN_BY_ALL.has(segments.at(-1) ?? '') || segments.at(-2) === 'algorithm';
}

function take(parts: SlabPart[], part: SlabPart): boolean {
  const at = parts.indexOf(part);
  if (at === -1) return false;
  parts.splice(at, 1);
  return true;
}
