/**
 * Binding: a path to the tree of bound names that it stands for, live. Closed form of the rules: see
 * docs/dtab.md. An observer is told when the outcome differs from the last one, not whenever something was
 * looked at.
 */
import { type Activity, flatMapOk } from '../src/base/activity.ts';
import { Lazy } from '../src/base/var.ts';
import { type BindInputs, Evaluation, prepare, sameBinding } from './evaluation.ts';
import type { BoundState } from './evaluation-nodes.ts';
import type { Bound, Dtab, NameTree } from './names.ts';

export function bindPath(inputs: BindInputs): Activity<NameTree<Bound>> {
  const prepared = prepare(inputs);
  return new Lazy<BoundState>(
    (set) => new Evaluation(prepared, false, ({ state }) => set(state)),
    sameBinding,
  );
}

/**
 * The same by a dtab that changes. The new evaluation starts before the old one ends, so that watches are
 * kept.
 */
export function bindByChangingDtab(
  dtabs: Activity<Dtab>,
  inputs: Omit<BindInputs, 'dtab'>,
): Activity<NameTree<Bound>> {
  const follow = flatMapOk(dtabs, (dtab) => bindPath({ ...inputs, dtab }));
  return new Lazy<BoundState>((set) => follow.observe(set), sameBinding);
}
