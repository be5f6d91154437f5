import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Address } from '../../../dtab/names.ts';
import { Endpoint, type EndpointSettings } from '../../../routers/client/endpoint.ts';
import { EndpointSet, type SetChange } from '../../../routers/client/endpoint-set.ts';
import { seededRng } from '../../../src/base/rng.ts';

const settings = {
  makeAccrual: () => undefined,
  makeFailFast: () => undefined,
} as unknown as EndpointSettings;
const user = { acquired() {}, acquireFailed() {}, waitExpired() {}, statusChanged() {} };

const at = (i: number, weight?: number): Address => ({
  host: `10.0.${i >> 8}.${i & 255}`,
  port: 80,
  ...(weight === undefined ? {} : { meta: { weight } }),
});

class Rig {
  readonly set = new EndpointSet();
  made = 0;

  replace(addresses: readonly Address[], stays: (endpoint: Endpoint) => boolean = () => false): SetChange {
    const make = (address: Address): Endpoint => {
      this.made++;
      return new Endpoint(address, user, settings);
    };
    return this.set.replace(addresses, 0, make, stays);
  }
}

describe('EndpointSet', () => {
  it('keeps the endpoints whose address stays, in any order', () => {
    const rig = new Rig();
    rig.replace([at(1), at(2), at(3)]);
    const [one, two, three] = rig.set.list;
    const { added, removed } = rig.replace([at(3), at(4), at(1)]);
    assert.deepEqual(
      rig.set.list.map((each) => each.name),
      ['10.0.0.3:80', '10.0.0.4:80', '10.0.0.1:80'],
    );
    assert.equal(rig.set.list[0], three);
    assert.equal(rig.set.list[2], one);
    assert.equal(added, 1);
    assert.deepEqual(removed, [two]);
  });

  it('takes the first of an address that occurs twice', () => {
    const rig = new Rig();
    rig.replace([at(1, 2), at(1, 7), at(2)]);
    assert.deepEqual(
      rig.set.list.map((each) => each.weight),
      [2, 1],
    );
  });

  it('gives an endpoint that stays its new weight, and 1 for what is none', () => {
    const rig = new Rig();
    rig.replace([at(1), at(2)]);
    const before = [...rig.set.list];
    rig.replace([at(1, 5), at(2, Number.NaN)]);
    assert.deepEqual(rig.set.list, before);
    assert.deepEqual(
      rig.set.list.map((each) => each.weight),
      [5, 1],
    );
    rig.replace([at(1, -1), at(2, Number.POSITIVE_INFINITY)]);
    assert.deepEqual(
      rig.set.list.map((each) => each.weight),
      [1, 1],
    );
  });

  it('keeps one that left for as long as it is wanted', () => {
    const rig = new Rig();
    rig.replace([at(1), at(2)]);
    const [one] = rig.set.list;
    assert.deepEqual(rig.replace([at(2)], () => true).removed, []);
    assert.equal(rig.set.size, 2);
    rig.replace([at(1), at(2)]);
    assert.equal(rig.set.list[0], one);
    assert.deepEqual(rig.replace([], () => false).removed.length, 2);
  });

  it('makes only what is new, of 10,000 addresses of which one changes', () => {
    const rig = new Rig();
    const addresses = Array.from({ length: 10_000 }, (_, i) => at(i));
    rig.replace(addresses);
    assert.equal(rig.made, 10_000);
    const kept = new Set(rig.set.list);
    const { added, removed } = rig.replace([at(20_000), ...addresses.slice(1).map((each) => ({ ...each }))]);
    assert.deepEqual([added, removed.length, rig.made], [1, 1, 10_001]);
    assert.ok(rig.set.list.slice(1).every((each) => kept.has(each)));
  });

  it('is what a plain table would be, whatever happens', () => {
    const rng = seededRng(5);
    const rig = new Rig();
    let known = new Map<string, Endpoint>();
    for (let i = 0; i < 500; i++) {
      const next = Array.from({ length: rng.below(12) }, () => at(rng.below(15)));
      rig.replace(next);
      const names = [...new Set(next.map(({ host }) => `${host}:80`))];
      assert.deepEqual(
        rig.set.list.map((each) => each.name),
        names,
      );
      for (const each of rig.set.list) {
        const before = known.get(each.name);
        if (before !== undefined) assert.equal(each, before);
      }
      known = new Map(rig.set.list.map((each) => [each.name, each]));
    }
  });
});
