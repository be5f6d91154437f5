/** Every period and limit of the Kubernetes client, in one place; tests make them short. */
import type { Rng } from '../src/base/rng.ts';

export type BackoffTimes = { readonly minMs: number; readonly maxMs: number };

export type Timing = {
  /**
   * How long a watch is asked to last, drawn between the two. Just before its end the server sends a
   * bookmark, and the next watch goes on from there over the same connection: a small request for each watch,
   * and at the same time the proof that it still lives, because TCP alone does not notice a proxy in between
   * that has fallen silent.
   */
  readonly watchSeconds: readonly [min: number, max: number];
  /**
   * With more watches than this the longest lasts longer in proportion, up to so many times, so that a node
   * with hundreds of them does not burden the server. They end at different times, and one that does not end
   * when it should makes all that are silent begin anew: what befalls all of them is noticed as soon as
   * before.
   */
  readonly watchesMany: number;
  readonly watchTimesMax: number;
  /** How much longer it may take before it counts as dead. */
  readonly watchGraceMs: number;
  /** For the head of an answer to a list, and between two pieces of it. */
  readonly listIdleMs: number;
  /** When a watch has no answer for so long, it is looked whether the server answers at all. */
  readonly suspectMs: number;
  /** A watch that lasted so long was a good one: what failed before is forgotten. */
  readonly stableMs: number;
  /** Between two lists that look for what the watch has missed, give or take a tenth. */
  readonly relistMs: number;
  /** The same, when somebody has asked for it. */
  readonly refreshMs: number;
  /** How long the watch may take to tell what a list shows already. */
  readonly settleMs: number;
  readonly backoff: BackoffTimes;
  /** When access is denied or there is no such resource: a person has to do something. */
  readonly deniedBackoff: BackoffTimes;
  /** Between two questions whether the server is back, give or take a quarter; and for each answer. */
  readonly probeMs: number;
  readonly probeLimitMs: number;
  /** All watches come back within this time. */
  readonly spreadMs: number;
};

export const defaultTiming: Timing = Object.freeze({
  watchSeconds: [30, 45] as const,
  watchesMany: 50,
  watchTimesMax: 8,
  watchGraceMs: 5000,
  listIdleMs: 5000,
  suspectMs: 3000,
  stableMs: 10_000,
  relistMs: 300_000,
  refreshMs: 5000,
  settleMs: 1000,
  backoff: { minMs: 250, maxMs: 20_000 },
  deniedBackoff: { minMs: 5000, maxMs: 30_000 },
  probeMs: 2000,
  probeLimitMs: 2000,
  spreadMs: 400,
});

/**
 * The wait after so many failures in a row: doubling up to the cap, the upper half of it drawn, so that
 * callers that failed together do not come back together, and none comes back at once.
 */
export function backoffMs(failures: number, { minMs, maxMs }: BackoffTimes, rng: Rng): number {
  const ceilingMs = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
  return ceilingMs / 2 + (rng.next() * ceilingMs) / 2;
}

/** For how many seconds to ask, as one of so many watches. */
export function watchSeconds(
  { watchSeconds: [min, max], ...timing }: Timing,
  watches: number,
  rng: Rng,
): number {
  const times = Math.min(timing.watchTimesMax, Math.max(1, watches / timing.watchesMany));
  return Math.round(min + rng.next() * (max * times - min));
}

/** `ms` give or take `share` of it. */
export const around = (ms: number, share: number, rng: Rng): number =>
  ms * (1 - share + 2 * share * rng.next());
