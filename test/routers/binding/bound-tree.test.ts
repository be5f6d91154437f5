import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bound, leaf, type NameTree } from '../../../dtab/names.ts';
import { Path } from '../../../dtab/path.ts';
import { BindCache } from '../../../routers/binding/bind-cache.ts';
import { type BoundName, BoundTree, boundKey, treeKey } from '../../../routers/binding/bound-tree.ts';
import { seededRng } from '../../../src/base/rng.ts';
import { noStats } from '../../../src/base/stats.ts';
import { constant } from '../../../src/base/var.ts';
import { HandClock } from '../../support/hand-clock.ts';

const bound = (id: string, residual: string[] = []): Bound => ({
  type: 'bound',
  id: Path.of('#', id),
  addr: constant({ type: 'pending' as const }),
  residual: new Path(residual),
});
const union = (...trees: [number, NameTree<Bound>][]): NameTree<Bound> => ({
  type: 'union',
  trees: trees.map(([weight, tree]) => ({ weight, tree })),
});

/** How often each id is drawn in `draws`; '-' is no name at all. */
function shares(tree: NameTree<Bound>, draws = 20000): Record<string, number> {
  const names = new Map<BoundName, string>();
  const cache = new BindCache<BoundName>({ max: 99, idleTtlMs: 0, clock: new HandClock(), stats: noStats });
  const made = new BoundTree(tree, cache, (each) => {
    const name = { close() {} } as unknown as BoundName;
    names.set(name, each.id.show.slice(3));
    return name;
  });
  const rng = seededRng(3);
  const counts: Record<string, number> = {};
  for (let i = 0; i < draws; i++) {
    const name = made.pick(rng);
    const id = name === undefined ? '-' : names.get(name)!;
    counts[id] = (counts[id] ?? 0) + 1 / draws;
  }
  made.close();
  return counts;
}

function near(found: Record<string, number>, expected: Record<string, number>): void {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
  for (const [id, share] of Object.entries(expected)) {
    assert.ok(Math.abs(found[id]! - share) < 0.015, `${id}: ${found[id]} instead of ${share}`);
  }
}

describe('BoundTree', () => {
  it('draws by weight, also through unions of unions', () => {
    near(shares(leaf(bound('a'))), { a: 1 });
    near(shares(union([1, leaf(bound('a'))], [3, leaf(bound('b'))])), { a: 0.25, b: 0.75 });
    const inner = union([1, leaf(bound('b'))], [1, leaf(bound('c'))]);
    near(shares(union([2, leaf(bound('a'))], [8, inner])), { a: 0.2, b: 0.4, c: 0.4 });
  });

  it('draws evenly when all weights are 0', () => {
    near(shares(union([0, leaf(bound('a'))], [0, leaf(bound('b'))])), { a: 0.5, b: 0.5 });
  });

  it('never draws a weight of 0 beside others', () => {
    near(shares(union([0, leaf(bound('a'))], [1, leaf(bound('b'))])), { b: 1 });
    near(shares(union([1, leaf(bound('a'))], [0, leaf(bound('b'))])), { a: 1 });
  });

  it('gives a share that leads nowhere to nobody', () => {
    near(shares(union([1, { type: 'empty' }], [1, leaf(bound('b'))])), { '-': 0.5, b: 0.5 });
  });

  it('is known by what it means: ids, residuals, weights and their order', () => {
    const key = treeKey(union([1, leaf(bound('a'))], [2, leaf(bound('b', ['x']))]));
    assert.equal(key, treeKey(union([1, leaf(bound('a'))], [2, leaf(bound('b', ['x']))])));
    assert.notEqual(key, treeKey(union([2, leaf(bound('a'))], [1, leaf(bound('b', ['x']))])));
    assert.notEqual(boundKey(bound('a')), boundKey(bound('a', ['x'])));
  });
});
