/**
 * The time that a peer is given to take more of what it is being sent: whoever takes a little of it is slow,
 * whoever takes nothing is cut.
 */
import type { WheelTimer } from '../../src/base/timer-wheel.ts';
import type { Transport } from './transport.ts';

export class Taking {
  readonly #transport: Transport;
  readonly #timer: WheelTimer;
  readonly #idleMs: number;
  /** How much of it there was when last looked at. */
  #unsent = 0;

  constructor(transport: Transport, timer: WheelTimer, idleMs: number) {
    this.#transport = transport;
    this.#timer = timer;
    this.#idleMs = idleMs;
  }

  wait(): void {
    this.#unsent = this.#transport.backlog;
    this.#timer.arm(this.#idleMs);
  }

  /** The time is over: true when some of it has been taken meanwhile, and the time begins again. */
  goesOn(): boolean {
    if (this.#transport.backlog >= this.#unsent) return false;
    this.wait();
    return true;
  }
}
