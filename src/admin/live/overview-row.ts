/** A line of the overview, as the live view is told it. */
export type RowKind = 'router' | 'server' | 'service' | 'client';

/** `null` where there was nothing to measure. Rates are a second, latencies ms of the last minute. */
export type OverviewRow = {
  readonly kind: RowKind;
  readonly router: string;
  readonly name: string;
  readonly requests: number;
  readonly rps: number | null;
  /** Share of the requests since the last sample that succeeded, 0 to 1. */
  readonly success: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly retries: number | null;
  readonly connections: number | null;
  /** Share of the connections that are TLS, 0 to 1. */
  readonly tls: number | null;
  /** Endpoints that can be used, of all. */
  readonly available?: number;
  readonly endpoints?: number;
};
