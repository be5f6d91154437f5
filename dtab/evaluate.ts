/**
 * Evaluation of a tree without looking anything up: the set of values that traffic can reach, or undefined
 * when the tree is negative or fails. `$` is a place without anybody: an empty set.
 */
import type { NameTree } from './names.ts';

/** Values that `keyOf` makes equal are given once. */
export function evaluate<T>(tree: NameTree<T>, keyOf: (value: T) => unknown): readonly T[] | undefined {
  const found = reach(tree);
  if (found === 'neg' || found === 'fail') return undefined;
  const byKey = new Map<unknown, T>();
  for (const value of found) {
    const key = keyOf(value);
    if (!byKey.has(key)) byKey.set(key, value);
  }
  return [...byKey.values()];
}

type Reached<T> = readonly T[] | 'neg' | 'fail';

function reach<T>(tree: NameTree<T>): Reached<T> {
  switch (tree.type) {
    case 'leaf':
      return [tree.value];
    case 'empty':
      return [];
    case 'alt': {
      for (const each of tree.trees) {
        const found = reach(each);
        if (found !== 'neg') return found;
      }
      return 'neg';
    }
    case 'union': {
      const [only] = tree.trees;
      if (tree.trees.length === 1 && only !== undefined) return reach(only.tree);
      const all = tree.trees.map((each) => reach(each.tree)).filter((found) => typeof found !== 'string');
      return all.length === 0 ? 'neg' : all.flat();
    }
    default:
      return tree.type;
  }
}
