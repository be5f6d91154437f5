/**
 * Connections that were made with the same certificates. When these are replaced the connections are let go
 * within a bounded time and without failing a request: over the first half of it one after the other is told
 * to carry nothing new, so that not all peers come back at once; at its end those that are left are cut.
 */
import { type Link, LinkedList } from '../../src/base/linked-list.ts';
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

/** `retired`: it has been told. */
type Membership<T> = { member: T; retired: boolean };

/** A member's place in its cohort. */
export type CohortMember<T> = Link<Membership<T>>;

export class Cohort<T> {
  readonly #deps: CohortDeps<T>;
  readonly #members = new LinkedList<Membership<T>>();
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

  add(member: T): CohortMember<T> {
    const added = this.#members.add({ member, retired: this.#timer !== undefined });
    if (this.#timer === undefined) return added;
    // Its handshake began with the old certificates: what it was opened for is all that it may carry.
    this.#deps.retire(member);
    this.#arm();
    return added;
  }

  delete(member: CohortMember<T>): void {
    this.#members.remove(member);
    if (this.#members.size === 0) this.#timer?.close();
  }

  /** `after` is the same connection. */
  replace(before: CohortMember<T>, after: T): void {
    before.value.member = after;
    if (before.value.retired) this.#deps.retire(after);
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
      for (const { linked, value } of this.#members.links()) if (linked) this.#deps.cut(value.member);
      return;
    }
    const waiting = this.#members.links().filter(({ value }) => !value.retired);
    const count = Math.ceil(waiting.length / this.#stepsLeft);
    this.#stepsLeft--;
    for (const { linked, value } of waiting.slice(0, count)) {
      if (!linked) continue;
      value.retired = true;
      this.#deps.retire(value.member);
    }
    if (this.#members.size > 0) this.#arm();
  }
}
