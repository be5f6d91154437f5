/**
 * What the two ends of interpreter-port say to each other, as plain data, and the translation from and to
 * naming's own types. A bound leaf is sent as its id, its residual and the number of its address set.
 *
 * A set is sent once and then referred to by its number. Both ends count references, so that neither has to
 * wait for the other: `drop` gives back as many as the data side has been sent, and the control side forgets
 * the set when none is left; a reference that crossed the `drop` on its way makes the control side send the
 * set again.
 */
import { mapTree } from '../../dtab/lookup.ts';
import type { Addr, Dtab, NameTree } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import type { IngressRules } from '../../routers/identify/ingress-rules.ts';
import type { State } from '../base/activity.ts';
import { Failure, type FailureKind } from '../base/failure.ts';

type Segments = readonly string[];

export type FailureData = {
  readonly kind: FailureKind;
  readonly message: string;
  readonly undelivered: boolean;
};

export type LeafData = { readonly set: number; readonly id: Segments; readonly residual: Segments };

export type AddrData =
  | Exclude<Addr, { readonly type: 'failed' }>
  | { readonly type: 'failed'; readonly failure: FailureData };

export type DentryData = Omit<Dtab[number], 'dst'> & { readonly dst: NameTree<Segments> };

export type StateData =
  | { readonly state: 'pending' }
  | { readonly state: 'ok'; readonly tree: NameTree<LeafData>; readonly note?: string }
  | { readonly state: 'failed'; readonly failure: FailureData; readonly note?: string };

export type IngressData =
  | Exclude<State<IngressRules>, { readonly state: 'failed' }>
  | { readonly state: 'failed'; readonly failure: FailureData };

/** From a data thread. `observe` numbers an observation of its own; the answers bear that number. */
export type ToControl =
  | {
      readonly op: 'observe';
      readonly observation: number;
      readonly router: number;
      readonly dtab: readonly DentryData[];
      readonly path: Segments;
    }
  | {
      readonly op: 'observe-ingress';
      readonly observation: number;
      readonly router: number;
      readonly identifier: number;
    }
  | { readonly op: 'unobserve'; readonly observation: number }
  /** An endpoint of the set has refused a connection. */
  | { readonly op: 'refresh'; readonly set: number }
  | { readonly op: 'drop'; readonly set: number; readonly references: number };

/** From the control thread. `sets` are those that the state refers to and the data side does not know. */
export type ToData =
  | {
      readonly op: 'state';
      readonly observation: number;
      readonly state: StateData;
      readonly sets: readonly { readonly set: number; readonly addr: AddrData }[];
    }
  | { readonly op: 'ingress'; readonly observation: number; readonly state: IngressData }
  | { readonly op: 'addr'; readonly set: number; readonly addr: AddrData };

/** True when some leaf is there, whatever stands around it. */
export function hasLeaf(tree: NameTree<unknown>): boolean {
  if (tree.type === 'alt') return tree.trees.some(hasLeaf);
  if (tree.type === 'union') return tree.trees.some((each) => hasLeaf(each.tree));
  return tree.type === 'leaf';
}

export function dtabToData(dtab: Dtab): readonly DentryData[] {
  return dtab.map((dentry) => ({ ...dentry, dst: mapTree(dentry.dst, (path) => path.segments) }));
}

export function dtabFromData(data: readonly DentryData[]): Dtab {
  return data.map((dentry) => ({ ...dentry, dst: mapTree(dentry.dst, (segments) => new Path(segments)) }));
}

/** The cause stays behind: it may be anything, and only its text is of use on the other side. */
export function failureToData({ kind, message, undelivered }: Failure): FailureData {
  return { kind, message, undelivered };
}

export function failureFromData(data: FailureData, cause?: unknown): Failure {
  return new Failure(data.kind, data.message, data.undelivered, cause);
}

export function addrToData(addr: Addr): AddrData {
  return addr.type === 'failed' ? { type: 'failed', failure: failureToData(addr.failure) } : addr;
}

export function addrFromData(data: AddrData): Addr {
  return data.type === 'failed' ? { type: 'failed', failure: failureFromData(data.failure) } : data;
}
