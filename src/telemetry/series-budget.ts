/**
 * Bounds what a scraper has to keep: each label has at most so many values, and what is beyond them is added
 * up under the value `_other`. Who is shown by its own name stays so while it is there, and who is not does
 * not become so: a series never jumps. What was added up stays when those that it came from have gone, so
 * that counters only grow.
 */
import type { Metric } from './metric.ts';

export const OTHER = '_other';
/** After so many scrapes without it a value has gone; scrapes may overlap. */
const GONE_AFTER = 2;

type Values = { readonly shown: Map<string, number>; readonly folded: Map<string, number> };
type Total = { scrape: number; count: number; sum: number };

export class SeriesBudget {
  readonly #max: number;
  readonly #labels = new Map<string, Values>();
  readonly #totals = new Map<string, Total>();
  /** What of a metric has been added to a total. */
  readonly #added = new WeakMap<Metric, { count: number; sum: number }>();
  #scrape = 0;

  /** `max`: values a label. */
  constructor(max: number) {
    this.#max = max;
  }

  /** A scrape begins. */
  begin(): void {
    const oldest = this.#scrape++ - GONE_AFTER;
    for (const { shown, folded } of this.#labels.values()) {
      for (const values of [shown, folded]) {
        for (const [value, scrape] of values) if (scrape < oldest) values.delete(value);
      }
    }
    for (const [key, { scrape }] of this.#totals) if (scrape < oldest) this.#totals.delete(key);
  }

  /** The value to show: this one, or `_other`. */
  admit(label: string, value: string): string {
    let values = this.#labels.get(label);
    if (values === undefined) {
      values = { shown: new Map(), folded: new Map() };
      this.#labels.set(label, values);
    }
    const { shown, folded } = values;
    const room = shown.size < this.#max && !folded.has(value);
    const into = shown.has(value) || room ? shown : folded;
    into.set(value, this.#scrape);
    return into === shown ? value : OTHER;
  }

  /** By label, how many values are not shown by their own names. */
  *folded(): Generator<readonly [label: string, values: number], void, undefined> {
    for (const [label, { folded }] of this.#labels) yield [label, folded.size];
  }

  /** Adds what a counter or stat has grown by to the total of `key`. */
  add(key: string, metric: Metric): void {
    const [count, sum] = metric.type === 'stat' ? [metric.count, metric.sum] : [metric.value, 0];
    const before = this.#added.get(metric);
    const total = this.total(key);
    total.count += count - (before?.count ?? 0);
    total.sum += sum - (before?.sum ?? 0);
    this.#added.set(metric, { count, sum });
  }

  total(key: string): { count: number; sum: number } {
    let total = this.#totals.get(key);
    if (total === undefined) {
      total = { scrape: 0, count: 0, sum: 0 };
      this.#totals.set(key, total);
    }
    total.scrape = this.#scrape;
    return total;
  }
}
