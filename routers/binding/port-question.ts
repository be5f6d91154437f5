/**
 * Whether the router's dtab binds a name to a port: asks for the binding of the name once, and looks for
 * the port in what it is bound to. A name that stays pending is not bound.
 */
import type { Bound, NameTree } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import { type Closable, nothingToClose } from '../../src/base/closable.ts';
import type { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { Binder } from './binder.ts';

export type PortQuestion = {
  readonly binder: Binder;
  readonly wheel: TimerWheel;
  readonly timeoutMs: number;
  readonly path: Path;
  /** Whether the port stands in a printed id. */
  readonly inId: (shown: string) => boolean;
};

/** `tell` is called once, perhaps at once; closing before that withdraws the question. */
export function askForPort(question: PortQuestion, tell: (bound: boolean) => void): Closable {
  const { binder, wheel, timeoutMs, path, inId } = question;
  let observation: Closable = nothingToClose;
  let told = false;
  const close = (): void => {
    told = true;
    timer.close();
    observation.close();
  };
  const settle = (bound: boolean): void => {
    if (told) return;
    close();
    tell(bound);
  };
  const timer = wheel.timer(() => settle(false));
  timer.arm(timeoutMs);
  observation = binder.bind([], path).observe((state) => {
    if (state.state === 'ok') settle(someBound(state.value.tree, inId));
    else if (state.state === 'failed') settle(false);
  });
  // The answer may have come while there was nothing to close yet.
  if (told) observation.close();
  return { close };
}

function someBound(tree: NameTree<Bound>, inId: (shown: string) => boolean): boolean {
  switch (tree.type) {
    case 'leaf':
      return inId(tree.value.id.show);
    case 'alt':
      return tree.trees.some((each) => someBound(each, inId));
    case 'union':
      return tree.trees.some((each) => someBound(each.tree, inId));
    default:
      return false;
  }
}
