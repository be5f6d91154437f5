/**
 * Connections that were made with the same certificates. When these are replaced the connections are let go
 * within a bounded time and without failing a request: over the first half of it one after the other is told
 * to carry nothing new, so that not all peers come back at once; at its end those that are left are cut.
 */
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';

/** `certDrainSecs`, when a `tls` section does not say. */
const DRAIN_SECS = 60;
const STEPS = 10;

/** `certDrainSecs` of a `tls` section. */
export function certDrainMs(tls: { readonly certDrainSecs?: number } | undefined): number {
  return (tls?.certDrainSecs ?? DRAIN_SECS) * 1000;
}

export type CohortDeps<T> = {
  readonly wheel: TimerWheel;
  /** Carries nothing new any more; closed by itself when nothing is in progress. */
  readonly retire: (member: T) => void;
  /** Ends it, with what it carries. */
  readonly cut: (member: T) => void;
};

export class Cohort<T> {
  readonly #deps: CohortDeps<T>;
  /** With whether each has been told to retire. */
  readonly #members = new Map<T, boolean>();
  #timer: WheelTimer | undefined;
  #endsMs = 0;
  #drainMs = 0;
  #stepsLeft = STEPS;

  constructor(deps: CohortDeps<T>) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#members.size;
  }

  add(member: T): void {
    this.#members.set(member, this.#timer !== undefined);
    if (this.#timer === undefined) return;
    // Its handshake began with the old certificates: what it was opened for is all that it may carry.
    this.#deps.retire(member);
    this.#arm();
  }

  delete(member: T): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#timer?.close();
  }

  /** `after` is the same connection. */
  replace(before: T, after: T): void {
    const retired = this.#members.get(before) ?? false;
    this.#members.delete(before);
    this.#members.set(after, retired);
    if (retired) this.#deps.retire(after);
  }

  /** All are gone `drainMs` from now, those that are added later (handshakes in progress) included. */
  retire(drainMs: number): void {
    if (this.#timer !== undefined) return;
    const { wheel } = this.#deps;
    this.#timer = wheel.timer(() => this.#step());
    this.#drainMs = drainMs;
    this.#endsMs = wheel.nowMs() + drainMs;
    if (this.#members.size > 0) this.#arm();
  }

  #arm(): void {
    // The steps are spread over the first half.
    const leftMs = this.#stepsLeft === 0 ? 0 : (this.#drainMs * (STEPS + this.#stepsLeft - 1)) / (2 * STEPS);
    this.#timer?.armAt(this.#endsMs - leftMs);
  }

  #step(): void {
    if (this.#stepsLeft === 0) {
      // As they are now: cutting one may end others.
      for (const member of [...this.#members.keys()]) if (this.#members.has(member)) this.#deps.cut(member);
      return;
    }
    const waiting = [...this.#members].filter(([, retired]) => !retired);
    const count = Math.ceil(waiting.length / this.#stepsLeft);
    this.#stepsLeft--;
    for (const [member] of waiting.slice(0, count)) {
      if (!this.#members.has(member)) continue;
      this.#members.set(member, true);
      this.#deps.retire(member);
    }
    if (this.#members.size > 0) this.#arm();
  }
}
