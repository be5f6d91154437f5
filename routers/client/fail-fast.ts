/**
 * `failFast`: an endpoint to which no connection could be made is marked dead at once. It is given nothing,
 * and what is given to it all the same fails without trying, until a connection of its own trying comes about
 * (and is closed again): after 1 s, then after a growing time of up to 32 s.
 */
import type { Rng } from '../../src/base/rng.ts';
import type { Counter, Gauge, Scope } from '../../src/base/stats.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';

const FIRST_MS = 1000;
const MAX_MS = 32_000;
/** After so many tries the wait is the longest one, without chance. */
const JITTERED_TRIES = 16;

export class FailFastStats {
  readonly unhealthyForMs: Gauge;
  readonly unhealthyTries: Gauge;
  readonly dead: Gauge;
  readonly markedDead: Counter;
  readonly markedAvailable: Counter;

  constructor(scope: Scope) {
    this.unhealthyForMs = scope.gauge('unhealthy_for_ms');
    this.unhealthyTries = scope.gauge('unhealthy_num_tries');
    this.dead = scope.gauge('is_marked_dead');
    this.markedDead = scope.counter('marked_dead');
    this.markedAvailable = scope.counter('marked_available');
  }
}

export type FailFastDeps = {
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly stats: FailFastStats;
};

export class FailFast {
  readonly #deps: FailFastDeps;
  readonly #reconnect: () => void;
  readonly #changed: () => void;
  #timer: WheelTimer | undefined;
  #dead = false;
  #deadMs = 0;
  #tries = 0;
  #closed = false;

  /** `reconnect` tries a connection, and tells how it went; `changed` is called when `dead` is another. */
  constructor(deps: FailFastDeps, reconnect: () => void, changed: () => void) {
    this.#deps = deps;
    this.#reconnect = reconnect;
    this.#changed = changed;
  }

  get dead(): boolean {
    return this.#dead;
  }

  connected(): void {
    if (!this.#dead || this.#closed) return;
    this.#leave();
    this.#deps.stats.markedAvailable.add(1);
    this.#changed();
  }

  /** A connection of the pool did not come about; `trial`: the one that `reconnect` began. */
  failed(trial: boolean): void {
    if (this.#closed || (this.#dead && !trial)) return;
    const { wheel, stats } = this.#deps;
    if (this.#dead) {
      this.#tries++;
      stats.unhealthyTries.add(1);
      stats.unhealthyForMs.set(wheel.nowMs() - this.#deadMs);
      this.#arm();
      return;
    }
    this.#dead = true;
    this.#deadMs = wheel.nowMs();
    stats.markedDead.add(1);
    stats.dead.add(1);
    this.#arm();
    this.#changed();
  }

  close(): void {
    if (this.#dead) this.#leave();
    this.#closed = true;
    this.#timer?.close();
  }

  #leave(): void {
    const { stats } = this.#deps;
    this.#dead = false;
    stats.dead.add(-1);
    stats.unhealthyTries.add(-this.#tries);
    stats.unhealthyForMs.set(0);
    this.#tries = 0;
    this.#timer?.disarm();
  }

  #arm(): void {
    const { wheel, rng } = this.#deps;
    this.#timer ??= wheel.timer(this.#reconnect);
    const longestMs = Math.min(MAX_MS, FIRST_MS * 2 ** this.#tries);
    const jitter = this.#tries < JITTERED_TRIES ? rng.next() : 1;
    this.#timer.arm(FIRST_MS + jitter * (longestMs - FIRST_MS));
  }
}
