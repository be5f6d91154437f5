/**
 * What all balancing algorithms have in common: endpoints of one weight, one of which is picked for an
 * attempt. A pick allocates nothing and reads the state of an endpoint from its fields.
 */

/** `busy`: only to be used when nothing better is there. `closed`: in no address set any more. */
export type EndpointStatus = 'open' | 'busy' | 'closed';

export interface Balanced {
  /** Who changes it tells the balancer. */
  readonly status: EndpointStatus;
  /** Attempts that hold it, from acquisition until the response has been read. Counted by the balancer. */
  load: number;
  /** Share of the load relative to others; not negative. */
  readonly weight: number;
  readonly node: BalancerNode;
  /** It is not going to be picked for a while. */
  closeIdle(): void;
}

/**
 * What the balancer and its algorithm remember of an endpoint; one class for all, so that fields are fast.
 */
export class BalancerNode {
  /** Index of the endpoint's weight class; -1 when it is in none. */
  weightClass = -1;
  /** Peak EWMA: the cost of an attempt in ms when it was last observed, and when that was. */
  costMs = 0;
  stampMs = 0;
  /** Heap: position in it, and the key that it is ordered by. Round robin: position in the list. */
  position = -1;
  key = 0;
  /** Aperture: place in the order, when it was last let go, and whether its expiry has been told. */
  token = 0;
  usedMs = 0;
  expired = false;
}

/** Counters that the algorithms share; those of a client. */
export interface DistributorStats {
  readonly rebuilds: { add(n: number): void };
  readonly maxEffortExhausted: { add(n: number): void };
}

export abstract class Distributor<E extends Balanced> {
  readonly #maxEffort: number;
  readonly #stats: DistributorStats;

  constructor(maxEffort: number, stats: DistributorStats) {
    this.#maxEffort = maxEffort;
    this.#stats = stats;
  }

  /** Replaces the endpoints; those that stay keep their state. */
  abstract update(endpoints: readonly E[]): void;

  /** An endpoint, or none if there is none; `avoid` only if there is no other. */
  protected abstract draw(avoid: E | undefined): E | undefined;

  /** True when the order of endpoints is older than their status. */
  protected get stale(): boolean {
    return false;
  }

  /** Orders the endpoints by what their status is now. */
  protected rebuild(): void {}

  /**
   * Draws until someone is open, `maxEffort` times at the most; then one more is taken whatever its status,
   * so that with every endpoint down requests still go somewhere. `avoid` is not picked while there is
   * another.
   */
  pick(avoid: E | undefined): E | undefined {
    if (this.stale) {
      this.#stats.rebuilds.add(1);
      this.rebuild();
    }
    for (let effort = 0; effort < this.#maxEffort; effort++) {
      const drawn = this.draw(avoid);
      if (drawn === undefined || (drawn.status === 'open' && drawn !== avoid)) return drawn;
    }
    this.exhausted();
    this.rebuild();
    return this.draw(avoid);
  }

  /** Nobody who is open was found. */
  protected exhausted(): void {
    this.#stats.maxEffortExhausted.add(1);
  }

  /** An attempt has been given to the endpoint; its `load` has been raised. */
  started(_endpoint: E): void {}

  /** An attempt that was given to it at `startedMs` has let go of it; its `load` has been lowered. */
  ended(_endpoint: E, _startedMs: number): void {}

  /** Its status is another. */
  changed(_endpoint: E): void {}

  /** Called now and then: closes what has not been used for long. */
  expire(): void {}
}
