/** The admin server's own metrics, under `adminhttp`. */
import type { Counter, Gauge, Scope, Stat } from '../base/stats.ts';
import type { AdminSources } from './sources.ts';

export class AdminStats {
  readonly #requests: Counter;
  readonly #latency: Stat;
  readonly #connects: Counter;
  readonly #closes: Counter;
  readonly #connections: Gauge;
  readonly #status: Scope;

  constructor(sources: AdminSources) {
    const scope = sources.metrics.scope.scope('adminhttp');
    this.#requests = scope.counter('requests');
    this.#latency = scope.stat('request_latency_ms');
    this.#connects = scope.counter('connects');
    this.#closes = scope.counter('closes');
    this.#connections = scope.gauge('connections');
    this.#status = scope.scope('status');
  }

  opened(): void {
    this.#connects.add(1);
    this.#connections.add(1);
  }

  closed(): void {
    this.#closes.add(1);
    this.#connections.add(-1);
  }

  answered(status: number, elapsedMs: number): void {
    this.#requests.add(1);
    this.#latency.observe(elapsedMs);
    this.#status.counter(`${Math.floor(status / 100)}XX`).add(1);
  }
}
