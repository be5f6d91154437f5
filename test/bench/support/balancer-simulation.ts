/**
 * A pool of simulated endpoints behind a real balancer with real failure accrual. An endpoint has four workers
 * and a queue; requests arrive at random (Poisson) and take an exponential time. The first half of a run warms
 * up and is not counted.
 */
import type { LoadBalancerSpec } from '../../../config/spec.ts';
import { Balancer } from '../../../routers/balance/balancer.ts';
import { BalancerStats } from '../../../routers/balance/balancer-stats.ts';
import { type Balanced, BalancerNode, type EndpointStatus } from '../../../routers/balance/distributor.ts';
import { makeDistributor } from '../../../routers/balance/make-distributor.ts';
import { makeAccrualPolicy } from '../../../routers/client/accrual-policy.ts';
import { AccrualStats, DEFAULT_ACCRUAL, FailureAccrual } from '../../../routers/client/failure-accrual.ts';
import { type Rng, seededRng } from '../../../src/base/rng.ts';
import { noStats } from '../../../src/base/stats.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { EventClock } from './event-clock.ts';

const WORKERS = 4;
/** How an error's time relates to that of an answer. */
const ERROR_SHARE = 0.1;

export type Scenario = {
  readonly name: string;
  readonly endpoints: number;
  readonly requests: number;
  /** On average. */
  readonly serviceMs: number;
  /** Share of the capacity of the endpoints that are in order. */
  readonly utilisation: number;
  /** What the first endpoint is. `warming`: added when counting begins, and slow for 300 service times. */
  readonly first: 'equal' | 'slow' | 'failing' | 'warming' | 'absent';
  /** The second half of the endpoints has weight 3, and three times the workers. */
  readonly weights?: boolean;
};

export type Outcome = {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The busiest endpoint's requests (per weight), relative to the average; without the first one. */
  readonly spread: number;
  /** Requests that the first endpoint got, relative to an equal share. */
  readonly firstShare: number;
  readonly failedPercent: number;
};

class Endpoint implements Balanced {
  status: EndpointStatus = 'open';
  load = 0;
  served = 0;
  busyWorkers = 0;
  slowUntilMs = 0;
  readonly queue: (() => void)[] = [];
  readonly node = new BalancerNode();
  readonly weight: number;
  readonly workers: number;
  readonly slowness: number;
  readonly fails: boolean;
  accrual: FailureAccrual | undefined;

  constructor(weight: number, slowness: number, fails: boolean) {
    this.weight = weight;
    this.workers = WORKERS * weight;
    this.slowness = slowness;
    this.fails = fails;
  }

  closeIdle(): void {}
}

export function simulate(spec: LoadBalancerSpec, scenario: Scenario, seed = 1): Outcome {
  return new Simulation(spec, scenario, seededRng(seed)).run();
}

class Simulation {
  readonly #clock = new EventClock();
  readonly #rng: Rng;
  readonly #scenario: Scenario;
  readonly #balancer: Balancer<Endpoint>;
  readonly #wheel = new TimerWheel(this.#clock);
  readonly #endpoints: Endpoint[];
  readonly #late: Endpoint | undefined;
  readonly #latencies: number[] = [];
  readonly #everyMs: number;
  #arrived = 0;
  #failed = 0;

