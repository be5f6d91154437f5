/**
 * Prints trees, dentries and dtabs. What the parser makes can be read back to an equal value, up to weights
 * beyond two decimals, which is what linkerd prints.
 */
import type { Dentry, Dtab, NameTree, Prefix } from './names.ts';
import { type Path, showLabel } from './path.ts';

export function showPrefix(prefix: Prefix): string {
  if (prefix.length === 0) return '/';
  return prefix.map((element) => `/${element === null ? '*' : showLabel(element)}`).join('');
}

export function showDentry(dentry: Dentry): string {
  return `${showPrefix(dentry.prefix)}=>${showTree(dentry.dst)}`;
}

export function showDtab(dtab: Dtab): string {
  return dtab.map(showDentry).join(';');
}

export function showTree(tree: NameTree<Path>): string {
  return showTreeOf(tree, (path) => path.show);
}

/** Composites of one member are printed as that member; those without members as nothing. */
export function showTreeOf<T>(tree: NameTree<T>, show: (value: T) => string): string {
  const only = unwrap(tree);
  if (only.type !== 'alt') return showUnion(only, show);
  return only.trees.map((each) => showUnion(each, show)).join(' | ');
}

function showUnion<T>(tree: NameTree<T>, show: (value: T) => string): string {
  const only = unwrap(tree);
  if (only.type !== 'union') return showSimple(only, show);
  return only.trees
    .map(
      ({ weight, tree: each }) => `${weight === 1 ? '' : `${showWeight(weight)}*`}${showSimple(each, show)}`,
    )
    .join(' & ');
}

function showSimple<T>(tree: NameTree<T>, show: (value: T) => string): string {
  const only = unwrap(tree);
  switch (only.type) {
    case 'leaf':
      return show(only.value);
    case 'neg':
      return '~';
    case 'empty':
      return '$';
    case 'fail':
      return '!';
    default:
      return `(${showTreeOf(only, show)})`;
  }
}

function unwrap<T>(tree: NameTree<T>): NameTree<T> {
  let only = tree;
  for (;;) {
    let member: NameTree<T> | undefined;
    if (only.type === 'alt' && only.trees.length === 1) member = only.trees[0];
    else if (only.type === 'union' && only.trees.length === 1) member = only.trees[0]?.tree;
    if (member === undefined) return only;
    only = member;
  }
}

/** Two decimals, a half rounded up, counted on the shortest decimal form of the number (as Java's `%.2f`). */
export function showWeight(weight: number): string {
  const [, whole = '', fraction = '', exponent = '0'] =
    /^([0-9]+)(?:\.([0-9]+))?(?:e([+-][0-9]+))?$/.exec(String(weight)) ?? [];
  const digits = whole + fraction;
  const kept = whole.length + Number(exponent) + 2;
  if (kept < 0) return '0.00';
  const rounded =
    BigInt(digits.slice(0, kept).padEnd(kept, '0') || '0') + (digits.charAt(kept) >= '5' ? 1n : 0n);
  const shown = rounded.toString().padStart(3, '0');
  return `${shown.slice(0, -2)}.${shown.slice(-2)}`;
}

const SHOWN_MAX = 160;

/** An entry and where it is written, for a line of an explanation. */
export function showDentryPlace(dentry: Dentry): string {
  const { position } = dentry;
  const shown = shorten(showDentry(dentry));
  if (position === undefined) return shown;
  return `${shown} (${position.source ?? 'dtab'}:${position.line}:${position.column})`;
}

export function shorten(shown: string): string {
  return shown.length <= SHOWN_MAX ? shown : `${shown.slice(0, SHOWN_MAX)}...`;
}
