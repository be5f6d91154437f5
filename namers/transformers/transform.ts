/**
 * What a transformer is: a change of bound trees, applied around an interpreter or a namer, that can also
 * show itself in an explanation. Most of them change address sets only; their leaves get an id of their own,
 * the old one behind `/%<prefix>`, because a changed set is another set. One source set gives one changed
 * set, so that a client is not rebuilt with its tree.
 */
import { type Delegation, transformDelegation } from '../../dtab/delegation.ts';
import { mapTree } from '../../dtab/lookup.ts';
import type { Addr, Bound, NameTree } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import type { Activity } from '../../src/base/activity.ts';
import { mapOk, type State } from '../../src/base/activity.ts';
import { map, type Var } from '../../src/base/var.ts';

export type Transformer = {
  transform(trees: Activity<NameTree<Bound>>): Activity<NameTree<Bound>>;
  /** The explanation of what was bound before, made that of what is bound after. */
  show(tree: Delegation, delegated: DelegatedPath): Delegation;
  /** A path that takes the place of others. */
  readonly path?: Path;
};

/** How the `path` of a transformer is resolved. */
export type DelegatedPath = (path: Path) => Delegation;

/**
 * `prefix` is the full one, `/%` included. `refresh`: of addresses that come from elsewhere than the set that
 * is changed.
 */
export function transformSets(
  prefix: Path,
  change: (source: Var<Addr>) => Var<Addr>,
  refresh?: () => void,
): Transformer {
  const changed = new WeakMap<Var<Addr>, Var<Addr>>();
  const transformBound = (bound: Bound): Bound => {
    let addr = changed.get(bound.addr);
    if (addr === undefined) {
      addr = change(bound.addr);
      changed.set(bound.addr, addr);
    }
    const own = bound.refresh;
    return {
      ...bound,
      id: prefix.concat(bound.id),
      addr,
      ...(refresh !== undefined && {
        refresh: () => {
          refresh();
          own?.();
        },
      }),
    };
  };
  return {
    transform: (trees) => mapOk(trees, (tree) => mapTree(tree, transformBound)),
    show: (tree) => transformDelegation(tree, prefix.show, transformBound),
  };
}

/** The set with every bound address list changed by `f`; other states pass through. */
export function mapBound(source: Var<Addr>, f: (addr: Addr & { readonly type: 'bound' }) => Addr): Var<Addr> {
  return map<Addr, Addr>(source, (addr) => (addr.type === 'bound' ? f(addr) : addr));
}

/** The set as long as something that it depends on is not known. */
export function unknownAddr(state: Exclude<State<unknown>, { readonly state: 'ok' }>): Addr {
  return state.state === 'pending' ? { type: 'pending' } : { type: 'failed', failure: state.failure };
}
