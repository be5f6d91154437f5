/** What is particular to each algorithm. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadBalancerSpec } from '../../../config/spec.ts';
import { Aperture } from '../../../routers/balance/aperture.ts';
import { PENALTY_MS, PeakEwma } from '../../../routers/balance/peak-ewma.ts';
import { seededRng } from '../../../src/base/rng.ts';
import { BalancerRig, Node, nodes, specs } from './nodes.ts';

const nobody = { add() {} };
const shared = { rebuilds: nobody, maxEffortExhausted: nobody };

describe('P2c', () => {
  it('takes the less loaded of two, so that the most loaded is never taken and loads stay close', () => {
    const members = nodes(10);
    members[0]!.load = 1000;
    const rig = new BalancerRig(members, specs.p2c);
    for (let i = 0; i < 5000; i++) rig.start();
    assert.equal(members[0]!.picked, 0);
    const loads = members.slice(1).map((each) => each.load);
    assert.ok(Math.max(...loads) - Math.min(...loads) <= 6, loads.join());
  });

  it('looks at maxEffort draws, and then takes whoever comes', () => {
    const rig = new BalancerRig(nodes(3), { kind: 'p2c', maxEffort: 2, enableProbation: false });
    rig.balancer.update([]);
    const down = nodes(4);
    for (const each of down) each.status = 'busy';
    rig.balancer.update(down);
    rig.run(10);
    assert.equal(rig.stats.value('max_effort_exhausted'), 10);
  });
});

describe('maxEffort', () => {
  for (const kind of ['p2c', 'ewma', 'aperture'] as const) {
    it(`is how often one that is open is looked for: ${kind}`, () => {
      const exhausted = [1, 2, 4].map((maxEffort) => {
        const members = nodes(1000);
        for (const each of members.slice(0, 700)) each.status = 'busy';
        const rig = new BalancerRig(members, {
          ...specs[kind],
          minAperture: 1000,
          maxEffort,
        } as LoadBalancerSpec);
        for (let i = 0; i < 10_000; i++) rig.balancer.pick(undefined);
        return rig.stats.value('max_effort_exhausted');
      });
      // Both of two are down in 49 % of all draws.
      for (const [i, expected] of [4900, 2400, 576].entries()) {
        assert.ok(Math.abs((exhausted[i] as number) / expected - 1) < 0.15, exhausted.join());
      }
    });
  }
});

describe('PeakEwma', () => {
  let nowMs = 0;
  const deps = { rng: seededRng(1), nowMs: () => nowMs, stats: shared };
  const ewma = new PeakEwma<Node>(5, 10_000, deps);
  const attempt = (node: Node, ms: number): void => {
    const startedMs = nowMs;
    nowMs += ms;
    ewma.ended(node, startedMs);
  };

  it('picks a new endpoint first, and not again until it has answered', () => {
    const node = new Node();
    assert.equal(ewma.loadAt(node, nowMs), 0);
    node.load = 1;
    assert.equal(ewma.loadAt(node, nowMs), PENALTY_MS + 1);
  });

  it('takes a peak over at once, and forgets it within about the decay time', () => {
    const node = new Node();
    attempt(node, 10);
    assert.equal(ewma.loadAt(node, nowMs), 10);
    attempt(node, 1000);
    assert.equal(ewma.loadAt(node, nowMs), 1000);
    const peakMs = nowMs;
    while (nowMs < peakMs + 10_000) attempt(node, 10);
    const load = ewma.loadAt(node, nowMs);
    assert.ok(load > 300 && load < 400, `${load}`);
    while (nowMs < peakMs + 100_000) attempt(node, 10);
    assert.ok(ewma.loadAt(node, nowMs) < 11);
  });

  it('comes back to an endpoint after a time that decayTimeMs gives', () => {
    const picks = [1000, 10_000].map((decayTimeMs) => {
      const [slow, good] = nodes(2);
      const rig = new BalancerRig([slow!, good!], { ...specs.ewma, decayTimeMs } as LoadBalancerSpec);
      const ms = (node: Node): number => (node === slow ? 1000 : 100);
      while (slow!.picked < 2) rig.run(1, ms);
      return good!.picked;
    });
    // A tenth of a peak is left after 2.3 decay times.
    assert.deepEqual(picks, [24, 231]);
  });

  it('decays while nothing is asked, and multiplies by what is out', () => {
    const node = new Node();
    attempt(node, 100);
    nowMs += 10_000;
    const idle = ewma.loadAt(node, nowMs);
    assert.ok(Math.abs(idle - 100 / Math.E) < 0.01);
    node.load = 3;
    assert.equal(ewma.loadAt(node, nowMs), idle * 4);
  });

  it('takes no harm from a clock that goes back', () => {
    const node = new Node();
    attempt(node, 100);
    nowMs -= 5000;
    assert.equal(ewma.loadAt(node, nowMs), 100);
    attempt(node, -10);
    assert.ok(ewma.loadAt(node, nowMs) >= 0);
  });

  it('leaves an endpoint that is slow, and comes back to it when it is not', () => {
    const members = nodes(4);
    const rig = new BalancerRig(members, specs.ewma);
    rig.run(2000, (node) => (node === members[0] ? 100 : 10));
    assert.ok(members[0]!.picked < 20, `${members[0]!.picked}`);
    for (const each of members) each.picked = 0;
    rig.run(20_000, 10);
    assert.ok(members[0]!.picked > 3000, `${members[0]!.picked}`);
  });
});

describe('RoundRobin', () => {
  it('goes round those that are open', () => {
    const members = nodes(4);
    const rig = new BalancerRig(members, specs.roundRobin);
    rig.run(400);
    assert.deepEqual(
      members.map((each) => each.picked),
      [100, 100, 100, 100],
    );
    rig.set(members[1]!, 'busy');
    rig.run(300);
    assert.deepEqual(
      members.map((each) => each.picked),
      [200, 100, 200, 200],
    );
    rig.set(members[1]!, 'open');
    rig.run(400);
    assert.deepEqual(
      members.map((each) => each.picked),
      [300, 200, 300, 300],
    );
  });

  it('goes round all when none is open', () => {
    const members = nodes(4);
    const rig = new BalancerRig(members, specs.roundRobin);
    for (const each of members) rig.set(each, 'busy');
    rig.run(60);
    for (const each of members) assert.ok(Math.abs(each.picked - 15) <= 1);
  });
});

describe('Heap', () => {
  it('always picks one of the least loaded', () => {
    const members = nodes(20);
    const rig = new BalancerRig(members, specs.heap);
    for (let i = 0; i < 205; i++) {
      const least = Math.min(...members.map((each) => each.load));
      assert.equal(rig.start().load, least + 1);
    }
    const loads = members.map((each) => each.load);
    assert.equal(Math.max(...loads) - Math.min(...loads), 1);
  });

  it('spreads single attempts over all', () => {
    for (const count of [2, 20]) {
      const members = nodes(count);
      new BalancerRig(members, specs.heap).run(1000 * count);
      for (const each of members) assert.ok(each.picked > 300, `${each.picked}`);
    }
  });
});

describe('Aperture', () => {
  const shown = ['logical_aperture', 'physical_aperture', 'loadband/widen', 'loadband/narrow'];

  it('is as wide as the offered load asks for', () => {
    const members = nodes(50);
    const rig = new BalancerRig(members, specs.aperture);
    assert.equal(rig.stats.value('logical_aperture'), 1);
    rig.run(100, 10);
    assert.equal(members.filter((each) => each.picked > 0).length, 1, 'one at a time needs one endpoint');
    const out: Node[] = [];
    for (let i = 0; i < 400; i++) {
      rig.nowMs += 100;
      out.push(rig.start());
      if (out.length > 20) rig.balancer.ended(out.shift()!, rig.nowMs - 2000);
    }
    const wide = rig.stats.value('logical_aperture');
    assert.ok(wide >= 10 && wide <= 40, `${wide}`);
    for (const node of out.splice(0)) rig.balancer.ended(node, rig.nowMs);
    rig.run(2000, 100);
    assert.ok(rig.stats.value('logical_aperture') <= 2);
    for (const name of shown) assert.ok(rig.stats.value(name) > 0, name);
  });

  it('keeps the load of each in the window between lowLoad and highLoad', () => {
    const widths = [
      [0.52, 2],
      [1.1, 4],
    ].map(([lowLoad, highLoad]) => {
      const rig = new BalancerRig(nodes(50), { ...specs.aperture, lowLoad, highLoad } as LoadBalancerSpec);
      const out = Array.from({ length: 20 }, () => rig.start());
      // With one attempt more, at least 100 ms apart.
      for (let i = 0; i < 1000; i++) {
        rig.nowMs += 100;
        rig.run(1);
      }
      const high = rig.stats.value('logical_aperture');
      for (const node of out.splice(4)) rig.balancer.ended(node, rig.nowMs);
      for (let i = 0; i < 1000; i++) {
        rig.nowMs += 100;
        rig.run(1);
      }
      return [high, rig.stats.value('logical_aperture')];
    });
    // 21 attempts, then 5.
    assert.deepEqual(widths, [
      [11, 9],
      [6, 4],
    ]);
  });

  it('averages the load over smoothWindowMs, and expires by it', () => {
    const rig = new BalancerRig(nodes(10), { ...specs.aperture, smoothWindowMs: 500 } as LoadBalancerSpec);
    rig.start();
    rig.nowMs += 500;
    rig.start();
    const average = rig.stats.value('loadband/offered_load_ema');
    assert.ok(Math.abs(average - (2 - Math.exp(-1))) < 1e-9, `${average}`);
    rig.nowMs += 4400;
    rig.balancer.expire();
    assert.equal(rig.stats.value('expired'), 0);
    rig.nowMs += 200;
    rig.balancer.expire();
    assert.ok(rig.stats.value('expired') > 0);
  });

  it('is never narrower than minAperture, nor wider than there are endpoints', () => {
    const spec = { ...specs.aperture, kind: 'aperture', minAperture: 5 } as typeof specs.aperture;
    const members = nodes(8);
    const rig = new BalancerRig(members, spec);
    rig.run(2000, 1);
    assert.equal(rig.stats.value('logical_aperture'), 5);
    assert.equal(members.filter((each) => each.picked > 0).length, 5);
    for (let i = 0; i < 1000; i++) {
      rig.nowMs += 100;
      rig.start();
    }
    assert.equal(rig.stats.value('logical_aperture'), 8);
    rig.balancer.update(members.slice(0, 3));
    assert.equal(rig.stats.value('logical_aperture'), 3);
  });

  it('lets go of those outside that have not been used for ten windows', () => {
    const members = nodes(10);
    const rig = new BalancerRig(members, specs.aperture);
    rig.run(10, 10);
    rig.balancer.expire();
    assert.equal(rig.stats.value('expired'), 0);
    rig.nowMs += 50_001;
    rig.balancer.expire();
    rig.balancer.expire();
    assert.equal(rig.stats.value('expired'), 9);
    assert.equal(
      members.reduce((sum, each) => sum + each.closedIdle, 0),
      9,
    );
  });

  it('moves to others when those in the window are down, and back', () => {
    const members = nodes(10);
    const rig = new BalancerRig(members, specs.aperture);
    const first = rig.start();
    rig.balancer.ended(first, rig.nowMs);
    rig.set(first, 'busy');
    rig.run(50, 1);
    assert.equal(first.picked, 1);
    rig.set(first, 'open');
    rig.run(50, 1);
    assert.equal(first.picked, 51);
    assert.equal(rig.stats.value('rebuilds'), 1);
  });

  it('takes the first sample as it is', () => {
    let average = 0;
    const gauge = { set() {}, add() {} };
    const stats = {
      ...shared,
      logicalAperture: gauge,
      physicalAperture: gauge,
      vectorHash: gauge,
      coordinateUpdates: nobody,
      offeredLoad: {
        set(value: number) {
          average = value;
        },
        add() {},
      },
      widen: nobody,
      narrow: nobody,
      expired: nobody,
    };
    const spec = { maxEffort: 5, smoothWindowMs: 5000, lowLoad: 0.5, highLoad: 2, minAperture: 1 };
    const aperture = new Aperture<Node>(spec, { rng: seededRng(1), nowMs: () => 0, stats });
    aperture.update(nodes(3));
    aperture.started();
    assert.equal(average, 1);
  });
});
