/**
 * What a client balances over, and how it picks: weight classes first, then the configured algorithm inside a
 * class.
 */
import type { Rng } from '../../src/base/rng.ts';

/** `busy`: only to be used when nothing better is there. */
export type EndpointStatus = 'open' | 'busy';

export interface Balanced {
  readonly status: EndpointStatus;
  /** Attempts that hold it, from acquisition until the response has been read. */
  readonly load: number;
  readonly weight: number;
}

export interface Distributor<E extends Balanced> {
  /** `avoid` is not picked while there is another. */
  pick(avoid: E | undefined): E | undefined;
}

export type MakeDistributor<E extends Balanced> = (endpoints: readonly E[]) => Distributor<E>;

type WeightClass<E extends Balanced> = { readonly bound: number; readonly distributor: Distributor<E> };

export class Balancer<E extends Balanced> {
  #classes: readonly WeightClass<E>[] = [];
  #total = 0;
  readonly #make: MakeDistributor<E>;
  readonly #rng: Rng;

  constructor(make: MakeDistributor<E>, rng: Rng) {
    this.#make = make;
    this.#rng = rng;
  }

  /** A class is drawn with a probability proportional to its weight times the number of its endpoints. */
  update(endpoints: readonly E[]): void {
    const byWeight = new Map<number, E[]>();
    for (const endpoint of endpoints) {
      const same = byWeight.get(endpoint.weight);
      if (same === undefined) byWeight.set(endpoint.weight, [endpoint]);
      else same.push(endpoint);
    }
    const weights = [...byWeight.keys()].sort((a, b) => a - b);
    this.#total = 0;
    this.#classes = weights.map((weight) => {
      const members = byWeight.get(weight) as E[];
      this.#total += weight * members.length;
      return { bound: this.#total, distributor: this.#make(members) };
    });
  }

  pick(avoid: E | undefined): E | undefined {
    const classes = this.#classes;
    if (classes.length === 1) return classes[0]?.distributor.pick(avoid);
    const drawn = this.#total > 0 ? this.#rng.next() * this.#total : Number.POSITIVE_INFINITY;
    let index = classes.findIndex((each) => drawn < each.bound);
    if (index === -1) index = this.#rng.below(classes.length);
    // A class with nobody open is passed over, as long as another has someone.
    let last: E | undefined;
    for (let i = 0; i < classes.length; i++) {
      const picked = classes[(index + i) % classes.length]?.distributor.pick(avoid);
      if (picked !== undefined && picked.status === 'open' && picked !== avoid) return picked;
      last ??= picked;
    }
    return last;
  }
}
