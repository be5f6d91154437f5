import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ObjectMap } from '../../k8s/object-map.ts';

const sorted = (map: ReadonlyMap<string, number>): [string, number][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));

describe('An ObjectMap', () => {
  it('is what a Map would be after the same changes, and never changes itself', () => {
    const key = fc.string({ maxLength: 2 });
    const changes = fc.array(
      fc.array(fc.tuple(key, fc.option(fc.nat(), { nil: undefined })), { maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.nat())), changes, (first, steps) => {
        const model = new Map(first);
        let map = ObjectMap.of(model);
        for (const step of steps) {
          const before = sorted(map);
          const next = map.with(new Map(step));
          for (const [name, value] of new Map(step)) {
            if (value === undefined) model.delete(name);
            else model.set(name, value);
          }
          assert.deepEqual(sorted(map), before);
          map = next;
        }
        assert.deepEqual(sorted(map), sorted(model));
        assert.equal(map.size, model.size);
        assert.deepEqual([...map.keys()].sort(), [...model.keys()].sort());
        assert.deepEqual([...map.values()].sort(), [...model.values()].sort());
        for (const name of [...model.keys(), 'absent']) {
          assert.equal(map.get(name), model.get(name));
          assert.equal(map.has(name), model.has(name));
        }
      }),
    );
  });

  it('grows from nothing to thousands', () => {
    let map = ObjectMap.of(new Map<string, number>());
    for (let i = 0; i < 5000; i++) map = map.with(new Map([[`default/service-${i}`, i]]));
    assert.equal(map.size, 5000);
    assert.equal(map.get('default/service-4999'), 4999);
    let sum = 0;
    map.forEach((value) => {
      sum += value;
    });
    assert.equal(sum, (5000 * 4999) / 2);
  });
});
