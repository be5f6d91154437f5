import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { distribution } from '../../dtab/distribution.ts';
import { evaluate } from '../../dtab/evaluate.ts';
import type { NameTree } from '../../dtab/names.ts';
import { readTree } from '../../dtab/parse.ts';
import { Path } from '../../dtab/path.ts';
import { showTree, showWeight } from '../../dtab/show.ts';
import { simplify } from '../../dtab/simplify.ts';
import { seededRng } from '../../src/base/rng.ts';
import { fewPaths, treeOf } from './arbitrary.ts';

const trees = treeOf(fewPaths, 0);
const reached = (tree: NameTree<Path>) => evaluate(tree, (path) => path.show)?.map((path) => path.show);

describe('simplify', () => {
  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const once = simplify(tree);
        assert.equal(JSON.stringify(simplify(once)), JSON.stringify(once));
      }),
    );
  });

  it('keeps the meaning', () => {
    fc.assert(fc.property(trees, (tree) => assert.deepEqual(reached(simplify(tree)), reached(tree))));
  });

  it('leaves no composite of one and nothing negative in a composite', () => {
    const inner = (tree: NameTree<Path>): readonly NameTree<Path>[] => {
      if (tree.type === 'alt') return tree.trees;
      return tree.type === 'union' ? tree.trees.map((each) => each.tree) : [];
    };
    const check = (tree: NameTree<Path>): void => {
      const members = inner(tree);
      if (tree.type === 'alt' || tree.type === 'union') assert.ok(members.length > 1);
      for (const member of members) {
        assert.notEqual(member.type, 'neg');
        check(member);
      }
    };
    fc.assert(fc.property(trees, (tree) => check(simplify(tree))));
  });
});

/** One request's way through a tree, as routing chooses it: the plain reading of the rules. */
function choose(tree: NameTree<Path>, draw: () => number): string {
  if (tree.type === 'leaf') return tree.value.show;
  if (tree.type === 'alt') {
    const first = simplify(tree);
    return choose(first.type === 'alt' ? first.trees[0]! : first, draw);
  }
  if (tree.type !== 'union' || tree.trees.length === 0) return 'unavailable';
  const total = tree.trees.reduce((sum, { weight }) => sum + weight, 0);
  let at = draw() * (total || tree.trees.length);
  for (const each of tree.trees) {
    at -= total === 0 ? 1 : each.weight;
    if (at < 0) return choose(each.tree, draw);
  }
  return choose(tree.trees.at(-1)!.tree, draw);
}

describe('distribution', () => {
  it('is what choosing by weight converges to', () => {
    fc.assert(
      fc.property(trees, fc.nat(), (tree, seed) => {
        const { shares, unavailable } = distribution(mapLeaves(tree));
        const rng = seededRng(seed);
        const counts = new Map<string, number>();
        const draws = 4000;
        for (let i = 0; i < draws; i++) {
          const chosen = choose(tree, rng.next);
          counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
        }
        for (const [id, count] of counts) {
          const share = id === 'unavailable' ? unavailable : (shares.get(id) ?? 0);
          // Six standard deviations of the largest possible spread.
          assert.ok(
            Math.abs(count / draws - share) < 6 * Math.sqrt(0.25 / draws),
            `${id} of ${showTree(tree)}`,
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('adds up to one', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const { shares, unavailable } = distribution(mapLeaves(tree));
        const sum = [...shares.values()].reduce((total, share) => total + share, unavailable);
        assert.ok(Math.abs(sum - 1) < 1e-9, `${sum}`);
      }),
    );
  });

  it('stays finite with the largest weights', () => {
    const huge = `1${'0'.repeat(308)}`;
    const { shares } = distribution(mapLeaves(readTree(`${huge}*/a & ${huge}*/b`)));
    assert.deepEqual([...shares.values()], [0.5, 0.5]);
  });
});

function mapLeaves(tree: NameTree<Path>): NameTree<{ id: Path }> {
  if (tree.type === 'leaf') return { type: 'leaf', value: { id: tree.value } };
  if (tree.type === 'alt') return { type: 'alt', trees: tree.trees.map(mapLeaves) };
  if (tree.type !== 'union') return tree;
  return { type: 'union', trees: tree.trees.map(({ weight, tree: t }) => ({ weight, tree: mapLeaves(t) })) };
}

describe('showWeight', () => {
  const cases: [number, string][] = [
    [0, '0.00'],
    [0.004, '0.00'],
    [0.005, '0.01'],
    [1.005, '1.01'],
    [2.675, '2.68'],
    [0.995, '1.00'],
    [99.999, '100.00'],
    [1e-7, '0.00'],
    [5e-324, '0.00'],
    [1e21, '1000000000000000000000.00'],
    [1.5e22, '15000000000000000000000.00'],
    [123456.789, '123456.79'],
  ];
  for (const [weight, shown] of cases) {
    it(`rounds ${weight} to ${shown}`, () => assert.equal(showWeight(weight), shown));
  }
});

describe('showTree', () => {
  it('prints a composite without members as nothing', () => {
    assert.equal(showTree({ type: 'alt', trees: [] }), '');
    const inner: NameTree<Path> = { type: 'union', trees: [] };
    assert.equal(showTree({ type: 'alt', trees: [inner, { type: 'leaf', value: Path.of('a') }] }), ' | /a');
  });
});
