/** How a router asks for names: the interpreter on the control thread, seen from a data thread. */

import type { Bound, Dtab, NameTree } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import type { Activity } from '../../src/base/activity.ts';

/** `note` explains a tree in which nothing is bound: the dentry that decided, what the namer answered. */
export type Binding = { readonly tree: NameTree<Bound>; readonly note?: string };

export interface Binder {
  /** Resolves `path` with the router's own dtab followed by `localDtab`. Live while observed. */
  bind(localDtab: Dtab, path: Path): Activity<Binding>;
}
