import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Balanced, Balancer, type EndpointStatus } from '../../../routers/balance/balancer.ts';
import { P2c } from '../../../routers/balance/p2c.ts';
import { seededRng } from '../../../src/base/rng.ts';

class Node implements Balanced {
  status: EndpointStatus = 'open';
  load = 0;
  readonly weight: number;
  picked = 0;
  constructor(weight = 1) {
    this.weight = weight;
  }
}

const nodes = (count: number, weight = 1): Node[] => Array.from({ length: count }, () => new Node(weight));

function balancer(members: readonly Node[], seed = 1): Balancer<Node> {
  const rng = seededRng(seed);
  const made = new Balancer<Node>((each) => new P2c(each, 5, rng), rng);
  made.update(members);
  return made;
}

function spread(over: Balancer<Node>, draws = 10000): void {
  for (let i = 0; i < draws; i++) {
    const picked = over.pick(undefined);
    if (picked !== undefined) picked.picked++;
  }
}

describe('Balancer', () => {
  it('draws a weight class by weight times size', () => {
    const [light, heavy] = [nodes(2, 1), nodes(3, 4)];
    spread(balancer([...light, ...heavy]));
    const share = heavy.reduce((sum, each) => sum + each.picked, 0) / 10000;
    assert.ok(Math.abs(share - 12 / 14) < 0.02, `${share}`);
    for (const each of heavy) assert.ok(Math.abs(each.picked / 10000 - 4 / 14) < 0.03);
  });

  it('draws nobody from nothing, and evenly when all weights are 0', () => {
    assert.equal(balancer([]).pick(undefined), undefined);
    const zero = nodes(4, 0);
    spread(balancer(zero));
    for (const each of zero) assert.ok(Math.abs(each.picked - 2500) < 300);
  });

  it('passes over a class in which nobody is open', () => {
    const [one, two] = [nodes(1, 1), nodes(1, 2)];
    two[0]!.status = 'busy';
    spread(balancer([...one, ...two]), 100);
    assert.equal(one[0]!.picked, 100);
    one[0]!.status = 'busy';
    assert.notEqual(balancer([...one, ...two]).pick(undefined), undefined, 'somebody, when all are down');
  });

  it('does not give the one to avoid while there is another, in its class or in another', () => {
    for (const members of [nodes(2), nodes(3), [new Node(1), new Node(2)]]) {
      const over = balancer(members);
      // The one to avoid looks better than all others.
      for (const each of members.slice(1)) each.load = 100;
      for (let i = 0; i < 200; i++) assert.notEqual(over.pick(members[0]), members[0]);
    }
    const alone = nodes(1);
    assert.equal(balancer(alone).pick(alone[0]), alone[0]);
  });
});

describe('P2c', () => {
  it('takes the less loaded of two, so that the most loaded is never taken and loads stay close', () => {
    const members = nodes(10);
    members[0]!.load = 1000;
    const over = balancer(members);
    for (let i = 0; i < 5000; i++) {
      const picked = over.pick(undefined)!;
      picked.load++;
      picked.picked++;
    }
    assert.equal(members[0]!.picked, 0);
    const loads = members.slice(1).map((each) => each.load);
    assert.ok(Math.max(...loads) - Math.min(...loads) <= 6, loads.join());
  });

  it('prefers whoever is open, and still gives somebody when nobody is', () => {
    const members = nodes(5);
    for (const each of members.slice(1)) each.status = 'busy';
    const over = balancer(members);
    let open = 0;
    for (let i = 0; i < 1000; i++) if (over.pick(undefined) === members[0]) open++;
    assert.ok(open > 900, `${open}`);
    members[0]!.status = 'busy';
    assert.notEqual(over.pick(undefined), undefined);
  });
});
