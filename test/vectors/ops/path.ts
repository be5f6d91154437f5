/** The ops of path.json. */
import { readPath } from '../../../dtab/parse.ts';
import { Path } from '../../../dtab/path.ts';
import { type ElementData, elementOf, labelOf } from '../encoding.ts';

type Count = { path: string; n: number };

export const ops = {
  parse({ text }: { text: string }): object {
    const path = readPath(text);
    return { elems: path.segments.map(elementOf), show: path.show };
  },
  show: ({ elems }: { elems: readonly ElementData[] }) => ({ show: new Path(elems.map(labelOf)).show }),
  'starts-with': ({ path, prefix }: { path: string; prefix: string }) => ({
    result: readPath(path).startsWith(readPath(prefix)),
  }),
  take: ({ path, n }: Count) => ({ result: readPath(path).take(n).show }),
  drop: ({ path, n }: Count) => ({ result: readPath(path).drop(n).show }),
  concat: ({ a, b }: { a: string; b: string }) => ({ result: readPath(a).concat(readPath(b)).show }),
};
