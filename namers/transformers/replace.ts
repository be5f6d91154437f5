/**
 * io.l5d.replace: every name that is bound becomes one other name; what is neg, fail or empty stays so. The
 * other name is bound as in io.l5d.const.
 *
 *     transformers:
 *     - kind: io.l5d.replace
 *       path: /#/io.l5d.fs/gateway
 */
import type { Delegation } from '../../dtab/delegation.ts';
import type { Bound, NameTree } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import { flatMapOk, mapOk, okActivity } from '../../src/base/activity.ts';
import { type BindPath, Substitute } from './const.ts';
import type { Transformer } from './transform.ts';

export function replace(prefix: Path, path: Path, bindPath: BindPath): Transformer {
  const other = new Substitute(prefix, path, bindPath);
  return {
    path,
    transform: (trees) =>
      flatMapOk(trees, (tree) => {
        // What has no leaves does not wait for the other name.
        if (!hasLeaf(tree)) return okActivity(tree);
        return mapOk(other.trees, (substitute) => replaceLeaves(tree, substitute));
      }),
    show: (tree, delegated) => showReplaced(tree, prefix, other.show(delegated(path))),
  };
}

function hasLeaf(tree: NameTree<Bound>): boolean {
  if (tree.type === 'alt') return tree.trees.some(hasLeaf);
  if (tree.type === 'union') return tree.trees.some((each) => hasLeaf(each.tree));
  return tree.type === 'leaf';
}

function replaceLeaves(tree: NameTree<Bound>, other: NameTree<Bound>): NameTree<Bound> {
  switch (tree.type) {
    case 'leaf':
      return other;
    case 'alt':
      return { type: 'alt', trees: tree.trees.map((each) => replaceLeaves(each, other)) };
    case 'union':
      return {
        type: 'union',
        trees: tree.trees.map(({ weight, tree: each }) => ({ weight, tree: replaceLeaves(each, other) })),
      };
    default:
      return tree;
  }
}

function showReplaced(tree: Delegation, prefix: Path, other: Delegation): Delegation {
  switch (tree.type) {
    case 'leaf':
      return { type: 'transformation', path: tree.path, name: prefix.show, bound: tree.bound, tree: other };
    case 'delegate':
    case 'transformation':
      return { ...tree, tree: showReplaced(tree.tree, prefix, other) };
    case 'alt':
      return { ...tree, trees: tree.trees.map((each) => showReplaced(each, prefix, other)) };
    case 'union':
      return {
        ...tree,
        trees: tree.trees.map((each) => ({ ...each, tree: showReplaced(each.tree, prefix, other) })),
      };
    default:
      return tree;
  }
}
