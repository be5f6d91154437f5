/**
 * One step of a dtab: the entries whose prefix matches a path, the last one first. A table is indexed once,
 * by a trie over the elements of its prefixes, so that a lookup does not notice entries for other names; a
 * table that was joined from two keeps the indexes of both.
 */
import { type Dentry, type Dtab, type NameTree, neg, type Prefix } from './names.ts';
import type { Path } from './path.ts';

type Node = {
  /** Positions in the table of the entries whose prefix ends here. */
  entries: number[] | undefined;
  labels: Map<string, Node> | undefined;
  wildcard: Node | undefined;
};

class DtabIndex {
  readonly #dtab: Dtab;
  readonly #root = newNode();

  constructor(dtab: Dtab) {
    this.#dtab = dtab;
    dtab.forEach((dentry, i) => {
      let node = this.#root;
      for (const element of dentry.prefix) node = childOf(node, element);
      node.entries ??= [];
      node.entries.push(i);
    });
  }

  /** Adds the matching entries to `found`, the last one first. */
  collect(path: Path, found: Dentry[]): void {
    const positions: number[] = [];
    let level: Node[] = [this.#root];
    for (let depth = 0; level.length > 0; depth++) {
      for (const node of level) for (const position of node.entries ?? []) positions.push(position);
      const segment = path.segments[depth];
      if (segment === undefined) break;
      const next: Node[] = [];
      for (const node of level) {
        const child = node.labels?.get(segment);
        if (child !== undefined) next.push(child);
        if (node.wildcard !== undefined) next.push(node.wildcard);
      }
      level = next;
    }
    positions.sort((a, b) => b - a);
    for (const position of positions) {
      const dentry = this.#dtab[position];
      if (dentry !== undefined) found.push(dentry);
    }
  }
}

function newNode(): Node {
  return { entries: undefined, labels: undefined, wildcard: undefined };
}

function childOf(node: Node, element: string | null): Node {
  if (element === null) {
    node.wildcard ??= newNode();
    return node.wildcard;
  }
  node.labels ??= new Map();
  let child = node.labels.get(element);
  if (child === undefined) {
    child = newNode();
    node.labels.set(element, child);
  }
  return child;
}

/** The indexes of a table's parts, in order. */
export type DtabIndexes = readonly DtabIndex[];

const indexes = new WeakMap<Dtab, DtabIndexes>();

export function indexesOf(dtab: Dtab): DtabIndexes {
  let parts = indexes.get(dtab);
  if (parts === undefined) {
    parts = [new DtabIndex(dtab)];
    indexes.set(dtab, parts);
  }
  return parts;
}

/**
 * `later` after `earlier`, so that its entries win. A large table is not indexed again for a few local
 * entries.
 */
export function concatDtabs(earlier: Dtab, later: Dtab): Dtab {
  if (later.length === 0) return earlier;
  if (earlier.length === 0) return later;
  const dtab = [...earlier, ...later];
  indexes.set(dtab, [...indexesOf(earlier), ...indexesOf(later)]);
  return dtab;
}

/** The entries that match, the last one first. */
export function matching(dtab: Dtab, path: Path): readonly Dentry[] {
  return matchingIn(indexesOf(dtab), path);
}

/**
 * For those who look up again and again: the indexes do not keep a joined table in memory, only its parts.
 */
export function matchingIn(parts: DtabIndexes, path: Path): readonly Dentry[] {
  const found: Dentry[] = [];
  for (let i = parts.length - 1; i >= 0; i--) parts[i]?.collect(path, found);
  return found;
}

export function prefixMatches(prefix: Prefix, path: Path): boolean {
  if (prefix.length > path.size) return false;
  return prefix.every((element, i) => element === null || element === path.segments[i]);
}

/**
 * One step, without recursion or namers: what is left of the path is appended to every leaf of the
 * destination.
 */
export function lookup(dtab: Dtab, path: Path): NameTree<Path> {
  const trees = matching(dtab, path).map((dentry) => {
    const rest = path.drop(dentry.prefix.length);
    return mapTree(dentry.dst, (destination) => destination.concat(rest));
  });
  const [first] = trees;
  if (first === undefined) return neg;
  return trees.length === 1 ? first : { type: 'alt', trees };
}

export function mapTree<T, U>(tree: NameTree<T>, f: (value: T) => U): NameTree<U> {
  switch (tree.type) {
    case 'leaf':
      return { type: 'leaf', value: f(tree.value) };
    case 'alt':
      return { type: 'alt', trees: tree.trees.map((each) => mapTree(each, f)) };
    case 'union':
      return {
        type: 'union',
        trees: tree.trees.map(({ weight, tree: each }) => ({ weight, tree: mapTree(each, f) })),
      };
    default:
      return tree;
  }
}
