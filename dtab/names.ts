/**
 * The central types of naming. All of it is plain data, compared by value (by `show`), except Bound, whose
 * address set changes over time.
 */
import type { Activity } from '../src/base/activity.ts';
import type { Failure } from '../src/base/failure.ts';
import type { Var } from '../src/base/var.ts';
import type { Path } from './path.ts';

export type Weighted<T> = { readonly weight: number; readonly tree: NameTree<T> };

/**
 * alt: the first tree that is not negative wins. union: load is spread by weight. neg: nothing here. empty:
 * here, but no one. fail: stop looking.
 */
export type NameTree<T> =
  | { readonly type: 'leaf'; readonly value: T }
  | { readonly type: 'alt'; readonly trees: readonly NameTree<T>[] }
  | { readonly type: 'union'; readonly trees: readonly Weighted<T>[] }
  | { readonly type: 'neg' }
  | { readonly type: 'empty' }
  | { readonly type: 'fail' };

export const neg: { readonly type: 'neg' } = Object.freeze({ type: 'neg' });
export const empty: { readonly type: 'empty' } = Object.freeze({ type: 'empty' });
export const fail: { readonly type: 'fail' } = Object.freeze({ type: 'fail' });
export const leaf = <T>(value: T): NameTree<T> => ({ type: 'leaf', value });

/** A place in a text: line and column count from 1, offset from 0. */
export type Position = { readonly line: number; readonly column: number; readonly offset: number };

/** An element of a prefix: a label, or `null` for the wildcard `*`. */
export type Prefix = readonly (string | null)[];

/** One rewriting rule. `position` is where it stands in its source; it does not take part in equality. */
export type Dentry = {
  readonly prefix: Prefix;
  readonly dst: NameTree<Path>;
  readonly position?: Position & { readonly source?: string };
};

/** Later entries win. */
export type Dtab = readonly Dentry[];

export type AddressMeta = {
  /** Share of the load relative to other endpoints of the set; 1 when absent. */
  readonly weight?: number;
  readonly nodeName?: string;
};

/** `host` is an IP address, or a name that is resolved when connecting. */
export type Address = { readonly host: string; readonly port: number; readonly meta?: AddressMeta };

export type AddrMeta = {
  /** Host header to send instead of the caller's (consul `setHost`). */
  readonly authority?: string;
  /** A pseudo-service: every request is answered by the router itself with this status (`http.status`). */
  readonly status?: number;
};

/** The address set of a bound name. */
export type Addr =
  | { readonly type: 'bound'; readonly addresses: readonly Address[]; readonly meta: AddrMeta }
  | { readonly type: 'neg' }
  | { readonly type: 'pending' }
  | { readonly type: 'failed'; readonly failure: Failure };

/**
 * A concrete name: `id` names the endpoint set and is its identity; `residual` is what the namer did not
 * consume.
 */
export type Bound = {
  readonly type: 'bound';
  readonly id: Path;
  readonly addr: Var<Addr>;
  readonly residual: Path;
  /** An endpoint has refused a connection: the source is to look again soon. May be called often. */
  readonly refresh?: () => void;
};

/** What a namer answers with: a name to look up further, or a bound one. */
export type Name = Path | Bound;

export interface Namer {
  /** `path` is what follows the namer's prefix. The answer changes over time. */
  lookup(path: Path): Activity<NameTree<Name>>;
  /**
   * Known names below the prefix, for suggestions and `bound-names.json`; absent when the namer cannot list.
   */
  names?(): readonly Path[];
}

export interface Interpreter {
  /** Resolves `path` completely: no paths are left in the tree, only bound names. */
  bind(dtab: Dtab, path: Path): Activity<NameTree<Bound>>;
}
