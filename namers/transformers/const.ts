/**
 * io.l5d.const: everything goes to one name, whatever was asked for and even if that does not exist. The name
 * is bound with the configured namers and an empty dtab; its leaves have the configured path as their id,
 * behind the prefix.
 *
 *     transformers:
 *     - kind: io.l5d.const
 *       path: /#/io.l5d.fs/fallback
 */
import type { Delegation } from '../../dtab/delegation.ts';
import { transformDelegation } from '../../dtab/delegation.ts';
import { mapTree } from '../../dtab/lookup.ts';
import type { Bound, NameTree } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import type { Activity } from '../../src/base/activity.ts';
import { mapOk } from '../../src/base/activity.ts';
import type { Transformer } from './transform.ts';

/** Binds a path without any dtab. */
export type BindPath = (path: Path) => Activity<NameTree<Bound>>;

export function constName(prefix: Path, path: Path, bindPath: BindPath): Transformer {
  const other = new Substitute(prefix, path, bindPath);
  return { path, transform: () => other.trees, show: (_tree, delegated) => other.show(delegated(path)) };
}

/** One name in the place of others, under an id of its own. */
export class Substitute {
  readonly trees: Activity<NameTree<Bound>>;
  readonly #prefix: Path;
  readonly #id: Path;

  constructor(prefix: Path, path: Path, bindPath: BindPath) {
    this.#prefix = prefix;
    this.#id = prefix.concat(path);
    this.trees = mapOk(bindPath(path), (tree) => mapTree(tree, (bound) => this.#renamed(bound)));
  }

  show(tree: Delegation): Delegation {
    return transformDelegation(tree, this.#prefix.show, (bound) => this.#renamed(bound));
  }

  #renamed(bound: Bound): Bound {
    return { ...bound, id: this.#id };
  }
}
