/**
 * Whether an endpoint is given attempts, by how those before went. After the policy has fired it is dead for
 * a backoff; then exactly one attempt, the probe, is let through, and its outcome decides:
 *
 *     alive -> dead -> probeOpen -> probing -> alive | dead, for longer
 *
 * A timer is armed only while an endpoint is dead or being probed.
 */
import type { AccrualSpec, BackoffSpec } from '../../config/spec.ts';
import type { Rng } from '../../src/base/rng.ts';
import type { Counter, Scope } from '../../src/base/stats.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';
import { equalJitteredMs, nextBackoffMs } from '../retry/backoff.ts';
import type { AccrualPolicy } from './accrual-policy.ts';

/**
 * dead, probing: nothing more is given to it, unless there is no other. probeOpen: the next attempt is the
 * probe.
 */
export type AccrualState = 'alive' | 'dead' | 'probeOpen' | 'probing';

export const DEFAULT_ACCRUAL: AccrualSpec = Object.freeze({
  kind: 'io.l5d.consecutiveFailures',
  failures: 5,
});
const DEFAULT_START_MS = 5000;
const DEFAULT_MAX_MS = 300_000;
/** A probe that hangs is waited for at least so long before another is let through. */
const PROBE_MS_MIN = 1000;

export class AccrualStats {
  readonly removals: Counter;
  readonly revivals: Counter;
  readonly probes: Counter;
  readonly removedForMs: Counter;

  constructor(scope: Scope) {
    this.removals = scope.counter('removals');
    this.revivals = scope.counter('revivals');
    this.probes = scope.counter('probes');
    this.removedForMs = scope.counter('removed_for_ms');
  }
}

export type AccrualDeps = {
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly stats: AccrualStats;
  /** Undefined: equal-jittered, from 5 s up to 300 s. */
  readonly backoff: BackoffSpec | undefined;
};

export class FailureAccrual {
  readonly #policy: AccrualPolicy;
  readonly #deps: AccrualDeps;
  readonly #changed: () => void;
  #state: AccrualState = 'alive';
  #timer: WheelTimer | undefined;
  /** Of the backoffs since it was last alive: how many, and the last one. */
  #backoffs = 0;
  #backoffMs: number | undefined;
  /** When the running probe was begun. */
  #probeMs = 0;
  #closed = false;

  /** `changed` is called when the state is another. */
  constructor(policy: AccrualPolicy, deps: AccrualDeps, changed: () => void) {
    this.#policy = policy;
    this.#deps = deps;
    this.#changed = changed;
  }

  get state(): AccrualState {
    return this.#state;
  }

  /** The endpoint is given an attempt. True: it is the probe, and its outcome has to be told with that. */
  begin(nowMs: number): boolean {
    if (this.#state !== 'probeOpen') return false;
    this.#probeMs = nowMs;
    this.#deps.stats.probes.add(1);
    // A probe that hangs for as long as the endpoint was dead is followed by another.
    this.#arm(Math.max(this.#backoffMs ?? 0, PROBE_MS_MIN));
    this.#enter('probing');
    return true;
  }

  success(startedMs: number, nowMs: number): void {
    if (this.#state === 'alive') this.#policy.success(nowMs);
    // Whatever was begun later than the probe says as much as the probe.
    else if (this.#state === 'probing' && startedMs >= this.#probeMs) this.#revive(nowMs);
  }

  /**
   * `probe`: what `begin` answered. Failures of attempts that were given to a dead endpoint say nothing new.
   */
  failure(probe: boolean, nowMs: number): void {
    if (this.#state === 'alive') {
      if (!this.#policy.failure(nowMs)) return;
      this.#deps.stats.removals.add(1);
      this.#die();
    } else if (probe && this.#state === 'probing') {
      if (this.#policy.failure(nowMs)) this.#die();
      else this.#reopen();
    }
  }

  /** The attempt has ended without an outcome. */
  ignored(probe: boolean): void {
    if (probe && this.#state === 'probing') this.#reopen();
  }

  /** Nothing more comes of it. */
  close(): void {
    this.#closed = true;
    this.#timer?.close();
  }

  #die(): void {
    const { backoff, rng, stats } = this.#deps;
    this.#backoffs++;
    this.#backoffMs =
      backoff === undefined
        ? equalJitteredMs(this.#backoffs, DEFAULT_START_MS, DEFAULT_MAX_MS, rng)
        : nextBackoffMs(backoff, this.#backoffMs, rng);
    stats.removedForMs.add(Math.round(this.#backoffMs));
    this.#arm(this.#backoffMs);
    this.#enter('dead');
  }

  #revive(nowMs: number): void {
    this.#policy.revived(nowMs);
    this.#deps.stats.revivals.add(1);
    this.#timer?.close();
    this.#backoffs = 0;
    this.#backoffMs = undefined;
    this.#enter('alive');
  }

  #reopen(): void {
    this.#timer?.close();
    this.#enter('probeOpen');
  }

  #arm(delayMs: number): void {
    if (this.#closed) return;
    this.#timer ??= this.#deps.wheel.timer(() => this.#enter('probeOpen'));
    this.#timer.arm(delayMs);
  }

  #enter(state: AccrualState): void {
    this.#state = state;
    if (!this.#closed) this.#changed();
  }
}
