/**
 * Whether a data thread still turns its loop: it counts up a number in shared memory, and the control thread
 * looks at it. When it has stopped, what it does is looked at: a thread that computes hangs when it has used
 * `HUNG_MS` of CPU time, one that sleeps when the control thread has had so many turns meanwhile. Time in
 * which it waits for a CPU does not count, so that a starved machine (or a process that was stopped) kills
 * nobody.
 */
import type { Clock } from '../base/clock.ts';
import { type Closable, nothingToClose } from '../base/closable.ts';
import { ownThreadId, type ThreadTime, threadTime } from './thread-time.ts';

const BEAT_MS = 50;
const LOOK_MS = 50;
/** Several times as long as a heap takes to grow to 330 MB (70 ms of CPU) or to be collected (12 ms). */
export const HUNG_MS = 400;

/** On the data thread, for as long as it lives. */
export function beat(pulse: Int32Array): void {
  Atomics.store(pulse, 1, ownThreadId());
  setInterval(() => Atomics.add(pulse, 0, 1), BEAT_MS).unref();
}

export class Heartbeat implements Closable {
  /** How often it has beaten, and the thread as the kernel names it. */
  readonly pulse = new Int32Array(new SharedArrayBuffer(8));
  readonly #clock: Clock;
  readonly #hung: () => void;
  readonly #excused: () => boolean;
  readonly #timeOf: (thread: number) => ThreadTime | undefined;
  #seen = 0;
  #stuckMs = 0;
  /** At the last look, once it has stopped. */
  #before: ThreadTime | undefined;
  #next: Closable = nothingToClose;

  /**
   * `hung` is called once, and not while the thread is `excused`. A thread that has not begun to beat is
   * starting.
   */
  constructor(clock: Clock, hung: () => void, excused: () => boolean, timeOf = threadTime) {
    this.#clock = clock;
    this.#hung = hung;
    this.#excused = excused;
    this.#timeOf = timeOf;
    this.#lookLater();
  }

  close(): void {
    this.#next.close();
  }

  #lookLater(): void {
    this.#next = this.#clock.after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const count = Atomics.load(this.pulse, 0);
    if (count !== this.#seen || count === 0 || this.#excused()) {
      this.#seen = count;
      this.#stuckMs = 0;
      this.#before = undefined;
    } else this.#stands();
    if (this.#stuckMs >= HUNG_MS) this.#hung();
    else this.#lookLater();
  }

  #stands(): void {
    const now = this.#timeOf(Atomics.load(this.pulse, 1));
    const before = this.#before;
    this.#before = now;
    if (now === undefined || now.state === 'S') this.#stuckMs += LOOK_MS;
    else if (before !== undefined) this.#stuckMs += now.cpuMs - before.cpuMs;
  }
}
