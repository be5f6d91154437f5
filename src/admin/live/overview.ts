/**
 * The live overview: while anybody looks, one sample a second, made once for all who look. Whoever comes gets
 * all rows, then those that changed.
 */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { type Closable, nothingToClose } from '../../base/closable.ts';
import type { MetricsTree } from '../../telemetry/metrics-tree.ts';
import { type EventStream, event } from './event-stream.ts';
import { OverviewRows } from './overview-rows.ts';

const SAMPLE_MS = 1000;
/** What is handed to sockets before the loop runs again. */
const CHARS_A_TURN = 256 * 1024;

export type OverviewDeps = {
  readonly clock: Clock;
  readonly metrics: MetricsTree;
  /** Shown with every sample: version, uptime and the like. */
  readonly info: () => unknown;
};

export class Overview {
  readonly #deps: OverviewDeps;
  readonly #streams = new Set<EventStream>();
  /** Those who have not yet got, or have missed, what deltas are relative to. */
  readonly #needAll = new Set<EventStream>();
  #rows: OverviewRows;
  /** JSON of each row as it was told last. */
  #told = new Map<string, string>();
  /** The event that tells all of it, once made. */
  #full: string | undefined;
  #timer: Closable = nothingToClose;
  #running = false;
  /** There is something to tell to who comes. */
  #sampled = false;

  constructor(deps: OverviewDeps) {
    this.#deps = deps;
    this.#rows = new OverviewRows(deps.metrics);
  }

  join(stream: EventStream): undefined {
    this.#streams.add(stream);
    this.#needAll.add(stream);
    stream.closed = () => this.#left(stream);
    if (!this.#running) {
      this.#running = true;
      void this.#sample();
    } else if (this.#sampled) this.#tellAll(stream);
  }

  #left(stream: EventStream): void {
    this.#streams.delete(stream);
    this.#needAll.delete(stream);
    if (this.#streams.size > 0) return;
    this.#timer.close();
    this.#running = false;
    this.#sampled = false;
    this.#told = new Map();
    this.#full = undefined;
    this.#rows = new OverviewRows(this.#deps.metrics);
  }

  async #sample(): Promise<void> {
    const { clock } = this.#deps;
    const mine = this.#rows;
    const startMs = clock.nowMs();
    const rows = await mine.sample(startMs);
    // Everybody left, and somebody may have come again, while the sample was made.
    if (mine !== this.#rows || !this.#running) return;
    this.#sampled = true;
    const changed: string[] = [];
    const gone = [...this.#told.keys()].filter((key) => !rows.has(key));
    for (const key of gone) this.#told.delete(key);
    for (const [key, json] of rows) {
      if (this.#told.get(key) === json) continue;
      this.#told.set(key, json);
      changed.push(json);
    }
    this.#full = undefined;
    await this.#tell(this.#event(false, changed, gone));
    if (mine !== this.#rows || !this.#running) return;
    this.#timer = clock.after(Math.max(0, startMs + SAMPLE_MS - clock.nowMs()), () => void this.#sample());
  }

  async #tell(delta: string): Promise<void> {
    let chars = 0;
    for (const stream of [...this.#streams]) {
      if (!this.#streams.has(stream)) continue;
      if (this.#needAll.has(stream)) chars += this.#tellAll(stream);
      else {
        chars += delta.length;
        if (!stream.send(delta)) this.#needAll.add(stream);
      }
      if (chars < CHARS_A_TURN) continue;
      chars = 0;
      await setImmediate();
    }
  }

  /** How much that is. */
  #tellAll(stream: EventStream): number {
    this.#full ??= this.#event(true, [...this.#told.values()], []);
    if (stream.send(this.#full)) this.#needAll.delete(stream);
    return this.#full.length;
  }

  #event(full: boolean, rows: readonly string[], gone: readonly string[]): string {
    const info = JSON.stringify(this.#deps.info());
    return event(
      'overview',
      `{"full":${full},"info":${info},"rows":[${rows.join(',')}],"gone":${JSON.stringify(gone)}}`,
    );
  }
}
