/**
 * A binding with its explanation: when nothing is bound, or binding failed, the answer waits for the note
 * that says why, so that a refused request can show it. A note that cannot be had never holds the answer
 * back.
 */
import type { Bound, NameTree } from '../../dtab/names.ts';
import type { Binding } from '../../routers/binding/binder.ts';
import { type Activity, failed, ok, pending, type State } from '../base/activity.ts';
import { Failure } from '../base/failure.ts';
import { Lazy } from '../base/var.ts';
import { hasLeaf } from './naming-messages.ts';

export type Explanation = Promise<string | undefined> | string | undefined;

/** The note of a failure is its `cause`. */
export function notedBinding(
  trees: Activity<NameTree<Bound>>,
  explain: (() => Explanation) | undefined,
): Activity<Binding> {
  return new Lazy<State<Binding>>((set) => {
    let version = 0;
    let told = false;
    const tell = (state: State<Binding>): void => {
      told = true;
      set(state);
    };
    const watch = trees.observe((state) => {
      const mine = ++version;
      if (state.state === 'pending') return tell(pending);
      if (explain === undefined || (state.state === 'ok' && hasLeaf(state.value))) {
        return tell(noted(state, undefined));
      }
      const note = attempt(explain);
      if (!(note instanceof Promise)) return tell(noted(state, note));
      if (!told) set(pending);
      const finish = (text: string | undefined): void => {
        if (mine === version) tell(noted(state, text));
      };
      note.then(finish, () => finish(undefined));
    });
    return {
      close() {
        version++;
        watch.close();
      },
    };
  });
}

function attempt(explain: () => Explanation): Explanation {
  try {
    return explain();
  } catch {
    return undefined;
  }
}

type Settled = Exclude<State<NameTree<Bound>>, { readonly state: 'pending' }>;

function noted(state: Settled, note: string | undefined): State<Binding> {
  if (state.state === 'ok')
    return ok(note === undefined ? { tree: state.value } : { tree: state.value, note });
  if (note === undefined) return state;
  const { kind, message, undelivered } = state.failure;
  return failed(new Failure(kind, message, undelivered, note));
}
