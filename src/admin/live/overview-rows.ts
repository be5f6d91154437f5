/**
 * What runs, as rows: each router, server, service and client with its rates since the sample before. A row
 * is made of the metrics that the control thread has anyway: a sample asks the data threads nothing.
 */
import { setImmediate } from 'node:timers/promises';
import type { MetricNode, MetricsTree } from '../../telemetry/metrics-tree.ts';
import type { OverviewRow } from './overview-row.ts';

type Counts = { requests: number; success: number; failures: number; retries: number };
type Sample = Counts & { readonly atMs: number; readonly row: OverviewRow };

const ROWS_A_SLICE = 50;

export class OverviewRows {
  readonly #metrics: MetricsTree;
  #last = new Map<string, Sample>();

  constructor(metrics: MetricsTree) {
    this.#metrics = metrics;
  }

  /** All rows as JSON, by their key; between slices the loop runs. */
  async sample(nowMs: number): Promise<ReadonlyMap<string, string>> {
    const rows = new Map<string, string>();
    const samples = new Map<string, Sample>();
    let count = 0;
    for (const router of [...(this.#metrics.find(['rt'])?.children.values() ?? [])]) {
      const parts: OverviewRow[] = [];
      for (const kind of ['server', 'service', 'client'] as const) {
        for (const node of [...(router.children.get(kind)?.children.values() ?? [])]) {
          const key = `${kind} ${router.segment} ${node.segment}`;
          const sample = this.#row(kind, router.segment, node, this.#last.get(key), nowMs);
          if (sample === undefined) continue;
          samples.set(key, sample);
          rows.set(key, JSON.stringify(sample.row));
          parts.push(sample.row);
          if (++count % ROWS_A_SLICE === 0) await setImmediate();
        }
      }
      rows.set(`router ${router.segment}`, JSON.stringify(routerRow(router.segment, parts)));
    }
    this.#last = samples;
    return rows;
  }

  #row(
    kind: 'server' | 'service' | 'client',
    router: string,
    node: MetricNode,
    last: Sample | undefined,
    atMs: number,
  ): Sample | undefined {
    const requests = numberAt(node, 'requests');
    if (requests === undefined) return undefined;
    const counts: Counts = {
      requests,
      success: numberAt(node, 'success') ?? 0,
      failures: numberAt(node, 'failures') ?? 0,
      retries: numberAt(node, 'retries', kind === 'client' ? 'requeues' : 'total') ?? 0,
    };
    const connections = kind === 'service' ? undefined : numberAt(node, 'connections');
    const size = numberAt(node, 'loadbalancer', 'size');
    const row: OverviewRow = {
      kind,
      router,
      name: node.segment,
      requests,
      ...ratesOf(counts, last, atMs),
      ...latencyOf(node, last !== undefined && last.requests === requests ? last.row : undefined),
      connections: connections ?? null,
      tls: tlsShare(node, connections),
      ...(size === undefined
        ? {}
        : { available: numberAt(node, 'loadbalancer', 'available') ?? 0, endpoints: size }),
    };
    return { ...counts, atMs, row };
  }
}

function ratesOf(
  counts: Counts,
  last: Sample | undefined,
  atMs: number,
): Pick<OverviewRow, 'rps' | 'success' | 'retries'> {
  // A name that was evicted and came back starts from zero.
  if (last === undefined || atMs <= last.atMs || counts.requests < last.requests)
    return { rps: null, success: null, retries: null };
  const perSecond = 1000 / (atMs - last.atMs);
  const good = counts.success - last.success;
  const bad = counts.failures - last.failures;
  return {
    rps: rounded((counts.requests - last.requests) * perSecond),
    success: good + bad > 0 ? good / (good + bad) : null,
    retries: rounded((counts.retries - last.retries) * perSecond),
  };
}

type Latency = Pick<OverviewRow, 'p50' | 'p95' | 'p99'>;

function latencyOf(node: MetricNode, unchanged: Latency | undefined): Latency {
  const metric = node.children.get('request_latency_ms')?.metric;
  if (metric?.type !== 'stat') return { p50: null, p95: null, p99: null };
  if (unchanged !== undefined && unchanged.p50 === null) return { p50: null, p95: null, p99: null };
  const { count, p50, p95, p99 } = metric.summary;
  return count === 0 ? { p50: null, p95: null, p99: null } : { p50, p95, p99 };
}

function tlsShare(node: MetricNode, connections: number | undefined): number | null {
  if (connections === undefined || connections === 0) return null;
  return Math.min(1, (numberAt(node, 'tls', 'connections') ?? 0) / connections);
}

/** Requests of a router are those of its servers; retries those of its services and clients. */
function routerRow(router: string, parts: readonly OverviewRow[]): OverviewRow {
  const servers = parts.filter(({ kind }) => kind === 'server');
  const rps = sum(servers, 'rps');
  const connections = sum(servers, 'connections') ?? 0;
  const secure = servers.reduce((total, each) => total + (each.tls ?? 0) * (each.connections ?? 0), 0);
  const judged = servers.filter(({ success, rps: own }) => success !== null && (own ?? 0) > 0);
  const judgedRps = sum(judged, 'rps') ?? 0;
  return {
    kind: 'router',
    router,
    name: router,
    requests: sum(servers, 'requests') ?? 0,
    rps,
    success:
      judgedRps === 0
        ? null
        : judged.reduce((total, each) => total + (each.success ?? 0) * (each.rps ?? 0), 0) / judgedRps,
    p50: worst(servers, 'p50'),
    p95: worst(servers, 'p95'),
    p99: worst(servers, 'p99'),
    retries: sum(
      parts.filter(({ kind }) => kind !== 'server'),
      'retries',
    ),
    connections,
    tls: connections === 0 ? null : secure / connections,
  };
}

type NumberKey = 'requests' | 'rps' | 'retries' | 'connections' | 'p50' | 'p95' | 'p99';

function known(rows: readonly OverviewRow[], key: NumberKey): number[] {
  return rows.flatMap((row) => row[key] ?? []);
}

function sum(rows: readonly OverviewRow[], key: NumberKey): number | null {
  const values = known(rows, key);
  return values.length === 0 ? null : rounded(values.reduce((total, value) => total + value, 0));
}

function worst(rows: readonly OverviewRow[], key: NumberKey): number | null {
  const values = known(rows, key);
  return values.length === 0 ? null : Math.max(...values);
}

function numberAt(node: MetricNode, ...segments: readonly string[]): number | undefined {
  let at: MetricNode | undefined = node;
  for (const segment of segments) at = at?.children.get(segment);
  const metric = at?.metric;
  return metric === undefined || metric.type === 'stat' ? undefined : metric.value;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
