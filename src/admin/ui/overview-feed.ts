/** The live overview as the page keeps it: the rows by key, and what their rates were lately. */
import type { OverviewRow } from '../live/overview-row.ts';

export const HISTORY = 60;
/** Rates of everything, for the chart. */
export const TOTALS = 180;

export type Info = {
  readonly version: string;
  readonly startTime: string;
  readonly uptimeMs: number;
  readonly unready: readonly string[];
  /** Of the configuration, where it can be replaced. */
  readonly generation?: number;
};

export type Row = OverviewRow & { readonly key: string; readonly history: readonly number[] };

export type Total = { readonly atMs: number; readonly rps: number; readonly failed: number };

export type Feed = {
  readonly info: Info | undefined;
  readonly rows: ReadonlyMap<string, Row>;
  readonly totals: readonly Total[];
};

export const emptyFeed: Feed = { info: undefined, rows: new Map(), totals: [] };

export type OverviewEvent = {
  readonly full: boolean;
  readonly info: Info;
  readonly rows: readonly OverviewRow[];
  readonly gone: readonly string[];
};

export function keyOf({ kind, router, name }: OverviewRow): string {
  return kind === 'router' ? `router ${router}` : `${kind} ${router} ${name}`;
}

/** The feed after an event. Rows that are not told have not changed. */
export function next(feed: Feed, told: OverviewEvent, atMs: number): Feed {
  const restarted = feed.info !== undefined && feed.info.startTime !== told.info.startTime;
  const before = restarted ? emptyFeed : feed;
  const latest = new Map<string, OverviewRow | Row>(told.full ? [] : before.rows);
  for (const key of told.gone) latest.delete(key);
  for (const row of told.rows) latest.set(keyOf(row), row);
  const rows = new Map<string, Row>();
  for (const [key, row] of latest) {
    const known = before.rows.get(key);
    // What is idle stays the same object, so that nothing of it is drawn again.
    if (known !== undefined && known === row && known.history.every((each) => each === 0))
      rows.set(key, known);
    else rows.set(key, { ...row, key, history: [...(known?.history ?? []), row.rps ?? 0].slice(-HISTORY) });
  }
  return { info: told.info, rows, totals: [...before.totals, total(rows, atMs)].slice(-TOTALS) };
}

function total(rows: ReadonlyMap<string, Row>, atMs: number): Total {
  const routers = [...rows.values()].filter(({ kind }) => kind === 'router');
  const rps = routers.reduce((all, row) => all + (row.rps ?? 0), 0);
  const failed = routers.reduce((all, row) => all + (row.rps ?? 0) * (1 - (row.success ?? 1)), 0);
  return { atMs, rps, failed };
}

/** Failures first, then endpoints that are down, then retries, then what has most to do. */
export function byTrouble(a: Row, b: Row): number {
  return trouble(b) - trouble(a) || (b.rps ?? 0) - (a.rps ?? 0) || (a.name < b.name ? -1 : 1);
}

export function trouble(row: Row): number {
  const failed = row.success === null ? 0 : 1 - row.success;
  const { available, endpoints } = row;
  const down = endpoints === undefined || endpoints === 0 ? 0 : 1 - (available ?? 0) / endpoints;
  const retried = (row.rps ?? 0) > 0 ? Math.min(1, (row.retries ?? 0) / (row.rps ?? 1)) : 0;
  return failed * 100 + down * 10 + retried;
}
