/**
 * A value that may not be there yet or may have failed. Pending and failed are states: they never end the
 * stream.
 */
import type { Failure } from './failure.ts';
import { collect, constant, type Equal, flatMap, map, type Var } from './var.ts';

export type State<T> =
  | { readonly state: 'pending' }
  | { readonly state: 'ok'; readonly value: T }
  | { readonly state: 'failed'; readonly failure: Failure };

export type Activity<T> = Var<State<T>>;

export const pending: { readonly state: 'pending' } = Object.freeze({ state: 'pending' });
export const ok = <T>(value: T): State<T> => ({ state: 'ok', value });
export const failed = (failure: Failure): { readonly state: 'failed'; readonly failure: Failure } => ({
  state: 'failed',
  failure,
});

/** Equality of states, given equality of values; two failures are equal when kind and message are. */
export function equalStates<T>(equal: Equal<T> = Object.is): Equal<State<T>> {
  return (a, b) => {
    if (a.state === 'ok') return b.state === 'ok' && equal(a.value, b.value);
    if (a.state === 'pending') return b.state === 'pending';
    return (
      b.state === 'failed' && a.failure.kind === b.failure.kind && a.failure.message === b.failure.message
    );
  };
}

export const okActivity = <T>(value: T): Activity<T> => constant<State<T>>(ok(value));
export const failedActivity = (failure: Failure): Activity<never> => constant<State<never>>(failed(failure));

export function mapOk<T, U>(source: Activity<T>, f: (value: T) => U, equal?: Equal<U>): Activity<U> {
  return map<State<T>, State<U>>(source, (s) => (s.state === 'ok' ? ok(f(s.value)) : s), equalStates(equal));
}

export function flatMapOk<T, U>(
  source: Activity<T>,
  f: (value: T) => Activity<U>,
  equal?: Equal<U>,
): Activity<U> {
  return flatMap<State<T>, State<U>>(
    source,
    (s) => (s.state === 'ok' ? f(s.value) : constant<State<U>>(s)),
    equalStates(equal),
  );
}

/** The states of all sources, each on its own: the caller decides what a mixture means. */
export function collectStates<T>(sources: readonly Activity<T>[]): Var<readonly State<T>[]> {
  return collect(sources);
}
