/**
 * Power of two choices, least loaded (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing",
 * 2001): of two endpoints drawn at random the healthier one is taken, then the less loaded one.
 */
import type { Rng } from '../../src/base/rng.ts';
import { type Balanced, Distributor, type DistributorStats } from './distributor.ts';

export class P2c<E extends Balanced> extends Distributor<E> {
  readonly #rng: Rng;
  #endpoints: readonly E[] = [];

  constructor(maxEffort: number, rng: Rng, stats: DistributorStats) {
    super(maxEffort, stats);
    this.#rng = rng;
  }

  update(endpoints: readonly E[]): void {
    this.#endpoints = endpoints;
  }

  protected draw(avoid: E | undefined): E | undefined {
    return drawTwo(this.#endpoints, this.#endpoints.length, avoid, this.#rng, leastLoaded);
  }
}

export function leastLoaded(a: Balanced, b: Balanced): boolean {
  return a.load <= b.load;
}

/**
 * The better of two different ones among the first `size` of `endpoints`: the one that is not `avoid`, the
 * healthier one, the one that `prefers` says (true for the first).
 */
export function drawTwo<E extends Balanced>(
  endpoints: readonly E[],
  size: number,
  avoid: E | undefined,
  rng: Rng,
  prefers: (a: Balanced, b: Balanced) => boolean,
): E | undefined {
  if (size <= 1) return endpoints[0];
  const first = rng.below(size);
  // The second draw skips the first, so the two always differ.
  let second = rng.below(size - 1);
  if (second >= first) second++;
  const a = endpoints[first] as E;
  const b = endpoints[second] as E;
  if (a === avoid) return b;
  if (b === avoid) return a;
  if (a.status !== b.status) return a.status === 'open' ? a : b;
  return prefers(a, b) ? a : b;
}
