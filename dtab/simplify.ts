/**
 * Simplification: the smallest tree that evaluates to the same. Law: `simplify(simplify(t)) = simplify(t)`,
 * and evaluation cannot tell `t` from `simplify(t)`. Alternatives lose what is negative and whatever stands
 * after the first `!`; unions lose what is negative or fails; a composite of one member is that member.
 */
import { type Dtab, type NameTree, neg, type Prefix, type Weighted } from './names.ts';
import type { Path } from './path.ts';

export function simplify<T>(tree: NameTree<T>): NameTree<T> {
  if (tree.type === 'alt') return simplifyAlternatives(tree.trees);
  if (tree.type === 'union') return simplifyUnion(tree.trees);
  return tree;
}

function simplifyAlternatives<T>(trees: readonly NameTree<T>[]): NameTree<T> {
  const kept: NameTree<T>[] = [];
  for (const each of trees) {
    const simple = simplify(each);
    if (simple.type !== 'neg') kept.push(simple);
    if (simple.type === 'fail') break;
  }
  const [first] = kept;
  if (first === undefined) return neg;
  return kept.length === 1 ? first : { type: 'alt', trees: kept };
}

function simplifyUnion<T>(trees: readonly Weighted<T>[]): NameTree<T> {
  const [only] = trees;
  // A union of one is that one, even `!`: there is nothing to be relative to.
  if (trees.length === 1 && only !== undefined) return simplify(only.tree);
  const kept: Weighted<T>[] = [];
  for (const { weight, tree } of trees) {
    const simple = simplify(tree);
    if (simple.type !== 'neg' && simple.type !== 'fail') kept.push({ weight, tree: simple });
  }
  const [first] = kept;
  if (first === undefined) return neg;
  return kept.length === 1 ? first.tree : { type: 'union', trees: kept };
}

/** Simplifies every destination and drops the entries that lead nowhere. */
export function simplifyDtab(dtab: Dtab): Dtab {
  return dtab
    .map((dentry) => ({ ...dentry, dst: simplify(dentry.dst) }))
    .filter((dentry) => dentry.dst.type !== 'neg');
}

export function equalTrees<T>(a: NameTree<T>, b: NameTree<T>, equal: (a: T, b: T) => boolean): boolean {
  if (a === b) return true;
  if (a.type === 'leaf') return b.type === 'leaf' && equal(a.value, b.value);
  if (a.type === 'alt') {
    if (b.type !== 'alt' || a.trees.length !== b.trees.length) return false;
    return a.trees.every((tree, i) => {
      const other = b.trees[i];
      return other !== undefined && equalTrees(tree, other, equal);
    });
  }
  if (a.type === 'union') {
    if (b.type !== 'union' || a.trees.length !== b.trees.length) return false;
    return a.trees.every(({ weight, tree }, i) => {
      const other = b.trees[i];
      return other !== undefined && weight === other.weight && equalTrees(tree, other.tree, equal);
    });
  }
  return a.type === b.type;
}

const equalPaths = (a: Path, b: Path): boolean => a.equals(b);

/** Whether two trees simplify to the same tree. */
export function equivalentTrees(a: NameTree<Path>, b: NameTree<Path>): boolean {
  return equalTrees(simplify(a), simplify(b), equalPaths);
}

export function equalPrefixes(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && a.every((element, i) => element === b[i]);
}

/** Entry by entry the same prefix and an equivalent destination. */
export function equivalentDtabs(a: Dtab, b: Dtab): boolean {
  return a.length === b.length && startsWith(a, b, equivalentTrees);
}

/** `dtab` without its leading entries when those are exactly `prefix`, else `dtab` itself. */
export function stripPrefix(dtab: Dtab, prefix: Dtab): Dtab {
  const exact = (a: NameTree<Path>, b: NameTree<Path>) => equalTrees(a, b, equalPaths);
  return startsWith(dtab, prefix, exact) ? dtab.slice(prefix.length) : dtab;
}

function startsWith(
  dtab: Dtab,
  prefix: Dtab,
  equal: (a: NameTree<Path>, b: NameTree<Path>) => boolean,
): boolean {
  return prefix.every((dentry, i) => {
    const other = dtab[i];
    return other !== undefined && equalPrefixes(other.prefix, dentry.prefix) && equal(other.dst, dentry.dst);
  });
}
