/** How vectors write paths, prefixes and trees as JSON; see README.md. */
import type { Bound, Name, NameTree, Prefix } from '../../dtab/names.ts';
import { readPath } from '../../dtab/parse.ts';
import { Path } from '../../dtab/path.ts';

export type ElementData = string | { readonly hex: string };
export type PrefixElementData = ElementData | { readonly any: true };

export type TreeData =
  | { readonly type: 'leaf'; readonly path: string }
  | BoundData
  | { readonly type: 'alt'; readonly trees: readonly TreeData[] }
  | {
      readonly type: 'union';
      readonly trees: readonly { readonly weight: number; readonly tree: TreeData }[];
    }
  | { readonly type: 'fail' }
  | { readonly type: 'neg' }
  | { readonly type: 'empty' };

export type BoundData = { readonly type: 'bound'; readonly id: string; readonly residual: string };

export function labelOf(element: ElementData): string {
  return typeof element === 'string'
    ? Buffer.from(element, 'utf8').toString('latin1')
    : Buffer.from(element.hex, 'hex').toString('latin1');
}

export function elementOf(label: string): ElementData {
  const bytes = Buffer.from(label, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : { hex: bytes.toString('hex') };
}

export function prefixData(prefix: Prefix): readonly PrefixElementData[] {
  return prefix.map((element) => (element === null ? { any: true } : elementOf(element)));
}

export function boundData(bound: Bound): BoundData {
  return { type: 'bound', id: bound.id.show, residual: bound.residual.show };
}

export function treeData(tree: NameTree<Name>): TreeData {
  switch (tree.type) {
    case 'leaf':
      return tree.value instanceof Path ? { type: 'leaf', path: tree.value.show } : boundData(tree.value);
    case 'alt':
      return { type: 'alt', trees: tree.trees.map(treeData) };
    case 'union':
      return {
        type: 'union',
        trees: tree.trees.map(({ weight, tree: each }) => ({ weight, tree: treeData(each) })),
      };
    default:
      return { type: tree.type };
  }
}

/** A tree whose leaves are made by `leafOf`. */
export function treeOf<T>(data: TreeData, leafOf: (leaf: Path, residual: Path) => T): NameTree<T> {
  switch (data.type) {
    case 'leaf':
      return { type: 'leaf', value: leafOf(readPath(data.path), Path.empty) };
    case 'bound':
      return { type: 'leaf', value: leafOf(readPath(data.id), readPath(data.residual)) };
    case 'alt':
      return { type: 'alt', trees: data.trees.map((each) => treeOf(each, leafOf)) };
    case 'union':
      return {
        type: 'union',
        trees: data.trees.map(({ weight, tree }) => ({ weight, tree: treeOf(tree, leafOf) })),
      };
    default:
      return { type: data.type };
  }
}

export const pathTreeOf = (data: TreeData): NameTree<Path> => treeOf(data, (path) => path);
