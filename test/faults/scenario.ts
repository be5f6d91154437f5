/** A row of the fault table: what is done to the router, and what must come of it. */
import type { Load } from './load.ts';
import type { FaultRig } from './rig.ts';

export type Check = {
  readonly what: string;
  readonly measured: number;
  readonly atMost?: number;
  readonly atLeast?: number;
};

export type Outcome = {
  readonly sent: number;
  readonly failed: number;
  readonly duplicated: number;
  readonly recoveryMs: number | undefined;
  readonly checks: readonly Check[];
  /** Why requests failed. */
  readonly reasons: string;
};

export type Scenario = {
  readonly id: string;
  readonly fault: string;
  readonly promise: string;
  /** Short enough for `npm test`. */
  readonly cheap?: boolean;
  /** Given up after so long; a minute when absent. */
  readonly limitMs?: number;
  /** `seconds`: how long the load goes on around the fault. */
  run(seconds: number): Promise<Outcome>;
};

export function atMost(what: string, measured: number, most: number): Check {
  return { what, measured, atMost: most };
}

export function atLeast(what: string, measured: number, least: number): Check {
  return { what, measured, atLeast: least };
}

export function passes({ measured, atMost: most, atLeast: least }: Check): boolean {
  return (most === undefined || measured <= most) && (least === undefined || measured >= least);
}

/** What holds in every row: no wrong body, no POST sent twice. */
export function outcome(
  rig: FaultRig,
  load: Load,
  checks: readonly Check[],
  recoveryMs: number | undefined = undefined,
): Outcome {
  const always = [atMost('wrong bodies', load.wrong, 0), atMost('POSTs sent twice', rig.duplicated, 0)];
  return {
    sent: load.sent,
    failed: load.failures,
    duplicated: rig.duplicated,
    recoveryMs,
    checks: [...checks, ...always],
    reasons: [...load.reasons].map(([reason, count]) => `${count} x ${reason}`).join(', '),
  };
}

export const getsFailed = (load: Load, most = 0): Check => atMost('GETs failed', load.failed.GET, most);
export const postsFailed = (load: Load, most = 0): Check => atMost('POSTs failed', load.failed.POST, most);
