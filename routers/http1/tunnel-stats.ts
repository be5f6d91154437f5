/**
 * Metrics of the tunnels of one server: `rt/<router>/server/<ip>/<port>/tunnel/…`, described in
 * docs/metrics.md.
 */
import type { Counter, Gauge, Scope, Stat } from '../../src/base/stats.ts';

export class TunnelStats {
  /** CONNECT answered 200, and 403. */
  readonly connects: Counter;
  readonly refused: Counter;
  /** What was found inside. */
  readonly http: Counter;
  readonly tls: Counter;
  readonly opaque: Counter;
  /** Answers with 101. */
  readonly upgrades: Counter;
  /** Ended after the 200 without having reached an endpoint. */
  readonly failures: Counter;
  /** Ended by a time limit. */
  readonly timeouts: Counter;
  /** Streams between a caller and an endpoint, whatever they carry. */
  readonly open: Gauge;
  readonly durationMs: Stat;
  /** From callers, and to them. */
  readonly receivedBytes: Counter;
  readonly sentBytes: Counter;

  constructor(server: Scope) {
    const scope = server.scope('tunnel');
    this.connects = scope.counter('connects');
    this.refused = scope.counter('refused');
    this.http = scope.counter('http');
    this.tls = scope.counter('tls');
    this.opaque = scope.counter('opaque');
    this.upgrades = scope.counter('upgrades');
    this.failures = scope.counter('failures');
    this.timeouts = scope.counter('timeouts');
    this.open = scope.gauge('open');
    this.durationMs = scope.stat('duration_ms');
    this.receivedBytes = scope.counter('received_bytes');
    this.sentBytes = scope.counter('sent_bytes');
  }
}
