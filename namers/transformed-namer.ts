/**
 * A namer with transformers of its own. They apply once its answer is fully bound: a rewritten name passes as
 * it is.
 */

import type { Bound, Name, Namer, NameTree } from '../dtab/names.ts';
import { Path } from '../dtab/path.ts';
import { type Activity, flatMapOk, okActivity } from '../src/base/activity.ts';
import { transformAll } from './transformers/make-transformers.ts';
import type { Transformer } from './transformers/transform.ts';

export function transformedNamer(inner: Namer, transformers: readonly Transformer[]): Namer {
  const lookup = (path: Path): Activity<NameTree<Name>> =>
    flatMapOk<NameTree<Name>, NameTree<Name>>(inner.lookup(path), (tree) =>
      isBound(tree) ? transformAll(transformers, okActivity(tree)) : okActivity(tree),
    );
  const names = inner.names?.bind(inner);
  return names === undefined ? { lookup } : { lookup, names };
}

function isBound(tree: NameTree<Name>): tree is NameTree<Bound> {
  switch (tree.type) {
    case 'leaf':
      return !(tree.value instanceof Path);
    case 'alt':
      return tree.trees.every(isBound);
    case 'union':
      return tree.trees.every((each) => isBound(each.tree));
    default:
      return true;
  }
}
