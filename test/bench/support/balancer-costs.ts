/** What balancing costs a request, and what an update of an address set costs. */
import type { Address } from '../../../dtab/names.ts';
import {
  ConsecutiveFailures,
  SuccessRate,
  WindowedSuccessRate,
} from '../../../routers/client/accrual-policy.ts';
import { Endpoint, type EndpointSettings } from '../../../routers/client/endpoint.ts';
import { EndpointSet } from '../../../routers/client/endpoint-set.ts';
import { AccrualStats, FailureAccrual } from '../../../routers/client/failure-accrual.ts';
import { mathRng, seededRng } from '../../../src/base/rng.ts';
import { noStats } from '../../../src/base/stats.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { BalancerRig, nodes, specs } from '../../routers/balance/nodes.ts';
import { EventClock } from './event-clock.ts';

const ROUNDS = 9;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** CPU time of this thread: other load of the machine counts only as far as it spoils the caches. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Median ns of one call. */
function nsOf(count: number, call: (i: number) => void): number {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = cpuMs();
    for (let i = 0; i < count; i++) call(i);
    rounds.push(((cpuMs() - start) * 1e6) / count);
  }
  return median(rounds);
}

export type PickCost = {
  readonly kind: string;
  readonly pickNs: number;
  readonly attemptNs: number;
  /** Of the heap, by a pick: 0 but for what the measurement itself leaves. */
  readonly bytes: number;
};

export function pickCosts(endpoints: number): PickCost[] {
  return Object.entries(specs).map(([kind, spec]) => {
    const { balancer } = new BalancerRig(nodes(endpoints), spec, mathRng);
    const attempt = (i: number): void => {
      const node = balancer.pick(undefined);
      if (node === undefined) return;
      balancer.started(node);
      balancer.ended(node, i);
    };
    const attemptNs = nsOf(200_000, attempt);
    const pick = (): void => void balancer.pick(undefined);
    const pickNs = nsOf(200_000, pick);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 20_000; i++) balancer.pick(undefined);
    const bytes = Math.max(0, process.memoryUsage().heapUsed - before) / 20_000;
    return { kind, pickNs, attemptNs, bytes };
  });
}

export function accrualCosts(): [name: string, ns: number][] {
  const wheel = new TimerWheel(new EventClock());
  const deps = { wheel, rng: seededRng(1), stats: new AccrualStats(noStats), backoff: undefined };
  const policies = {
    consecutiveFailures: new ConsecutiveFailures(5),
    successRate: new SuccessRate(0.5, 100),
    successRateWindowed: new WindowedSuccessRate(0.5, 10_000, 0),
  };
  return Object.entries(policies).map(([name, policy]) => {
    const accrual = new FailureAccrual(policy, deps, () => {});
    return [`accrual, a success: ${name}`, nsOf(1_000_000, (i) => accrual.success(i, i))];
  });
}

/** Real endpoints, without connections. */
export function updateCosts(count: number): [name: string, ms: number][] {
  const wheel = new TimerWheel(new EventClock());
  const settings = {
    makeAccrual: (changed: () => void) => {
      const deps = { wheel, rng: seededRng(1), stats: new AccrualStats(noStats), backoff: undefined };
      return new FailureAccrual(new ConsecutiveFailures(5), deps, changed);
    },
    makeFailFast: () => undefined,
  } as unknown as EndpointSettings;
  const user = { acquired() {}, acquireFailed() {}, waitExpired() {}, statusChanged() {} };
  const make = (address: Address): Endpoint => new Endpoint(address, user, settings);
  const addresses = (): Address[] =>
    Array.from({ length: count }, (_, i) => ({
      host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      port: 80,
    }));
  const set = new EndpointSet();
  const { balancer } = new BalancerRig([], specs.p2c);
  const update = (next: readonly Address[]): number => {
    const start = cpuMs();
    set.replace(next, start, make, () => false);
    balancer.update(set.list as never);
    return cpuMs() - start;
  };
  const first = update(addresses());
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const next = addresses();
    next[round * 7] = { host: '10.9.9.9', port: 80 + round };
    rounds.push(update(next));
  }
  return [
    [`the first set of ${count} endpoints`, first],
    ['an update of it that changes one', median(rounds)],
  ];
}
