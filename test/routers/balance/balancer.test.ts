import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { check } from './heap-order.ts';
import { BalancerRig, Node, nodes, specs } from './nodes.ts';

const p2c = (members: readonly Node[]): BalancerRig => new BalancerRig(members, specs.p2c);
const picks = (members: readonly Node[]): number => members.reduce((sum, each) => sum + each.picked, 0);

describe('Balancer', () => {
  it('draws a weight class by weight times size', () => {
    const [light, heavy] = [nodes(2, 1), nodes(3, 4)];
    const rig = p2c([...light, ...heavy]);
    rig.run(10000);
    assert.ok(Math.abs(picks(heavy) / 10000 - 12 / 14) < 0.02, `${picks(heavy)}`);
    for (const each of heavy) assert.ok(Math.abs(each.picked / 10000 - 4 / 14) < 0.03);
    assert.equal(rig.stats.value('num_weight_classes'), 2);
    assert.equal(rig.stats.value('meanweight'), 14 / 5);
  });

  it('draws by weight when every endpoint has its own', () => {
    const members = Array.from({ length: 100 }, (_, i) => new Node(i));
    p2c(members).run(50_000);
    assert.equal(members[0]!.picked, 0);
    for (const each of [members[50]!, members[99]!]) {
      const expected = (50_000 * each.weight) / 4950;
      assert.ok(Math.abs(each.picked - expected) < 0.2 * expected, `${each.picked} of ${expected}`);
    }
  });

  it('draws evenly when all weights are 0', () => {
    const zero = nodes(4, 0);
    p2c(zero).run(10000);
    for (const each of zero) assert.ok(Math.abs(each.picked - 2500) < 300);
  });

  it('passes over a class in which nobody is open', () => {
    const [one, two] = [new Node(1), new Node(2)];
    const rig = p2c([one, two]);
    rig.set(two, 'busy');
    rig.run(100);
    assert.equal(one.picked, 100);
    assert.ok(rig.stats.value('busy_weight_classes') > 50);
    rig.set(one, 'busy');
    rig.run(10);
    assert.equal(picks([one, two]), 110, 'somebody, when all are down');
  });

  it('keeps what an algorithm knows, and the load, over an update', () => {
    const members = nodes(3);
    const rig = new BalancerRig(members, specs.roundRobin);
    const first = rig.start();
    rig.balancer.update([...members, new Node()]);
    assert.equal(first.load, 1);
    assert.equal(rig.start(), members[1]);
    assert.equal(rig.stats.value('load'), 2);
    rig.balancer.update([members[2]!]);
    rig.balancer.ended(first, rig.nowMs);
    assert.equal(first.load, 0);
    assert.equal(rig.start(), members[2]);
  });

  it('counts who is open and who is not', () => {
    const members = nodes(3);
    const rig = p2c(members);
    rig.set(members[0]!, 'busy');
    const values = ['size', 'available', 'busy', 'closed'].map((name) => rig.stats.value(name));
    assert.deepEqual(values, [3, 2, 1, 0]);
    rig.balancer.update(members.slice(1));
    rig.set(members[0]!, 'closed');
    assert.equal(rig.balancer.open, 2);
    assert.equal(rig.stats.value('busy'), 0);
  });
});

for (const [kind, spec] of Object.entries(specs)) {
  describe(`Any balancer: ${kind}`, () => {
    it('picks nobody from nothing, and the one when there is one', () => {
      assert.equal(new BalancerRig([], spec).balancer.pick(undefined), undefined);
      const [alone] = nodes(1);
      const rig = new BalancerRig([alone!], spec);
      assert.equal(rig.balancer.pick(alone), alone);
      rig.set(alone!, 'busy');
      assert.equal(rig.balancer.pick(undefined), alone);
    });

    it('does not pick the one to avoid while there is another, in its class or in another', () => {
      for (const members of [nodes(2), nodes(3), [new Node(1), new Node(2)]]) {
        const rig = new BalancerRig(members, spec);
        for (let i = 0; i < 200; i++) assert.notEqual(rig.balancer.pick(members[0]), members[0]);
        for (const each of members) rig.set(each, 'busy');
        for (let i = 0; i < 200; i++) assert.notEqual(rig.balancer.pick(members[0]), members[0]);
      }
    });

    it('picks only those that are open, as soon as they are, and somebody when nobody is', () => {
      const members = nodes(5);
      const rig = new BalancerRig(members, spec);
      for (const each of members.slice(1)) rig.set(each, 'busy');
      rig.run(500);
      assert.ok(members[0]!.picked > 450, `${members[0]!.picked}`);
      rig.set(members[0]!, 'busy');
      rig.run(100);
      assert.equal(picks(members), 600);
      rig.set(members[3]!, 'open');
      members[3]!.picked = 0;
      rig.run(100);
      assert.ok(members[3]!.picked > 90, `${members[3]!.picked}`);
    });

    it('survives any sequence of updates, attempts and changes of status', () => {
      const rig = new BalancerRig([], spec);
      let members: Node[] = [];
      const out: { node: Node; startedMs: number }[] = [];
      for (let i = 0; i < 5000; i++) {
        const what = rig.rng.below(10);
        if (what === 0) {
          members = members.filter(() => rig.rng.below(4) > 0);
          for (let n = rig.rng.below(4); n > 0; n--) members.push(new Node(rig.rng.below(3)));
          rig.balancer.update(members);
        } else if (what < 3 && members.length > 0) {
          const node = members[rig.rng.below(members.length)]!;
          rig.set(node, rig.rng.below(2) === 0 ? 'open' : 'busy');
        } else if (what < 7 && members.length > 0) {
          const startedMs = rig.nowMs;
          const node = rig.start(members[rig.rng.below(members.length * 2)]);
          assert.ok(members.includes(node));
          out.push({ node, startedMs });
        } else {
          const [done] = out.splice(rig.rng.below(out.length), 1);
          if (done !== undefined) rig.balancer.ended(done.node, done.startedMs);
        }
        // Now and then the clock goes back.
        rig.nowMs += rig.rng.below(5) - 1;
        check(rig, members, kind);
      }
      for (const { node, startedMs } of out) rig.balancer.ended(node, startedMs);
      assert.ok(members.every((each) => each.load === 0));
      assert.equal(rig.stats.value('load'), 0);
    });
  });
}
