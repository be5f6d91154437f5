/**
 * How a client picks an endpoint: first a weight class, then, by the configured algorithm, an endpoint of
 * that class. It counts the attempts that each endpoint has, and how many endpoints are open.
 */
import type { Rng } from '../../src/base/rng.ts';
import type { BalancerStats } from './balancer-stats.ts';
import type { Balanced, Distributor, EndpointStatus } from './distributor.ts';

/** Endpoints of one weight. */
type WeightClass<E extends Balanced> = {
  readonly weight: number;
  readonly distributor: Distributor<E>;
  /** The sum of the shares of the classes up to this one. */
  bound: number;
  open: number;
};

export type BalancerDeps<E extends Balanced> = {
  readonly make: () => Distributor<E>;
  readonly rng: Rng;
  readonly stats: BalancerStats;
};

export class Balancer<E extends Balanced> {
  readonly #deps: BalancerDeps<E>;
  /** By ascending weight. */
  #classes: readonly WeightClass<E>[] = [];
  #endpoints: readonly E[] = [];
  #total = 0;
  #open = 0;

  constructor(deps: BalancerDeps<E>) {
    this.#deps = deps;
  }

  /** Endpoints that are open. */
  get open(): number {
    return this.#open;
  }

  /**
   * Replaces the endpoints, each of them given once. A class is drawn with a probability proportional to its
   * weight times the number of its endpoints; the algorithm of a weight that stays keeps its state.
   */
  update(endpoints: readonly E[]): void {
    const byWeight = new Map<number, E[]>();
    let weights = 0;
    for (const each of this.#endpoints) each.node.weightClass = -1;
    for (const each of endpoints) {
      weights += each.weight;
      const same = byWeight.get(each.weight);
      if (same === undefined) byWeight.set(each.weight, [each]);
      else same.push(each);
    }
    const before = new Map(this.#classes.map((each) => [each.weight, each.distributor]));
    this.#endpoints = endpoints;
    this.#total = 0;
    this.#open = 0;
    this.#classes = [...byWeight]
      .sort(([a], [b]) => a - b)
      .map(([weight, members], index) => {
        this.#total += weight * members.length;
        const distributor = before.get(weight) ?? this.#deps.make();
        const made = { weight, distributor, bound: this.#total, open: 0 };
        for (const each of members) {
          each.node.weightClass = index;
          if (each.status === 'open') made.open++;
        }
        this.#open += made.open;
        distributor.update(members);
        return made;
      });
    const { stats } = this.#deps;
    stats.updates.add(1);
    stats.size.set(endpoints.length);
    stats.weightClasses.set(this.#classes.length);
    stats.meanWeight.set(endpoints.length === 0 ? 0 : weights / endpoints.length);
    this.#showStatus();
  }

  /** `avoid` is not picked while there is another. Undefined when there is no endpoint. */
  pick(avoid: E | undefined): E | undefined {
    const classes = this.#classes;
    if (classes.length === 1) return (classes[0] as WeightClass<E>).distributor.pick(avoid);
    if (classes.length === 0) return undefined;
    const drawn = this.#drawClass();
    const { open, distributor } = classes[drawn] as WeightClass<E>;
    const picked = open > 0 ? distributor.pick(avoid) : undefined;
    if (picked !== undefined && picked !== avoid) return picked;
    if (open === 0) this.#deps.stats.busyWeightClasses.add(1);
    return this.#walk(drawn, avoid);
  }

  started(endpoint: E): void {
    endpoint.load++;
    this.#deps.stats.load.add(1);
    this.#classes[endpoint.node.weightClass]?.distributor.started(endpoint);
  }

  /** `startedMs` is when `started` was called. */
  ended(endpoint: E, startedMs: number): void {
    endpoint.load--;
    this.#deps.stats.load.add(-1);
    this.#classes[endpoint.node.weightClass]?.distributor.ended(endpoint, startedMs);
  }

  /** The status of an endpoint is no longer `before`. */
  changed(endpoint: E, before: EndpointStatus): void {
    const weightClass = this.#classes[endpoint.node.weightClass];
    if (weightClass === undefined) return;
    const step = Number(endpoint.status === 'open') - Number(before === 'open');
    weightClass.open += step;
    this.#open += step;
    weightClass.distributor.changed(endpoint);
    this.#showStatus();
  }

  /** To be called now and then. */
  expire(): void {
    for (const { distributor } of this.#classes) distributor.expire();
  }

  #showStatus(): void {
    const { stats } = this.#deps;
    stats.available.set(this.#open);
    stats.busy.set(this.#endpoints.length - this.#open);
  }

  /** Binary search, because every endpoint may have a weight of its own. */
  #drawClass(): number {
    const classes = this.#classes;
    // With all weights 0 the classes are equal.
    if (!(this.#total > 0)) return this.#deps.rng.below(classes.length);
    const drawn = this.#deps.rng.next() * this.#total;
    let low = 0;
    let high = classes.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (drawn < (classes[middle] as WeightClass<E>).bound) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The class that was drawn has nobody to offer: the next one in which someone is open, else any. */
  #walk(drawn: number, avoid: E | undefined): E | undefined {
    const classes = this.#classes;
    for (let i = 1; this.#open > 0 && i < classes.length; i++) {
      const { open, distributor } = classes[(drawn + i) % classes.length] as WeightClass<E>;
      const picked = open > 0 ? distributor.pick(avoid) : undefined;
      if (picked !== undefined && picked !== avoid) return picked;
    }
    for (let i = 0; i < classes.length; i++) {
      const picked = classes[(drawn + i) % classes.length]?.distributor.pick(avoid);
      if (picked !== avoid) return picked;
    }
    return avoid;
  }
}
