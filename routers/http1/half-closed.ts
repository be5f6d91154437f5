/**
 * A caller that has ended its direction and waits for its answer (RFC 9112 9.6), or that has gone: both look
 * alike until something is sent. So it is sent an informational response, which one that waits must not mind
 * (RFC 9110 15.2) and to which the system of one that has gone answers with a reset.
 */
import type { WheelTimer } from '../../src/base/timer-wheel.ts';
import type { Transport } from './transport.ts';

export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
/** From the end of its direction to the first question; each later pause is twice as long. */
const FIRST_PAUSE_MS = 500;
const REPLY_MS = 100;

export class HalfClosed {
  readonly #transport: Transport;
  readonly #timer: WheelTimer;
  #pauseMs = FIRST_PAUSE_MS;
  #asked = false;

  /** Asks each time that `goOn` is called, which the owner of the timer does when it fires. */
  constructor(transport: Transport, timer: WheelTimer) {
    this.#transport = transport;
    this.#timer = timer;
  }

  wait(): void {
    this.#timer.arm(this.#asked ? REPLY_MS : this.#pauseMs);
  }

  goOn(): void {
    // Nothing is read any more: a reset is noticed by a write, even by an empty one unless TLS is between.
    this.#transport.write(this.#asked && !this.#transport.isTls ? '' : CONTINUE);
    if (this.#asked) this.#pauseMs *= 2;
    this.#asked = !this.#asked;
    this.wait();
  }
}
