/** `admission_control/deadline/…` of a server: how much time requests have left when they arrive. */
import type { Counter, Scope, Stat } from '../../src/base/stats.ts';

export class DeadlineStats {
  readonly #exceeded: Counter;
  readonly #expiredMs: Stat;
  readonly #remainingMs: Stat;
  readonly #transitMs: Stat;
  readonly rejected: Counter;

  constructor(server: Scope) {
    const scope = server.scope('admission_control', 'deadline');
    this.#exceeded = scope.counter('exceeded');
    this.#expiredMs = scope.stat('expired_ms');
    this.#remainingMs = scope.stat('remaining_ms');
    this.rejected = scope.counter('rejected');
    this.#transitMs = server.stat('transit_latency_ms');
  }

  /** `transitMs`: since the sender set the deadline, by its clock and ours. */
  arrived(remainingMs: number, transitMs: number): void {
    this.#transitMs.observe(transitMs);
    if (remainingMs > 0) this.#remainingMs.observe(remainingMs);
    else {
      this.#exceeded.add(1);
      this.#expiredMs.observe(-remainingMs);
    }
  }
}
