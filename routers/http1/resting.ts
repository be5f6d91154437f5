/**
 * Connections on which a request has just been refused, of sources that are refused very often. They are not
 * read from for a while: a caller that asks again at once, on all of its connections, would otherwise take
 * the time of those whose requests are worked on. A refusal itself is never late.
 */
import type { Closable } from '../../src/base/closable.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';
import type { Source } from './caller-side.ts';
import type { Transport } from './transport.ts';

const TICK_MS = 10;
/** Refusals of one source in a tick: 1000 a second. */
const REFUSALS_MAX = 10;

/** `free`: refusals of this tick that are still without consequences. */
type Refused = { free: number; readonly waiting: Transport[] };

export class Resting implements Closable {
  readonly #sources = new Map<Source, Refused>();
  readonly #timer: WheelTimer;

  constructor(wheel: TimerWheel) {
    this.#timer = wheel.timer(() => this.#tick());
  }

  /** A request on this connection has been refused. */
  refused(source: Source, transport: Transport): void {
    let refused = this.#sources.get(source);
    if (refused === undefined) {
      refused = { free: REFUSALS_MAX, waiting: [] };
      if (this.#sources.size === 0) this.#timer.arm(TICK_MS);
      this.#sources.set(source, refused);
    }
    if (refused.free > 0) refused.free--;
    else if (!transport.resting) {
      transport.rest();
      refused.waiting.push(transport);
    }
  }

  close(): void {
    this.#timer.close();
    this.#sources.clear();
  }

  #tick(): void {
    for (const [source, refused] of this.#sources) {
      const next = refused.waiting.splice(0, REFUSALS_MAX);
      if (next.length === 0) this.#sources.delete(source);
      refused.free = REFUSALS_MAX - next.length;
      for (const transport of next) transport.goOn();
    }
    if (this.#sources.size > 0) this.#timer.arm(TICK_MS);
  }
}
