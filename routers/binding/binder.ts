/** How a router asks for names: the interpreter on the control thread, seen from a data thread. */

import type { Bound, Dtab, NameTree } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import type { Activity } from '../../src/base/activity.ts';
import type { IngressRules } from '../identify/ingress-rules.ts';

/** `note` explains a tree in which nothing is bound: the dentry that decided, what the namer answered. */
export type Binding = { readonly tree: NameTree<Bound>; readonly note?: string };

export interface Binder {
  /** Resolves `path` with the router's own dtab followed by `localDtab`. Live while observed. */
  bind(localDtab: Dtab, path: Path): Activity<Binding>;
  /** The Ingress objects for the router's identifier at that place of its list. Live while observed. */
  ingress(identifier: number): Activity<IngressRules>;
}