  constructor(spec: LoadBalancerSpec, scenario: Scenario, rng: Rng) {
    this.#scenario = scenario;
    this.#rng = rng;
    const stats = new BalancerStats(noStats, spec.kind);
    const deps = { rng, nowMs: () => this.#clock.nowMs(), stats };
    this.#balancer = new Balancer<Endpoint>({ make: () => makeDistributor(spec, deps), rng, stats });
    const all = Array.from({ length: scenario.endpoints }, (_, i) => this.#makeEndpoint(i));
    const healthy = all.slice(scenario.first === 'equal' ? 0 : 1);
    const capacity = healthy.reduce((sum, each) => sum + each.workers, 0) / scenario.serviceMs;
    this.#everyMs = 1 / (capacity * scenario.utilisation);
    const hasFirst = scenario.first !== 'absent' && scenario.first !== 'warming';
    this.#late = scenario.first === 'warming' ? all[0] : undefined;
    this.#endpoints = hasFirst ? all : healthy;
    this.#balancer.update(this.#endpoints);
  }

  run(): Outcome {
    const { requests } = this.#scenario;
    this.#clock.after(0, () => this.#arrive());
    this.#clock.run(() => this.#latencies.length >= requests / 2);
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const percentile = (p: number): number => sorted[Math.floor(sorted.length * p)] ?? 0;
    const [first, ...others] = this.#endpoints;
    const shares = others.map((each) => each.served / each.weight);
    const average = shares.reduce((sum, each) => sum + each, 0) / shares.length;
    return {
      p50Ms: percentile(0.5),
      p99Ms: percentile(0.99),
      spread: Math.max(...shares) / average,
      firstShare: (first?.served ?? 0) / average,
      failedPercent: (100 * this.#failed) / requests,
    };
  }

  #makeEndpoint(index: number): Endpoint {
    const { first, endpoints, weights } = this.#scenario;
    const heavy = weights === true && index >= endpoints / 2;
    const slow = index === 0 && first === 'slow';
    const endpoint = new Endpoint(heavy ? 3 : 1, slow ? 10 : 1, index === 0 && first === 'failing');
    const policy = makeAccrualPolicy(DEFAULT_ACCRUAL, 0);
    if (policy === undefined) return endpoint;
    const deps = { wheel: this.#wheel, rng: this.#rng, stats: new AccrualStats(noStats), backoff: undefined };
    endpoint.accrual = new FailureAccrual(policy, deps, () => this.#changed(endpoint));
    return endpoint;
  }

  #changed(endpoint: Endpoint): void {
    const before = endpoint.status;
    const state = endpoint.accrual?.state;
    endpoint.status = state === 'dead' || state === 'probing' ? 'busy' : 'open';
    if (endpoint.status !== before) this.#balancer.changed(endpoint, before);
  }

  #arrive(): void {
    const { requests } = this.#scenario;
    if (this.#arrived++ === Math.floor(requests / 2)) this.#addLate();
    this.#clock.after(-Math.log(1 - this.#rng.next()) * this.#everyMs, () => this.#arrive());
    const endpoint = this.#balancer.pick(undefined);
    if (endpoint === undefined) throw new Error('no endpoint');
    const startedMs = this.#clock.nowMs();
    const probe = endpoint.accrual?.begin(startedMs) ?? false;
    this.#balancer.started(endpoint);
    endpoint.served++;
    this.#serve(endpoint, () => {
      const nowMs = this.#clock.nowMs();
      this.#balancer.ended(endpoint, startedMs);
      if (endpoint.fails) {
        this.#failed++;
        endpoint.accrual?.failure(probe, nowMs);
      } else endpoint.accrual?.success(startedMs, nowMs);
      if (this.#arrived > requests / 2) this.#latencies.push(nowMs - startedMs);
    });
  }

  #addLate(): void {
    if (this.#late === undefined) return;
    this.#late.slowUntilMs = this.#clock.nowMs() + 300 * this.#scenario.serviceMs;
    this.#endpoints.unshift(this.#late);
    this.#balancer.update([...this.#endpoints]);
  }

  #serve(endpoint: Endpoint, done: () => void): void {
    if (endpoint.busyWorkers >= endpoint.workers) {
      endpoint.queue.push(done);
      return;
    }
    endpoint.busyWorkers++;
    const slowness = endpoint.slowUntilMs > this.#clock.nowMs() ? 10 : endpoint.slowness;
    const averageMs = this.#scenario.serviceMs * (endpoint.fails ? ERROR_SHARE : slowness);
    this.#clock.after(-Math.log(1 - this.#rng.next()) * averageMs, () => {
      endpoint.busyWorkers--;
      done();
      const next = endpoint.queue.shift();
      if (next !== undefined) this.#serve(endpoint, next);
    });
  }
}
