/** A clock that stands still until a test moves it. */
import type { Clock } from '../../src/base/clock.ts';
import type { Closable } from '../../src/base/closable.ts';

type Timer = { readonly dueMs: number; readonly callback: () => void };

export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  get timers(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Closable {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return { close: () => void this.#timers.delete(timer) };
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter((t) => t.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#nowMs = due.dueMs;
      this.#timers.delete(due);
      due.callback();
    }
    this.#nowMs = untilMs;
  }
}
