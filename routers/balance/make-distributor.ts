/** The algorithm that `loadBalancer` of a client names. */
import type { LoadBalancerSpec } from '../../config/spec.ts';
import { never } from '../../src/base/assert.ts';
import type { Rng } from '../../src/base/rng.ts';
import { Aperture } from './aperture.ts';
import type { BalancerStats } from './balancer-stats.ts';
import type { Balanced, Distributor } from './distributor.ts';
import { Heap } from './heap.ts';
import { P2c } from './p2c.ts';
import { PeakEwma } from './peak-ewma.ts';
import { RoundRobin } from './round-robin.ts';

export type DistributorDeps = {
  readonly rng: Rng;
  readonly nowMs: () => number;
  readonly stats: BalancerStats;
};

export function makeDistributor<E extends Balanced>(
  spec: LoadBalancerSpec,
  { rng, nowMs, stats }: DistributorDeps,
): Distributor<E> {
  switch (spec.kind) {
    case 'p2c':
      return new P2c<E>(spec.maxEffort, rng, stats);
    case 'ewma':
      return new PeakEwma<E>(spec.maxEffort, spec.decayTimeMs, { rng, nowMs, stats });
    case 'aperture':
      return new Aperture<E>(spec, { rng, nowMs, stats: stats.aperture() });
    case 'heap':
      return new Heap<E>(rng, stats);
    case 'roundRobin':
      return new RoundRobin<E>(stats);
    default:
      return never(spec);
  }
}
