/**
 * What a candidate would change for the names of recent traffic: how many requests a second move, and where.
 */
import type { StatRow } from '../watch/stat-rows.ts';
import { percent } from './explain.ts';
import type { Namings } from './namings.ts';
import { type Outcome, outcomeOf } from './node.ts';

export type Change = {
  readonly router: string;
  readonly name: string;
  readonly requestsPerSec: number;
  /** Of these, those that would go elsewhere. */
  readonly movedPerSec: number;
  readonly before: string;
  readonly after: string;
  /** It has an answer now, and would have none. */
  readonly lost: boolean;
};

/** `dtab` is appended to what `candidate` has. */
export async function whatIf(
  traffic: readonly StatRow[],
  now: Namings,
  candidate: Namings,
  dtab: string,
): Promise<readonly Change[]> {
  const known = new Set(await candidate.routers());
  const changes: Change[] = [];
  for (const { router, name, requestsPerSec } of traffic) {
    const before = outcomeOf(await now.delegate(router, '', name));
    const after: Outcome = known.has(router)
      ? outcomeOf(await candidate.delegate(router, dtab, name))
      : { type: 'error', code: 'no-endpoints', why: `has no router ${router} any more` };
    changes.push({
      router,
      name,
      requestsPerSec,
      movedPerSec: requestsPerSec * movedShare(before, after),
      before: outcomeText(before),
      after: outcomeText(after),
      lost: before.type === 'bound' && after.type === 'error',
    });
  }
  return changes.toSorted((a, b) => Number(b.lost) - Number(a.lost) || b.movedPerSec - a.movedPerSec);
}

/** Part of the requests, 0 to 1, that would go elsewhere. */
export function movedShare(before: Outcome, after: Outcome): number {
  if (before.type === 'error' || after.type === 'error') return before.type === after.type ? 0 : 1;
  let stays = 0;
  for (const [id, share] of before.shares) stays += Math.min(share, after.shares.get(id) ?? 0);
  return Math.max(0, 1 - stays);
}

function outcomeText(outcome: Outcome): string {
  if (outcome.type === 'error') return outcome.code;
  return [...outcome.shares].map(([id, share]) => (share === 1 ? id : `${percent(share)} ${id}`)).join(' & ');
}
