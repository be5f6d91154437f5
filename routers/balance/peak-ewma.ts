/**
 * Peak EWMA over power of two choices (as in finagle): the cost of an endpoint is a moving average of its
 * round-trip times that takes a peak over at once and forgets it within about `decayMs`, multiplied by the
 * attempts that it has. So a slow endpoint is left before it has failed anybody, and tried again now and
 * then.
 */
import type { Rng } from '../../src/base/rng.ts';
import { type Balanced, Distributor, type DistributorStats } from './distributor.ts';
import { drawTwo } from './p2c.ts';

/** The load of an endpoint that has never answered and has been asked: no second attempt until it answers. */
export const PENALTY_MS = (2 ** 47 - 1) / 1e6;

export class PeakEwma<E extends Balanced> extends Distributor<E> {
  readonly #rng: Rng;
  readonly #nowMs: () => number;
  readonly #decayMs: number;
  readonly #prefers: (a: Balanced, b: Balanced) => boolean;
  #endpoints: readonly E[] = [];
  /** The time of the draw that is being made. */
  #drawMs = 0;

  constructor(
    maxEffort: number,
    decayMs: number,
    deps: { readonly rng: Rng; readonly nowMs: () => number; readonly stats: DistributorStats },
  ) {
    super(maxEffort, deps.stats);
    this.#rng = deps.rng;
    this.#nowMs = deps.nowMs;
    this.#decayMs = decayMs;
    this.#prefers = (a, b) => costOf(a, this.#drawMs, decayMs) <= costOf(b, this.#drawMs, decayMs);
  }

  update(endpoints: readonly E[]): void {
    this.#endpoints = endpoints;
  }

  /** The load that endpoints are compared by, in ms. */
  loadAt(endpoint: Balanced, nowMs: number): number {
    return costOf(endpoint, nowMs, this.#decayMs);
  }

  override ended({ node }: E, startedMs: number): void {
    const nowMs = this.#nowMs();
    const rttMs = Math.max(nowMs - startedMs, 0);
    // A peak is taken over at once; what is lower is approached.
    node.costMs =
      rttMs > node.costMs ? rttMs : rttMs + decayed(node.costMs - rttMs, nowMs - node.stampMs, this.#decayMs);
    node.stampMs = nowMs;
  }

  protected draw(avoid: E | undefined): E | undefined {
    this.#drawMs = this.#nowMs();
    return drawTwo(this.#endpoints, this.#endpoints.length, avoid, this.#rng, this.#prefers);
  }
}

function costOf({ node, load }: Balanced, nowMs: number, decayMs: number): number {
  const costMs = decayed(node.costMs, nowMs - node.stampMs, decayMs);
  return costMs === 0 && load > 0 ? PENALTY_MS + load : costMs * (load + 1);
}

/** What is left of an amount after a time. A clock that went backwards takes nothing away. */
function decayed(amount: number, elapsedMs: number, decayMs: number): number {
  return amount === 0 || elapsedMs <= 0 ? amount : amount * Math.exp(-elapsedMs / decayMs);
}
