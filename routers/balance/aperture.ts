/**
 * Random aperture, least loaded (as in finagle): power of two choices among the first few endpoints of an
 * order of this thread's own. The window is as wide as the offered load asks for, so that a thread with
 * little traffic keeps few connections, and those warm.
 */
import type { Rng } from '../../src/base/rng.ts';
import type { Counter, Gauge } from '../../src/base/stats.ts';
import { type Balanced, Distributor, type DistributorStats, type EndpointStatus } from './distributor.ts';
import { drawTwo, leastLoaded } from './p2c.ts';

/** An endpoint outside the window is let go when it has not been used for this many smoothing windows. */
const EXPIRY_WINDOWS = 10;

export type ApertureSpec = {
  readonly maxEffort: number;
  readonly smoothWindowMs: number;
  readonly lowLoad: number;
  readonly highLoad: number;
  readonly minAperture: number;
};

export interface ApertureStats extends DistributorStats {
  readonly logicalAperture: Gauge;
  readonly physicalAperture: Gauge;
  readonly vectorHash: Gauge;
  readonly coordinateUpdates: Counter;
  readonly offeredLoad: Gauge;
  readonly widen: Counter;
  readonly narrow: Counter;
  readonly expired: Counter;
}

export type ApertureDeps = {
  readonly rng: Rng;
  readonly nowMs: () => number;
  readonly stats: ApertureStats;
};

export class Aperture<E extends Balanced> extends Distributor<E> {
  readonly #spec: ApertureSpec;
  readonly #rng: Rng;
  readonly #nowMs: () => number;
  readonly #stats: ApertureStats;
  /** By token; and the same with those that are not open behind the others. */
  #byToken: E[] = [];
  #vector: E[] = [];
  /** Someone's status is not what it was when the vector was made; `#stale`: someone came back. */
  #dirty = true;
  #stale = false;
  #aperture = 1;
  /** Attempts that are out, and their average over the smoothing window. */
  #offered = 0;
  #average = 0;
  #averageMs = Number.NEGATIVE_INFINITY;

  constructor(spec: ApertureSpec, { rng, nowMs, stats }: ApertureDeps) {
    super(spec.maxEffort, stats);
    this.#spec = spec;
    this.#rng = rng;
    this.#nowMs = nowMs;
    this.#stats = stats;
  }

  /** Endpoints among which a draw is made. */
  get aperture(): number {
    return this.#aperture;
  }

  update(endpoints: readonly E[]): void {
    const nowMs = this.#nowMs();
    this.#offered = 0;
    for (const each of endpoints) {
      this.#offered += each.load;
      const { node } = each;
      if (node.token !== 0) continue;
      node.token = 1 - this.#rng.next();
      node.usedMs = nowMs;
    }
    this.#byToken = endpoints.toSorted((a, b) => a.node.token - b.node.token);
    this.#stats.coordinateUpdates.add(1);
    this.#dirty = true;
    this.rebuild();
    this.#adjust(0);
  }

  override started(): void {
    this.#offered++;
    this.#observe();
  }

  override ended(endpoint: E): void {
    this.#offered--;
    endpoint.node.usedMs = this.#observe();
    endpoint.node.expired = false;
  }

  override changed(endpoint: E): void {
    // Whoever went down is passed over by the draw; whoever came back belongs to the front.
    this.#dirty = true;
    if (endpoint.status === 'open') this.#stale = true;
  }

  override expire(): void {
    const beforeMs = this.#nowMs() - EXPIRY_WINDOWS * this.#spec.smoothWindowMs;
    for (let i = this.#aperture; i < this.#vector.length; i++) {
      const each = this.#vector[i] as E;
      const { node } = each;
      if (each.load > 0 || node.expired || node.usedMs > beforeMs) continue;
      node.expired = true;
      this.#stats.expired.add(1);
      each.closeIdle();
    }
  }

  protected override get stale(): boolean {
    return this.#stale;
  }

  protected override rebuild(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#stale = false;
    const is = (status: EndpointStatus) => (each: E) => each.status === status;
    this.#vector = [...this.#byToken.filter(is('open')), ...this.#byToken.filter(is('busy'))];
    let hash = 0;
    for (let i = 0; i < this.#aperture; i++) {
      hash = (hash * 31 + Math.floor((this.#vector[i]?.node.token ?? 0) * 2 ** 31)) | 0;
    }
    this.#stats.vectorHash.set(hash);
  }

  protected draw(avoid: E | undefined): E | undefined {
    const drawn = drawTwo(this.#vector, this.#aperture, avoid, this.#rng, leastLoaded);
    // A window of one has nobody else to offer.
    if (drawn === undefined || drawn !== avoid || this.#vector.length === 1) return drawn;
    return this.#vector.find((each) => each !== avoid);
  }

  #observe(): number {
    const nowMs = this.#nowMs();
    const elapsedMs = Math.max(nowMs - this.#averageMs, 0);
    const kept = Math.exp(-elapsedMs / this.#spec.smoothWindowMs);
    this.#average = this.#offered * (1 - kept) + this.#average * kept;
    this.#averageMs = nowMs;
    this.#stats.offeredLoad.set(this.#average);
    const each = this.#average / this.#aperture;
    if (each >= this.#spec.highLoad) this.#adjust(1);
    else if (each <= this.#spec.lowLoad) this.#adjust(-1);
    return nowMs;
  }

  #adjust(step: number): void {
    const size = Math.max(1, this.#byToken.length);
    const least = Math.min(this.#spec.minAperture, size);
    const next = Math.min(Math.max(this.#aperture + step, least), size);
    if (step > 0 && next > this.#aperture) this.#stats.widen.add(1);
    if (step < 0 && next < this.#aperture) this.#stats.narrow.add(1);
    this.#aperture = next;
    this.#stats.logicalAperture.set(next);
    this.#stats.physicalAperture.set(Math.min(next, this.#byToken.length));
  }
}
