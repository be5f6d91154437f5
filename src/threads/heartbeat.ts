/**
 * Whether a data thread still turns its loop: it counts up a number in shared memory four times a second, and
 * the control thread looks at it. A pause of the control thread itself (a stopped process, a starved machine)
 * proves nothing about the other, and starts the wait anew.
 */
import type { Clock } from '../base/clock.ts';
import { type Closable, nothingToClose } from '../base/closable.ts';

const BEAT_MS = 250;
const LOOK_MS = 500;
/** Longer than a collection of garbage or a short lack of CPU, shorter than anybody's patience. */
export const HUNG_MS = 3000;

/** On the data thread, for as long as it lives. */
export function beat(pulse: Int32Array): void {
  setInterval(() => Atomics.add(pulse, 0, 1), BEAT_MS).unref();
}

export class Heartbeat implements Closable {
  readonly pulse = new Int32Array(new SharedArrayBuffer(4));
  readonly #clock: Clock;
  readonly #hung: () => void;
  #seen = 0;
  #seenMs: number;
  #lookedMs: number;
  #next: Closable = nothingToClose;

  /** `hung` is called once. A thread that has not begun to beat is starting. */
  constructor(clock: Clock, hung: () => void) {
    this.#clock = clock;
    this.#hung = hung;
    this.#seenMs = clock.nowMs();
    this.#lookedMs = this.#seenMs;
    this.#lookLater();
  }

  close(): void {
    this.#next.close();
  }

  #lookLater(): void {
    this.#next = this.#clock.after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#clock.nowMs();
    const count = Atomics.load(this.pulse, 0);
    const late = nowMs - this.#lookedMs > 2 * LOOK_MS;
    this.#lookedMs = nowMs;
    if (late || count !== this.#seen || count === 0) this.#seenMs = nowMs;
    this.#seen = count;
    if (nowMs - this.#seenMs >= HUNG_MS) this.#hung();
    else this.#lookLater();
  }
}
