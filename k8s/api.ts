/** The Kubernetes API as namers and identifiers see it: sets of objects that stay current. */
import type { Activity } from '../src/base/activity.ts';
import type { Closable } from '../src/base/closable.ts';
import { Failure } from '../src/base/failure.ts';
import type { KubeObject } from './resources.ts';
import type { Selection } from './selection.ts';

export interface KubeApi extends Closable {
  /**
   * The selected objects by `namespace/name`. Pending until they have been listed once; failed (a
   * KubeFailure) when that does not work, and recovers by itself; after the first success it keeps the last
   * good set for ever, and never shows an empty or a half one in between. It runs from the first observer to
   * the last; equal selections share one watch.
   */
  watch<T extends KubeObject>(selection: Selection<T>): Activity<ReadonlyMap<string, T>>;
  /**
   * The set may be out of date (an endpoint refused a connection): lists it again soon. Asking often is
   * harmless: it is done at most once in some seconds. Nothing happens when nobody watches the selection.
   */
  refresh(selection: Selection<KubeObject>): void;
  /** What is watched now, for metrics and admin pages. */
  watches(): readonly WatchReport[];
}

export type KubeReason =
  | 'unreachable' // no connection, or no answer
  | 'unauthorized' // 401
  | 'forbidden' // 403: an RBAC rule is missing
  | 'no-such-resource' // 404 on the collection: the server has no such API group, version or resource
  | 'refused' // any other status
  | 'bad-answer'; // something that is not the Kubernetes API, or too large

/** Why the API server does not tell what it is asked. */
export class KubeFailure extends Failure {
  readonly reason: KubeReason;
  /** What the server wants to be left alone for. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: KubeReason, message: string, retryAfterMs?: number) {
    super('naming', message, true);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

export type WatchState = 'listing' | 'watching' | 'waiting'; // for the next attempt

export type WatchReport = {
  /** Path and selectors. */
  readonly path: string;
  readonly state: WatchState;
  /** Objects known; undefined before the first list. */
  readonly objects: number | undefined;
  /** How long it is since the server last confirmed what is known: 0 while a watch is open. */
  readonly staleMs: number;
  /** The last list or event, as a date; undefined before the first. */
  readonly updatedMs: number | undefined;
  readonly resourceVersion: string;
  /** Changes that a re-list found and the watch had not told. */
  readonly drift: number;
  readonly lists: number;
  readonly events: number;
  /** The last thing that went wrong, while it is wrong. */
  readonly problem: string | undefined;
};
