/** A clock that stands still until a test moves it. Callbacks run in the order of their times. */
import type { Clock } from '../../src/base/clock.ts';
import type { Closable } from '../../src/base/closable.ts';

type Timer = { readonly dueMs: number; readonly callback: () => void };

export class HandClock implements Clock {
  #nowMs = 1000;
  readonly #timers = new Set<Timer>();

  /** Callbacks that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_600_000_000_000 + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Closable {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return { close: () => void this.#timers.delete(timer) };
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let due = this.#next(endMs); due !== undefined; due = this.#next(endMs)) {
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.dueMs);
      due.callback();
    }
    this.#nowMs = endMs;
  }

  /** As when nothing could run meanwhile: what was due is late. */
  jump(ms: number): void {
    this.#nowMs += ms;
    this.advance(0);
  }

  #next(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (first === undefined || timer.dueMs < first.dueMs)) first = timer;
    }
    return first;
  }
}
