/** Generated paths, trees, dentries and dtabs for property tests. */
import fc from 'fast-check';
import { type Dentry, type Dtab, empty, fail, type NameTree, neg, type Prefix } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';

const plainLabel = fc.stringMatching(/^[0-9A-Za-z_:.#$%-]{1,6}$/);
const byteLabel = fc
  .uint8Array({ minLength: 1, maxLength: 4 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
export const label = fc.oneof({ weight: 3, arbitrary: plainLabel }, byteLabel);

/** Few different labels, so that prefixes match and paths meet. */
const fewLabels = fc.constantFrom('a', 'b', 'c', 'd');

export const anyPath: fc.Arbitrary<Path> = fc
  .array(label, { maxLength: 5 })
  .map((labels) => new Path(labels));
export const fewPaths: fc.Arbitrary<Path> = fc
  .array(fewLabels, { minLength: 1, maxLength: 3 })
  .map((labels) => new Path(labels));

/** Weights that two decimals show exactly. */
const weight = fc.nat(500).map((hundredths) => hundredths / 100);

/** Trees; `members` is the least number of members of a composite (the parser makes no fewer than two). */
export function treeOf<T>(value: fc.Arbitrary<T>, members: number): fc.Arbitrary<NameTree<T>> {
  const { tree } = fc.letrec<{ tree: NameTree<T> }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      value.map((v): NameTree<T> => ({ type: 'leaf', value: v })),
      fc.constantFrom<NameTree<T>>(neg, empty, fail),
      fc
        .array(tie('tree'), { minLength: members, maxLength: 3 })
        .map((trees): NameTree<T> => ({ type: 'alt', trees })),
      fc
        .array(fc.record({ weight, tree: tie('tree') }), { minLength: members, maxLength: 3 })
        .map((trees): NameTree<T> => ({ type: 'union', trees })),
    ),
  }));
  return tree;
}

const prefixOf = (labels: fc.Arbitrary<string>): fc.Arbitrary<Prefix> =>
  fc.array(fc.oneof({ weight: 4, arbitrary: labels }, fc.constant(null)), { maxLength: 3 });

export const prefix = prefixOf(label);

export const dentry: fc.Arbitrary<Dentry> = fc.record({ prefix, dst: treeOf(anyPath, 2) });

export const anyDtab: fc.Arbitrary<Dtab> = fc.array(dentry, { maxLength: 5 });

/** Dtabs whose entries lead to each other. */
export const fewDtab: fc.Arbitrary<Dtab> = fc.array(
  fc.record({ prefix: prefixOf(fewLabels), dst: treeOf(fewPaths, 1) }),
  { maxLength: 6 },
);
