/**
 * How long to wait before a repetition. `jittered` is decorrelated jitter (Brooker, "Exponential Backoff And
 * Jitter"): each wait is drawn between the last one and three times the last one, so that callers that failed
 * together do not come back together.
 */
import type { BackoffSpec } from '../../config/spec.ts';
import type { Rng } from '../../src/base/rng.ts';

export const noBackoff: BackoffSpec = Object.freeze({ kind: 'constant', ms: 0 });

/** `previousMs` is the wait before the last repetition; undefined for the first one. */
export function nextBackoffMs(spec: BackoffSpec, previousMs: number | undefined, rng: Rng): number {
  if (spec.kind === 'constant') return spec.ms;
  if (previousMs === undefined) return spec.minMs;
  return previousMs + rng.next() * (Math.min(spec.maxMs, previousMs * 3) - previousMs);
}

/**
 * Equal jitter: half of an exponentially growing time is certain, half is drawn. `attempt` counts from 1; the
 * first wait is `startMs`.
 */
export function equalJitteredMs(attempt: number, startMs: number, maxMs: number, rng: Rng): number {
  if (attempt <= 1) return startMs;
  const half = startMs * 2 ** Math.min(attempt - 2, 52);
  return Math.min(half + rng.next() * half, maxMs);
}
