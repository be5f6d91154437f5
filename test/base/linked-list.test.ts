import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Link, LinkedList } from '../../src/base/linked-list.ts';

const values = (list: LinkedList<number>): number[] => list.links().map(({ value }) => value);

describe('A linked list', () => {
  it('holds what was added and not removed, in order', () => {
    const steps = fc.array(fc.record({ what: fc.constantFrom('add', 'remove', 'to end'), at: fc.nat(30) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, (script) => {
        const list = new LinkedList<number>();
        const all: Link<number>[] = [];
        let expected: number[] = [];
        for (const [i, { what, at }] of script.entries()) {
          if (what === 'add') {
            all.push(list.add(i));
            expected.push(i);
          } else {
            const link = all[at % Math.max(1, all.length)];
            if (link === undefined) continue;
            const held = expected.includes(link.value);
            expected = expected.filter((value) => value !== link.value);
            if (what === 'remove') assert.equal(list.remove(link), held);
            else {
              list.toEnd(link);
              if (held) expected.push(link.value);
            }
          }
          assert.equal(list.size, expected.length);
          assert.equal(list.first?.value, expected[0]);
        }
        assert.deepEqual(values(list), expected);
      }),
    );
  });

  it('leaves nothing in a link that was removed', () => {
    const list = new LinkedList<number>();
    const links = [1, 2, 3].map((value) => list.add(value));
    const [, second] = links;
    assert.ok(second !== undefined);
    list.remove(second);
    assert.deepEqual([second.previous, second.next, second.linked], [undefined, undefined, false]);
    assert.deepEqual(values(list), [1, 3]);
  });
});
