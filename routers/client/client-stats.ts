/**
 * Metric handles of a client (a bound name): `rt/<router>/client/<id>/…`. Made once, when the name is bound.
 */
import type { Counter, Gauge, Scope, Stat } from '../../src/base/stats.ts';
import { RequestStats, StatusStats } from '../request-stats.ts';

export class ClientStats {
  readonly requests: RequestStats;
  readonly status: StatusStats;
  readonly connects: Counter;
  readonly closes: Counter;
  readonly connections: Gauge;
  readonly receivedBytes: Counter;
  readonly sentBytes: Counter;
  readonly connectLatency: Stat;
  readonly failedConnectLatency: Stat;
  readonly acquisitionFailures: Counter;
  readonly available: Gauge;
  readonly poolSize: Gauge;
  readonly poolCached: Gauge;
  readonly poolWaiters: Gauge;
  readonly waited: Counter;
  readonly tooManyWaiters: Counter;
  readonly requeues: Counter;
  readonly requeueBudgetExhausted: Counter;
  readonly requestLimit: Counter;
  readonly balancerSize: Gauge;
  readonly balancerAvailable: Gauge;
  readonly adds: Counter;
  readonly removes: Counter;
  readonly updates: Counter;
  readonly #scope: Scope;
  readonly #byService = new Map<string, RequestStats>();

  constructor(scope: Scope) {
    this.#scope = scope;
    this.requests = new RequestStats(scope);
    this.status = new StatusStats(scope);
    this.connects = scope.counter('connects');
    this.closes = scope.counter('closes');
    this.connections = scope.gauge('connections');
    this.receivedBytes = scope.counter('received_bytes');
    this.sentBytes = scope.counter('sent_bytes');
    this.connectLatency = scope.stat('connect_latency_ms');
    this.failedConnectLatency = scope.stat('failed_connect_latency_ms');
    this.acquisitionFailures = scope.counter('service_creation', 'failures');
    this.available = scope.gauge('available');
    this.poolSize = scope.gauge('pool_size');
    this.poolCached = scope.gauge('pool_cached');
    this.poolWaiters = scope.gauge('pool_waiters');
    this.waited = scope.counter('pool_num_waited');
    this.tooManyWaiters = scope.counter('pool_num_too_many_waiters');
    this.requeues = scope.counter('retries', 'requeues');
    this.requeueBudgetExhausted = scope.counter('retries', 'budget_exhausted');
    this.requestLimit = scope.counter('retries', 'request_limit');
    const balancer = scope.scope('loadbalancer');
    this.balancerSize = balancer.gauge('size');
    this.balancerAvailable = balancer.gauge('available');
    this.adds = balancer.counter('adds');
    this.removes = balancer.counter('removes');
    this.updates = balancer.counter('updates');
    balancer.gauge('algorithm', 'p2c_least_loaded').set(1);
  }

  /** Attempts by service path. `service` is the printed name without its leading slash. */
  ofService(service: string): RequestStats {
    let stats = this.#byService.get(service);
    if (stats === undefined) {
      stats = new RequestStats(this.#scope.scope('service', service));
      this.#byService.set(service, stats);
    }
    return stats;
  }

  prune(): void {
    this.#scope.prune();
  }
}
