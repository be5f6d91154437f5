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
    this.#prefers = (a, b) => this.loadAt(a, this.#drawMs) <= this.loadAt(b, this.#drawMs);
  }

  update(endpoints: readonly E[]): void {
    this.#endpoints = endpoints;
  }

  /** The load that endpoints are compared by, in ms. */
  loadAt({ node, load }: Balanced, nowMs: number): number {
    const costMs = this.#decayed(node.costMs, node.stampMs, nowMs);
    if (costMs === 0 && load > 0) return PENALTY_MS + load;
    return costMs * (load + 1);
  }

  override ended({ node }: E, startedMs: number): void {
    const nowMs = this.#nowMs();
    const rttMs = Math.max(nowMs - startedMs, 0);
    // A peak is taken over at once; what is lower is approached.
    node.costMs =
      rttMs > node.costMs ? rttMs : rttMs + this.#decayed(node.costMs - rttMs, node.stampMs, nowMs);
    node.stampMs = nowMs;
  }

  protected draw(avoid: E | undefined): E | undefined {
    this.#drawMs = this.#nowMs();
    return drawTwo(this.#endpoints, this.#endpoints.length, avoid, this.#rng, this.#prefers);
  }

  /** What is left at `nowMs` of an amount at `stampMs`. A clock that went backwards takes nothing away. */
  #decayed(amount: number, stampMs: number, nowMs: number): number {
    const elapsedMs = nowMs - stampMs;
    return amount === 0 || elapsedMs <= 0 ? amount : amount * Math.exp(-elapsedMs / this.#decayMs);
  }
}
