/**
 * What the entries of a dtab can do, without any namer: which entries a name under a prefix can come to, and
 * which entries never give way to earlier ones.
 */
import type { Dentry, Dtab, NameTree, Prefix } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';

/** The beginning of a path; what follows may be anything. `null` is any one label. */
type Stem = Prefix;

/** A table that rewrites without end is followed this far. */
const STEMS_MAX = 2000;
const STEM_LABELS_MAX = 32;

/** The leaves of a tree, those of alternatives that are never tried included. */
export function leavesOf(tree: NameTree<Path>): readonly Path[] {
  switch (tree.type) {
    case 'leaf':
      return [tree.value];
    case 'alt':
      return tree.trees.flatMap(leavesOf);
    case 'union':
      return tree.trees.flatMap((each) => leavesOf(each.tree));
    default:
      return [];
  }
}

/** Entries that some name under `start` comes to. `rewrites`: what namers make of a stem. */
export function reachedEntries(
  dtab: Dtab,
  start: Stem,
  rewrites: (stem: Stem) => readonly Stem[],
): ReadonlySet<Dentry> {
  const reached = new Set<Dentry>();
  const seen = new Set<string>();
  const open: Stem[] = [start];
  for (let stem = open.pop(); stem !== undefined && seen.size < STEMS_MAX; stem = open.pop()) {
    const key = JSON.stringify(stem);
    if (seen.has(key) || stem.length > STEM_LABELS_MAX) continue;
    seen.add(key);
    for (const dentry of dtab) {
      if (!compatible(stem, dentry.prefix)) continue;
      reached.add(dentry);
      const rest = stem.slice(dentry.prefix.length);
      for (const leaf of leavesOf(dentry.dst)) open.push([...leaf.segments, ...rest]);
    }
    open.push(...rewrites(stem));
  }
  return reached;
}

/** Whether a path that begins with `stem` can begin with `prefix`. */
function compatible(stem: Stem, prefix: Prefix): boolean {
  return prefix.every((element, i) => {
    const other = stem[i];
    return other === undefined || other === null || element === null || element === other;
  });
}

/** Every path that `inner` matches is matched by `outer`. */
function covers(outer: Prefix, inner: Prefix): boolean {
  if (outer.length > inner.length) return false;
  return outer.every((element, i) => element === null || element === inner[i]);
}

/** It always answers, so that nothing after it is tried. */
function neverAbsent(tree: NameTree<Path>): boolean {
  switch (tree.type) {
    case 'fail':
    case 'empty':
      return true;
    case 'alt':
      return tree.trees.some(neverAbsent);
    case 'union':
      return tree.trees.some((each) => each.tree.type === 'empty' || neverAbsentLeaf(each.tree));
    default:
      return neverAbsentLeaf(tree);
  }
}

function neverAbsentLeaf(tree: NameTree<Path>): boolean {
  if (tree.type !== 'leaf') return false;
  const [root, kind = ''] = tree.value.segments;
  return root === '$' && ['inet', 'nil', 'fail'].includes(kind);
}

/** The later entry that answers for every name of this one, if there is one. */
export function shadowOf(dtab: Dtab, index: number): Dentry | undefined {
  const entry = dtab[index];
  if (entry === undefined) return undefined;
  return dtab.slice(index + 1).find((later) => covers(later.prefix, entry.prefix) && neverAbsent(later.dst));
}
