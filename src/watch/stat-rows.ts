/** What happened between two readings of the metrics: a row for each server, service and client. */
type Values = Readonly<Record<string, unknown>>;

export type StatRow = {
  readonly router: string;
  readonly kind: 'server' | 'service' | 'client';
  readonly name: string;
  readonly requestsPerSec: number;
  /** 0 to 1; absent without requests. */
  readonly success?: number;
  /** Of the last minute, in ms. */
  readonly p50?: number;
  readonly p95?: number;
  readonly p99?: number;
  /** Retries and requeues. */
  readonly retriesPerSec: number;
  readonly connections?: number;
  /** Share of the connections that speak TLS, 0 to 1; absent where there are none. */
  readonly tls?: number;
};

const KINDS = ['server', 'service', 'client'] as const;

/** `before` and `now` are `/admin/metrics.json?tree=1`, `seconds` apart. */
export function statRows(before: unknown, now: unknown, seconds: number): readonly StatRow[] {
  const rows: StatRow[] = [];
  for (const [router, parts] of Object.entries(child(now, 'rt'))) {
    for (const kind of KINDS) {
      for (const [name, values] of Object.entries(child(parts, kind))) {
        const old = child(child(child(child(before, 'rt'), router), kind), name);
        if (child(values, 'requests')['counter'] === undefined) continue;
        rows.push(
          rowOf(
            { router, kind, name: kind === 'server' ? name : `/${name}` },
            old,
            values as Values,
            seconds,
          ),
        );
      }
    }
  }
  return rows;
}

function rowOf(
  at: Pick<StatRow, 'router' | 'kind' | 'name'>,
  before: Values,
  now: Values,
  seconds: number,
): StatRow {
  const grown = (...path: string[]): number => {
    const [old, current] = [before, now].map(
      (values) => number(path.reduce<Values>(child, values), 'counter') ?? 0,
    );
    // Less than before: the process is another one.
    return (current ?? 0) - ((current ?? 0) < (old ?? 0) ? 0 : (old ?? 0));
  };
  const requests = grown('requests');
  const latency = child(now, 'request_latency_ms');
  const [p50, p95, p99] = ['stat.p50', 'stat.p95', 'stat.p99'].map((key) => number(latency, key));
  const connections = number(child(now, 'connections'), 'gauge');
  const secure = number(child(child(now, 'tls'), 'connections'), 'gauge') ?? 0;
  return {
    ...at,
    requestsPerSec: requests / seconds,
    ...(requests === 0 ? {} : { success: Math.min(1, grown('success') / requests) }),
    ...(p50 === undefined ? {} : { p50 }),
    ...(p95 === undefined ? {} : { p95 }),
    ...(p99 === undefined ? {} : { p99 }),
    retriesPerSec: (grown('retries', 'total') + grown('retries', 'requeues')) / seconds,
    ...(connections === undefined ? {} : { connections }),
    ...(connections === undefined || connections === 0 ? {} : { tls: Math.min(1, secure / connections) }),
  };
}

/** The worst first: by failures a second, then by requests a second. */
export function byTrouble(a: StatRow, b: StatRow): number {
  const failures = ({ requestsPerSec, success = 1 }: StatRow): number => requestsPerSec * (1 - success);
  return failures(b) - failures(a) || b.requestsPerSec - a.requestsPerSec;
}

export function statCells(rows: readonly StatRow[]): string[][] {
  const head = ['ROUTER', 'KIND', 'NAME', 'RPS', 'SUCCESS', 'P50', 'P95', 'P99', 'RETRIES/S', 'CONN', 'TLS'];
  const ms = (value: number | undefined): string => (value === undefined ? '-' : `${Math.round(value)}ms`);
  const percent = (share: number | undefined, digits: number): string =>
    share === undefined ? '-' : `${(share * 100).toFixed(digits)}%`;
  const cells = rows.map((row) => [
    row.router,
    row.kind,
    row.name,
    row.requestsPerSec.toFixed(1),
    percent(row.success, 2),
    ms(row.p50),
    ms(row.p95),
    ms(row.p99),
    row.retriesPerSec.toFixed(1),
    row.connections === undefined ? '-' : String(row.connections),
    percent(row.tls, 0),
  ]);
  return [head, ...cells];
}

function child(value: unknown, key: string): Values {
  const found = typeof value === 'object' && value !== null ? (value as Values)[key] : undefined;
  return typeof found === 'object' && found !== null ? (found as Values) : {};
}

function number(values: Values, key: string): number | undefined {
  const value = values[key];
  return typeof value === 'number' ? value : undefined;
}
