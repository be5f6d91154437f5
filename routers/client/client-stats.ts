/**
 * Metric handles of a client (a bound name): `rt/<router>/client/<id>/…`. Made once, when the name is bound.
 */
import type { LoadBalancerSpec } from '../../config/spec.ts';
import type { Counter, Gauge, Scope, Stat } from '../../src/base/stats.ts';
import { BalancerStats } from '../balance/balancer-stats.ts';
import { BodyStats } from '../body-stats.ts';
import { ConnectionStats } from '../connection-stats.ts';
import { FailureCounters, RequestStats, StatusStats } from '../request-stats.ts';
import { FailFastStats } from './fail-fast.ts';
import { AccrualStats } from './failure-accrual.ts';

/** What is counted depends on what is configured. */
export type CountedFeatures = {
  readonly balancer: LoadBalancerSpec['kind'];
  readonly failFast: boolean;
  readonly sessionIdle: boolean;
  readonly sessionLife: boolean;
};

export class ClientStats {
  readonly requests: RequestStats;
  readonly status: StatusStats;
  readonly traffic: ConnectionStats;
  readonly bodies: BodyStats;
  readonly connectLatency: Stat;
  readonly failedConnectLatency: Stat;
  readonly cancelledConnects: Counter;
  readonly acquisitionLatency: Stat;
  readonly acquisitionFailures: FailureCounters;
  readonly available: Gauge;
  readonly poolSize: Gauge;
  readonly poolCached: Gauge;
  readonly poolWaiters: Gauge;
  readonly waited: Counter;
  readonly tooManyWaiters: Counter;
  readonly noDescriptors: Counter;
  readonly requeues: Counter;
  readonly requeueBudgetExhausted: Counter;
  readonly requestLimit: Counter;
  readonly cannotRetry: Counter;
  readonly notOpen: Counter;
  readonly requeuesPerRequest: Stat;
  readonly requeueBudget: Gauge;
  readonly balancer: BalancerStats;
  readonly accrual: AccrualStats;
  readonly failFast: FailFastStats | undefined;
  /** Connections closed by `clientSession`. */
  readonly idleClosed: Counter | undefined;
  readonly lifetimeClosed: Counter | undefined;
  readonly #scope: Scope;
  readonly #byService = new Map<string, RequestStats>();

  constructor(scope: Scope, features: CountedFeatures) {
    this.#scope = scope;
    this.requests = new RequestStats(scope);
    this.status = new StatusStats(scope);
    this.traffic = new ConnectionStats(scope);
    this.bodies = new BodyStats(scope);
    this.connectLatency = scope.stat('connect_latency_ms');
    this.failedConnectLatency = scope.stat('failed_connect_latency_ms');
    this.cancelledConnects = scope.counter('cancelled_connects');
    const acquisition = scope.scope('service_creation');
    this.acquisitionLatency = acquisition.stat('service_acquisition_latency_ms');
    this.acquisitionFailures = new FailureCounters(acquisition);
    this.available = scope.gauge('available');
    this.poolSize = scope.gauge('pool_size');
    this.poolCached = scope.gauge('pool_cached');
    this.poolWaiters = scope.gauge('pool_waiters');
    this.waited = scope.counter('pool_num_waited');
    this.tooManyWaiters = scope.counter('pool_num_too_many_waiters');
    this.noDescriptors = scope.counter('no_descriptors');
    this.requeues = scope.counter('retries', 'requeues');
    this.requeueBudgetExhausted = scope.counter('retries', 'budget_exhausted');
    this.requestLimit = scope.counter('retries', 'request_limit');
    this.cannotRetry = scope.counter('retries', 'cannot_retry');
    this.notOpen = scope.counter('retries', 'not_open');
    this.requeuesPerRequest = scope.stat('retries', 'requeues_per_request');
    this.requeueBudget = scope.gauge('retries', 'budget');
    this.balancer = new BalancerStats(scope.scope('loadbalancer'), features.balancer);
    this.accrual = new AccrualStats(scope.scope('failure_accrual'));
    this.failFast = features.failFast ? new FailFastStats(scope.scope('failfast')) : undefined;
    this.idleClosed = features.sessionIdle ? scope.counter('idle') : undefined;
    this.lifetimeClosed = features.sessionLife ? scope.counter('lifetime') : undefined;
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
