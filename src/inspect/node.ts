/**
 * A delegation as `/delegator.json` tells it, and what it comes to: the shares of the bound names, or why
 * there is none. The rules are those of binding (docs/dtab.md).
 */
import type { FailureKind } from '../base/failure.ts';

export type DentryView = {
  readonly prefix: string;
  readonly dst: string;
  readonly position?: { readonly source?: string; readonly line: number; readonly column: number };
};

export type BoundView = {
  readonly id: string;
  /** What the namer did not use up. */
  readonly path: string;
  readonly addr: {
    readonly type: 'bound' | 'neg' | 'pending' | 'failed';
    readonly addrs?: readonly { readonly ip: string; readonly port: number; readonly meta?: object }[];
    readonly cause?: string;
  };
  readonly tls?: { readonly name?: string; readonly error?: string };
};

export type DelegationNode = {
  readonly type: string;
  readonly path: string;
  readonly dentry?: DentryView;
  readonly namer?: string;
  readonly delegate?: DelegationNode;
  readonly alt?: readonly DelegationNode[];
  readonly union?: readonly { readonly weight: number; readonly tree: DelegationNode }[];
  readonly bound?: BoundView;
  /** Of a transformation. */
  readonly name?: string;
  readonly tree?: DelegationNode;
  readonly message?: string;
};

export type Outcome =
  | { readonly type: 'bound'; readonly shares: ReadonlyMap<string, number> }
  | { readonly type: 'error'; readonly code: FailureKind; readonly why: string };

type Reached = 'neg' | 'fail' | 'empty' | 'exception' | ReadonlyMap<string, number>;

export function outcomeOf(node: DelegationNode): Outcome {
  const reached = reach(node);
  if (typeof reached !== 'string') return { type: 'bound', shares: reached };
  if (reached === 'exception') {
    const message = messageIn(node);
    if (message.startsWith('pending'))
      return { type: 'error', code: 'binding-timeout', why: 'is not known yet' };
    return { type: 'error', code: 'naming', why: `cannot be resolved: ${message}` };
  }
  const why = { neg: 'does not exist', fail: 'is blocked', empty: 'exists, but has no endpoints' }[reached];
  return { type: 'error', code: 'no-endpoints', why };
}

/** The branch that decides in a list of alternatives: the first that is not absent. */
export function chosenAlternative(alternatives: readonly DelegationNode[]): number {
  return alternatives.findIndex((each) => reach(each) !== 'neg');
}

function reach(node: DelegationNode): Reached {
  const inner = node.delegate ?? node.tree;
  if (inner !== undefined) return reach(inner);
  if (node.alt !== undefined) {
    for (const each of node.alt) {
      const reached = reach(each);
      if (reached !== 'neg') return reached;
    }
    return 'neg';
  }
  if (node.union !== undefined) return union(node.union);
  if (node.bound !== undefined) return new Map([[node.bound.id, 1]]);
  return node.type === 'fail' || node.type === 'empty' || node.type === 'exception' ? node.type : 'neg';
}

function union(branches: NonNullable<DelegationNode['union']>): Reached {
  const reached = branches.map(({ weight, tree }) => ({ weight, result: reach(tree) }));
  const bound = reached.flatMap(({ weight, result }) =>
    typeof result === 'string' ? [] : [{ weight, result }],
  );
  if (bound.length === 0) {
    const results = reached.map(({ result }) => result);
    return (['empty', 'neg', 'fail', 'exception'] as const).find((each) => results.includes(each)) ?? 'neg';
  }
  const shares = new Map<string, number>();
  const whole = bound.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, result } of bound) {
    const share = whole === 0 ? 1 / bound.length : weight / whole;
    for (const [id, part] of result) shares.set(id, (shares.get(id) ?? 0) + share * part);
  }
  return shares;
}

function messageIn(node: DelegationNode): string {
  if (node.message !== undefined) return node.message;
  const below = [
    node.delegate,
    node.tree,
    ...(node.alt ?? []),
    ...(node.union ?? []).map(({ tree }) => tree),
  ];
  for (const each of below) {
    const message = each === undefined ? '' : messageIn(each);
    if (message !== '') return message;
  }
  return '';
}
