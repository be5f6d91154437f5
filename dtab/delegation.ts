/**
 * A delegation: an evaluation with every step shown. `path` is what was looked up at a step and `dentry` the
 * entry that led there (absent at the start). Simplification and the meaning of the nodes are those of
 * linkerd's delegator page.
 */
import type { Failure } from '../src/base/failure.ts';
import type { Bound, Dentry } from './names.ts';
import type { Path } from './path.ts';

export type WeightedDelegation = { readonly weight: number; readonly tree: Delegation };

type At = {
  readonly path: Path;
  readonly dentry?: Dentry;
};

/** `namer` is the prefix of the namer that gave this answer, when it was not an entry of the dtab. */
type Answer = At & { readonly namer?: Path };

export type Delegation =
  | (At & { readonly type: 'delegate'; readonly tree: Delegation })
  | (At & { readonly type: 'alt'; readonly trees: readonly Delegation[] })
  | (At & { readonly type: 'union'; readonly trees: readonly WeightedDelegation[] })
  | (At & { readonly type: 'leaf'; readonly bound: Bound })
  | (Answer & { readonly type: 'neg' | 'fail' | 'empty' | 'pending' })
  | (Answer & { readonly type: 'exception'; readonly failure: Failure })
  | {
      readonly type: 'transformation';
      readonly path: Path;
      readonly name: string;
      /** What was bound before the transformation; `tree` shows it after. */
      readonly bound: Bound;
      readonly tree: Delegation;
    };

export function simplifyDelegation(tree: Delegation): Delegation {
  switch (tree.type) {
    case 'delegate':
      return simplifyStep(tree, tree.tree);
    case 'alt': {
      const [only] = tree.trees;
      if (only === undefined) return at(tree, { type: 'neg', path: tree.path });
      if (tree.trees.length === 1) return simplifyStep(tree, only);
      const trees = tree.trees.map(simplifyDelegation).flatMap((each) => {
        // Several entries for one path, each with alternatives of its own, are one list.
        return each.type === 'alt' && each.path.equals(tree.path) ? each.trees : [each];
      });
      return { ...tree, trees };
    }
    case 'union': {
      const [only] = tree.trees;
      if (only === undefined) return at(tree, { type: 'neg', path: tree.path });
      if (tree.trees.length === 1) return simplifyStep(tree, only.tree);
      const trees = tree.trees.map((each) => ({
        weight: each.weight,
        tree: simplifyDelegation(each.tree),
      }));
      return { ...tree, trees };
    }
    default:
      return tree;
  }
}

/** A step to the same path says nothing, unless it ends there. */
function simplifyStep(step: At, next: Delegation): Delegation {
  const simple = simplifyDelegation(next);
  const ends = simple.type === 'neg' || simple.type === 'fail' || simple.type === 'empty';
  if (!ends && simple.path.equals(step.path)) return at(step, simple);
  return at(step, { type: 'delegate', path: step.path, tree: simple });
}

/** The node as one that the entry of `step` led to. */
function at(step: At, node: Delegation): Delegation {
  if (node.type === 'transformation') return node;
  const { dentry: _, ...rest } = node;
  return step.dentry === undefined ? rest : { ...rest, dentry: step.dentry };
}

/** Shows what a transformer makes of each bound name: the name before, and the tree after. */
export function transformDelegation(
  tree: Delegation,
  name: string,
  transform: (bound: Bound) => Bound,
): Delegation {
  switch (tree.type) {
    case 'leaf': {
      const bound = transform(tree.bound);
      const after = { ...tree, path: bound.id, bound };
      return { type: 'transformation', path: tree.path, name, bound: tree.bound, tree: after };
    }
    case 'delegate':
    case 'transformation':
      return { ...tree, tree: transformDelegation(tree.tree, name, transform) };
    case 'alt':
      return { ...tree, trees: tree.trees.map((each) => transformDelegation(each, name, transform)) };
    case 'union':
      return {
        ...tree,
        trees: tree.trees.map(({ weight, tree: each }) => ({
          weight,
          tree: transformDelegation(each, name, transform),
        })),
      };
    default:
      return tree;
  }
}

/** Whether some step still waits for an answer. */
export function hasPending(tree: Delegation): boolean {
  switch (tree.type) {
    case 'pending':
      return true;
    case 'delegate':
    case 'transformation':
      return hasPending(tree.tree);
    case 'alt':
      return tree.trees.some(hasPending);
    case 'union':
      return tree.trees.some((each) => hasPending(each.tree));
    default:
      return false;
  }
}
