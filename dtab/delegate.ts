/**
 * The explained evaluation: the same steps as binding takes, but every alternative is followed, and each step
 * keeps the entry that made it. It is live like a binding; an answer that is not there yet is a node of type
 * `pending`.
 */
import { type Activity, failed, ok, type State } from '../src/base/activity.ts';
import { Failure } from '../src/base/failure.ts';
import { Lazy } from '../src/base/var.ts';
import { type Delegation, hasPending, simplifyDelegation } from './delegation.ts';
import { type BindInputs, Evaluation, prepare } from './evaluation.ts';
import {
  AltNode,
  type Asked,
  EvaluationLimit,
  type EvaluationNode,
  type Frame,
  LookupNode,
  UnionNode,
} from './evaluation-nodes.ts';
import { Path } from './path.ts';

/**
 * Fails when the name itself runs into a limit; a limit that one branch of several hits is shown in its
 * place.
 */
export function delegatePath(inputs: BindInputs): Activity<Delegation> {
  const prepared = prepare(inputs);
  return new Lazy<State<Delegation>>((set) => {
    return new Evaluation(prepared, true, ({ root }) => {
      const tree = delegationOf(root);
      set(tree instanceof Failure ? failed(tree) : ok(simplifyDelegation(tree)));
    });
  });
}

/** What `delegatePath` shows at this moment. */
export function delegateNow(inputs: BindInputs): Delegation | Failure {
  let result: Delegation | Failure | undefined;
  delegatePath(inputs)
    .observe((state) => {
      if (state.state === 'ok') result = state.value;
      if (state.state === 'failed') result = state.failure;
    })
    .close();
  return result ?? { type: 'pending', path: inputs.path };
}

/** Waits until no step is pending, or until `signal` aborts, and then gives what there is. */
export function delegateSettled(inputs: BindInputs, signal?: AbortSignal): Promise<Delegation | Failure> {
  return new Promise((resolve) => {
    let latest: Delegation | Failure = { type: 'pending', path: inputs.path };
    let settled = false;
    const stop = (): void => {
      settled = true;
      signal?.removeEventListener('abort', stop);
      // The first state arrives before there is a subscription to close.
      queueMicrotask(() => subscription.close());
      resolve(latest);
    };
    const subscription = delegatePath(inputs).observe((state) => {
      if (settled || state.state === 'pending') return;
      latest = state.state === 'ok' ? state.value : state.failure;
      if (latest instanceof Failure || !hasPending(latest)) stop();
    });
    if (signal?.aborted && !settled) stop();
    else if (!settled) signal?.addEventListener('abort', stop);
  });
}

function delegationOf(node: EvaluationNode): Delegation | Failure {
  if (node instanceof LookupNode) return lookupOf(node);
  if (node instanceof AltNode) return alternativesOf(node);
  if (node instanceof UnionNode) return unionOf(node);
  const { state } = node;
  const at = placeOf(node.frame);
  if (state === undefined || state.state === 'pending') return { type: 'pending', ...at };
  if (state.state === 'failed') return state.failure;
  if (state.value.type === 'leaf') return { type: 'leaf', ...at, bound: state.value.value };
  if (state.value.type === 'empty' || state.value.type === 'fail') return { type: state.value.type, ...at };
  // A `~` in a tree stands for no path at all.
  return { type: 'neg', ...at, path: Path.empty };
}

function placeOf({ path, dentry }: Frame) {
  return dentry === undefined ? { path } : { path, dentry };
}

function lookupOf(node: LookupNode): Delegation | Failure {
  const at = placeOf(node.frame);
  if (node.tooDeep !== undefined) return node.tooDeep;
  const [child] = node.children;
  if (node.matches !== undefined && node.matches.length > 0 && child !== undefined) {
    const tree = delegationOf(child);
    if (tree instanceof Failure || node.matches.length > 1) return tree;
    return { type: 'delegate', ...at, tree };
  }
  const asked = node.asked.at(-1);
  if (node.state?.state === 'ok' && node.state.value.type === 'neg' && child === undefined) {
    const { disregarded } = node;
    // The entry that says `~` is what a reader looks for, when the namers know nothing either.
    if (disregarded !== undefined) {
      return { type: 'delegate', ...at, tree: { type: 'neg', path: Path.empty, dentry: disregarded } };
    }
    return asked === undefined ? { type: 'neg', ...at } : { type: 'neg', ...at, namer: asked.entry.prefix };
  }
  return asked === undefined ? { type: 'pending', ...at } : answerOf(node, asked);
}

function answerOf(node: LookupNode, { entry, state }: Asked): Delegation | Failure {
  const by = { ...placeOf(node.frame), namer: entry.prefix };
  if (state.state === 'pending') return { type: 'pending', ...by };
  if (state.state === 'failed') return { type: 'exception', ...by, failure: state.failure };
  if (state.value.type === 'empty' || state.value.type === 'fail') return { type: state.value.type, ...by };
  const [child] = node.children;
  return child === undefined ? { type: 'pending', ...by } : delegationOf(child);
}

function alternativesOf(node: AltNode): Delegation | Failure {
  const at = placeOf(node.frame);
  const trees: Delegation[] = [];
  for (const child of node.children) {
    const tree = branchOf(child, node);
    if (tree instanceof Failure) return tree;
    trees.push(tree);
  }
  return { type: 'alt', ...at, trees };
}

function unionOf(node: UnionNode): Delegation | Failure {
  const at = placeOf(node.frame);
  const trees: { readonly weight: number; readonly tree: Delegation }[] = [];
  for (const [i, child] of node.children.entries()) {
    const tree = branchOf(child, node);
    if (tree instanceof Failure) return tree;
    trees.push({ weight: node.weights[i] ?? 1, tree });
  }
  return { type: 'union', ...at, trees };
}

/** One of several branches fails on its own, unless the evaluation as a whole has hit a limit. */
function branchOf(child: EvaluationNode, parent: EvaluationNode): Delegation | Failure {
  const tree = delegationOf(child);
  if (!(tree instanceof Failure) || tree instanceof EvaluationLimit) return tree;
  if (parent.children.length === 1) return tree;
  return { type: 'exception', ...placeOf(parent.frame), failure: tree };
}
