/** A Scope whose values tests can read. Values of pruned names stay readable: they must balance too. */
import type { Counter, Gauge, Scope, Stat } from '../../src/base/stats.ts';

type Metric = { value: number; samples: number[] };

export class RecordedStats {
  readonly #metrics = new Map<string, Metric>();
  readonly #gauges = new Set<string>();

  readonly root: Scope = this.#scope([]);

  /** Of all metrics that have been made. */
  get names(): readonly string[] {
    return [...this.#metrics.keys()];
  }

  value(name: string): number {
    return this.#metrics.get(name)?.value ?? 0;
  }

  samples(name: string): readonly number[] {
    return this.#metrics.get(name)?.samples ?? [];
  }

  /** Frees the samples that have been kept so far. */
  forgetSamples(): void {
    for (const metric of this.#metrics.values()) metric.samples.length = 0;
  }

  /** Gauges that are not 0, except those that say what is configured. */
  unbalanced(): string[] {
    return [...this.#gauges]
      .filter((name) => /(?:pending|connections|pool_size|pool_cached|pool_waiters)$/.test(name))
      .filter((name) => this.value(name) !== 0)
      .map((name) => `${name} = ${this.value(name)}`);
  }

  #scope(segments: readonly string[]): Scope {
    const metric = (more: readonly string[]): Metric => {
      const name = [...segments, ...more].join('/');
      const found = this.#metrics.get(name);
      if (found !== undefined) return found;
      const made: Metric = { value: 0, samples: [] };
      this.#metrics.set(name, made);
      return made;
    };
    return {
      scope: (...more) => this.#scope([...segments, ...more]),
      counter: (...more): Counter => {
        const found = metric(more);
        return {
          add(n) {
            found.value += n;
          },
        };
      },
      gauge: (...more): Gauge => {
        const found = metric(more);
        this.#gauges.add([...segments, ...more].join('/'));
        return {
          set(value) {
            found.value = value;
          },
          add(delta) {
            found.value += delta;
          },
        };
      },
      stat: (...more): Stat => {
        const found = metric(more);
        return {
          observe(value) {
            found.samples.push(value);
          },
        };
      },
      prune() {},
    };
  }
}
