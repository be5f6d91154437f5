/** Endpoints without connections, and a balancer over them whose metrics can be read. */
import type { LoadBalancerSpec } from '../../../config/spec.ts';
import { Balancer } from '../../../routers/balance/balancer.ts';
import { BalancerStats } from '../../../routers/balance/balancer-stats.ts';
import { type Balanced, BalancerNode, type EndpointStatus } from '../../../routers/balance/distributor.ts';
import { makeDistributor } from '../../../routers/balance/make-distributor.ts';
import { type Rng, seededRng } from '../../../src/base/rng.ts';
import { RecordedStats } from '../../support/recorded-stats.ts';

export class Node implements Balanced {
  status: EndpointStatus = 'open';
  load = 0;
  picked = 0;
  closedIdle = 0;
  weight: number;
  readonly node = new BalancerNode();

  constructor(weight = 1) {
    this.weight = weight;
  }

  closeIdle(): void {
    this.closedIdle++;
  }
}

export const nodes = (count: number, weight = 1): Node[] =>
  Array.from({ length: count }, () => new Node(weight));

const common = { enableProbation: false, maxEffort: 5 };

export const specs: Readonly<Record<LoadBalancerSpec['kind'], LoadBalancerSpec>> = {
  p2c: { kind: 'p2c', ...common },
  ewma: { kind: 'ewma', ...common, decayTimeMs: 10_000 },
  aperture: { kind: 'aperture', ...common, smoothWindowMs: 5000, lowLoad: 0.5, highLoad: 2, minAperture: 1 },
  heap: { kind: 'heap', enableProbation: false },
  roundRobin: { kind: 'roundRobin', ...common },
};

export class BalancerRig {
  nowMs = 1000;
  readonly stats = new RecordedStats();
  readonly rng: Rng;
  readonly balancer: Balancer<Node>;

  constructor(members: readonly Node[], spec: LoadBalancerSpec, rng = seededRng(7)) {
    this.rng = rng;
    const stats = new BalancerStats(this.stats.root, spec.kind);
    const deps = { rng: this.rng, nowMs: () => this.nowMs, stats };
    const make = () => makeDistributor<Node>(spec, deps);
    this.balancer = new Balancer<Node>({ make, rng: this.rng, stats });
    this.balancer.update(members);
  }

  /** Picks, and gives an attempt to whom was picked. */
  start(avoid?: Node): Node {
    const picked = this.balancer.pick(avoid);
    if (picked === undefined) throw new Error('nobody was picked');
    picked.picked++;
    this.balancer.started(picked);
    return picked;
  }

  /** One attempt after the other, each lasting `ms`. */
  run(count: number, ms: number | ((node: Node) => number) = 0): void {
    for (let i = 0; i < count; i++) {
      const startedMs = this.nowMs;
      const node = this.start();
      this.nowMs += typeof ms === 'number' ? ms : ms(node);
      this.balancer.ended(node, startedMs);
    }
  }

  set(node: Node, status: EndpointStatus): void {
    const before = node.status;
    node.status = status;
    this.balancer.changed(node, before);
  }
}
