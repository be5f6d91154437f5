/**
 * Power of two choices, least loaded (Mitzenmacher 2001): of two endpoints drawn at random the healthier one
 * is taken, then the less loaded one. A draw that finds only busy endpoints is repeated up to `maxEffort`
 * times; after that one more is taken as it is, so that with every endpoint down requests still go somewhere.
 */
import type { Rng } from '../../src/base/rng.ts';
import type { Balanced, Distributor } from './balancer.ts';

export class P2c<E extends Balanced> implements Distributor<E> {
  readonly #endpoints: readonly E[];
  readonly #maxEffort: number;
  readonly #rng: Rng;

  constructor(endpoints: readonly E[], maxEffort: number, rng: Rng) {
    this.#endpoints = endpoints;
    this.#maxEffort = maxEffort;
    this.#rng = rng;
  }

  pick(avoid: E | undefined): E | undefined {
    const size = this.#endpoints.length;
    if (size <= 1) return this.#endpoints[0];
    for (let effort = 0; effort < this.#maxEffort; effort++) {
      const picked = this.#draw(size, avoid);
      if (picked?.status === 'open' && picked !== avoid) return picked;
    }
    return this.#draw(size, avoid);
  }

  #draw(size: number, avoid: E | undefined): E | undefined {
    const first = this.#rng.below(size);
    // The second draw skips the first, so the two always differ.
    let second = this.#rng.below(size - 1);
    if (second >= first) second++;
    const a = this.#endpoints[first];
    const b = this.#endpoints[second];
    if (a === undefined || b === undefined) return a ?? b;
    if (avoid !== undefined) {
      if (a === avoid) return b;
      if (b === avoid) return a;
    }
    if (a.status !== b.status) return a.status === 'open' ? a : b;
    return a.load <= b.load ? a : b;
  }
}
