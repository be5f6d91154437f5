/**
 * When an endpoint is taken for dead, by the outcomes of its attempts. Arithmetic only: a success costs a few
 * ns, and allocates nothing.
 */
import type { AccrualSpec } from '../../config/spec.ts';
import { never } from '../../src/base/assert.ts';

export interface AccrualPolicy {
  success(nowMs: number): void;
  /** True: it is dead now. */
  failure(nowMs: number): boolean;
  /** It has proved to be alive: what was before is forgotten. */
  revived(nowMs: number): void;
}

/** Undefined: never dead. */
export function makeAccrualPolicy(spec: AccrualSpec, nowMs: number): AccrualPolicy | undefined {
  switch (spec.kind) {
    case 'none':
      return undefined;
    case 'io.l5d.consecutiveFailures':
      return new ConsecutiveFailures(spec.failures);
    case 'io.l5d.successRate':
      return new SuccessRate(spec.successRate, spec.requests);
    case 'io.l5d.successRateWindowed':
      return new WindowedSuccessRate(spec.successRate, spec.windowMs, nowMs);
    default:
      return never(spec);
  }
}

export class ConsecutiveFailures implements AccrualPolicy {
  readonly #max: number;
  #failures = 0;

  constructor(max: number) {
    this.#max = max;
  }

  success(): void {
    this.#failures = 0;
  }

  failure(): boolean {
    return ++this.#failures >= this.#max;
  }

  revived(): void {
    this.#failures = 0;
  }
}

/** A moving average in which time is the number of outcomes. */
export class SuccessRate implements AccrualPolicy {
  readonly #required: number;
  readonly #requests: number;
  readonly #kept: number;
  #rate = 1;
  #count = 0;

  constructor(required: number, requests: number) {
    this.#required = required;
    this.#requests = requests;
    this.#kept = Math.exp(-1 / requests);
  }

  success(): void {
    this.#observe(1);
  }

  failure(): boolean {
    this.#observe(0);
    return this.#count >= this.#requests && this.#rate < this.#required;
  }

  revived(): void {
    this.#count = 0;
  }

  #observe(outcome: number): void {
    // The first outcome is taken as it is.
    this.#rate = this.#count === 0 ? outcome : outcome + (this.#rate - outcome) * this.#kept;
    this.#count++;
  }
}

const SLICES = 5;
/** With fewer outcomes in the window nothing can be said. */
const REQUESTS_MIN = 5;

/** A moving average over time. Outcomes are counted in slices of a fifth of the window. */
export class WindowedSuccessRate implements AccrualPolicy {
  readonly #required: number;
  readonly #windowMs: number;
  readonly #sliceMs: number;
  readonly #counts = new Uint32Array(SLICES);
  #slice: number;
  #sinceMs: number;
  #stampMs: number;
  #rate = 1;
  #any = false;

  constructor(required: number, windowMs: number, nowMs: number) {
    this.#required = required;
    this.#windowMs = windowMs;
    this.#sliceMs = windowMs / SLICES;
    this.#slice = Math.floor(nowMs / this.#sliceMs);
    this.#sinceMs = nowMs;
    this.#stampMs = nowMs;
  }

  success(nowMs: number): void {
    this.#observe(1, nowMs);
  }

  failure(nowMs: number): boolean {
    this.#observe(0, nowMs);
    if (this.#rate >= this.#required || nowMs - this.#sinceMs < this.#windowMs) return false;
    let inWindow = 0;
    for (const count of this.#counts) inWindow += count;
    return inWindow >= REQUESTS_MIN;
  }

  revived(nowMs: number): void {
    this.#counts.fill(0);
    this.#sinceMs = nowMs;
    this.#stampMs = nowMs;
    this.#any = false;
  }

  #observe(outcome: number, nowMs: number): void {
    const elapsedMs = Math.max(nowMs - this.#stampMs, 0);
    if (this.#any) this.#rate = outcome + (this.#rate - outcome) * Math.exp(-elapsedMs / this.#windowMs);
    else this.#rate = outcome;
    this.#any = true;
    this.#stampMs += elapsedMs;
    const slice = Math.max(Math.floor(nowMs / this.#sliceMs), this.#slice);
    // Slices that have passed without an outcome are empty.
    for (let i = Math.min(slice - this.#slice, SLICES); i > 0; i--)
      this.#counts[(slice - i + 1) % SLICES] = 0;
    this.#slice = slice;
    const at = slice % SLICES;
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }
}
