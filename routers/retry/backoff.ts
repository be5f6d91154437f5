/**
 * How long to wait before a repetition. `jittered` is decorrelated jitter (Brooker, "Exponential Backoff And
 * Jitter"): each wait is drawn between the minimum and three times the last one, so that callers that failed
 * together do not come back together.
 */
import type { BackoffSpec } from '../../config/spec.ts';
import type { Rng } from '../../src/base/rng.ts';

export const noBackoff: BackoffSpec = Object.freeze({ kind: 'constant', ms: 0 });

/** `previousMs` is the wait before the last repetition; undefined for the first one. */
export function nextBackoffMs(spec: BackoffSpec, previousMs: number | undefined, rng: Rng): number {
  if (spec.kind === 'constant') return spec.ms;
  if (previousMs === undefined) return Math.min(spec.minMs, spec.maxMs);
  const range = Math.abs(previousMs * 3 - spec.minMs);
  return Math.min(spec.maxMs, spec.minMs + rng.next() * range);
}
