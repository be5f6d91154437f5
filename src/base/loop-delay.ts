/**
 * How late the event loop of this thread is: a timer looks how long after its time it is called. In an
 * overload that is the time that a request waits before anything is done for it.
 */
import type { Clock } from './clock.ts';
import { type Closable, nothingToClose } from './closable.ts';
import type { Stat } from './stats.ts';

const EVERY_MS = 50;

export class LoopDelay implements Closable {
  /** At the last look. */
  delayMs = 0;
  readonly #clock: Clock;
  readonly #stat: Stat;
  #next: Closable = nothingToClose;

  constructor(clock: Clock, stat: Stat) {
    this.#clock = clock;
    this.#stat = stat;
    this.#look(clock.nowMs());
  }

  close(): void {
    this.#next.close();
  }

  #look(nowMs: number): void {
    const dueMs = nowMs + EVERY_MS;
    this.#next = this.#clock.after(EVERY_MS, () => {
      const calledMs = this.#clock.nowMs();
      // A timer of the system may be a millisecond late without a reason.
      this.delayMs = Math.max(0, calledMs - dueMs - 1);
      this.#stat.observe(this.delayMs);
      this.#look(calledMs);
    });
  }
}
