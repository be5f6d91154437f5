/** Exchanges that wait for a name or an address set, oldest first, each for at most the same time. */
import type { Closable } from '../../src/base/closable.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';
import type { Exchange } from '../exchange.ts';

type Waiting = { readonly exchange: Exchange; readonly dueMs: number };

export class WaitList implements Closable {
  #waiting: Waiting[] = [];
  readonly #wheel: TimerWheel;
  readonly #timer: WheelTimer;
  readonly #timeoutMs: number;

  constructor(wheel: TimerWheel, timeoutMs: number, expired: (exchange: Exchange) => void) {
    this.#wheel = wheel;
    this.#timeoutMs = timeoutMs;
    this.#timer = wheel.timer(() => {
      const now = wheel.nowMs();
      const due = this.#waiting.filter((waiting) => waiting.dueMs <= now);
      this.#waiting = this.#waiting.filter((waiting) => waiting.dueMs > now);
      this.#arm();
      for (const { exchange } of due) expired(exchange);
    });
  }

  get size(): number {
    return this.#waiting.length;
  }

  add(exchange: Exchange): void {
    this.#waiting.push({ exchange, dueMs: this.#wheel.nowMs() + this.#timeoutMs });
    if (this.#waiting.length === 1) this.#arm();
  }

  /** False if it does not wait. */
  remove(exchange: Exchange): boolean {
    const at = this.#waiting.findIndex((waiting) => waiting.exchange === exchange);
    if (at === -1) return false;
    this.#waiting.splice(at, 1);
    if (this.#waiting.length === 0) this.#timer.disarm();
    return true;
  }

  /** Whoever has waited longest, and waits no longer. */
  shift(): Exchange | undefined {
    const first = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#timer.disarm();
    return first?.exchange;
  }

  /** All that wait, who wait no longer. */
  take(): Exchange[] {
    const taken = this.#waiting.map((waiting) => waiting.exchange);
    this.#waiting = [];
    this.#timer.disarm();
    return taken;
  }

  close(): void {
    this.#waiting = [];
    this.#timer.close();
  }

  #arm(): void {
    const first = this.#waiting[0];
    if (first !== undefined) this.#timer.armAt(first.dueMs);
  }
}
