/** The tree of `delegator.json`, and what it comes to: which ends traffic reaches, by what share. */

export type DentryJson = {
  readonly prefix: string;
  readonly dst: string;
  readonly position?: { readonly source?: string; readonly line: number; readonly column: number };
};

export type AddrJson =
  | { readonly type: 'bound'; readonly addrs: readonly { readonly ip: string; readonly port: number }[] }
  | { readonly type: 'neg' | 'pending' }
  | { readonly type: 'failed'; readonly cause: string };

export type BoundJson = {
  readonly addr: AddrJson;
  readonly id: string;
  readonly path: string;
  readonly tls?: { readonly name: string } | { readonly error: string };
};

type Step = { readonly path: string; readonly dentry?: DentryJson; readonly namer?: string };

export type DelegationNode = Step &
  (
    | { readonly type: 'delegate'; readonly delegate: DelegationNode }
    | { readonly type: 'alt'; readonly alt: readonly DelegationNode[] }
    | { readonly type: 'union'; readonly union: readonly WeightedNode[] }
    | { readonly type: 'leaf'; readonly bound: BoundJson }
    | {
        readonly type: 'transformation';
        readonly name: string;
        readonly bound: BoundJson;
        readonly tree: DelegationNode;
      }
    | { readonly type: 'neg' | 'fail' | 'empty' }
    | { readonly type: 'exception'; readonly message: string }
  );

export type WeightedNode = { readonly weight: number; readonly tree: DelegationNode };

export type Verdict = 'found' | 'absent' | 'empty' | 'pending' | 'forbidden' | 'failed';

/** Follows the rules of binding: an alternative that is not absent ends the search. */
export function verdictOf(node: DelegationNode): Verdict {
  switch (node.type) {
    case 'leaf':
      return 'found';
    case 'delegate':
      return verdictOf(node.delegate);
    case 'transformation':
      return verdictOf(node.tree);
    case 'alt':
      return node.alt.map(verdictOf).find((each) => each !== 'absent') ?? 'absent';
    case 'union': {
      const verdicts = node.union.map(({ tree }) => verdictOf(tree));
      const order: readonly Verdict[] = ['found', 'empty', 'absent', 'forbidden', 'failed', 'pending'];
      return order.find((each) => verdicts.includes(each)) ?? 'absent';
    }
    case 'neg':
      return 'absent';
    case 'fail':
      return 'forbidden';
    case 'empty':
      return 'empty';
    case 'exception':
      if (node.message.startsWith('pending')) return 'pending';
      return /forbidden|403/i.test(node.message) ? 'forbidden' : 'failed';
  }
}

export type Share = { readonly bound: BoundJson; readonly share: number };

/** Where traffic goes, each with its share; parts of a union that lead nowhere leave theirs to the others. */
export function sharesOf(node: DelegationNode, whole = 1): Share[] {
  switch (node.type) {
    case 'leaf':
      return [{ bound: node.bound, share: whole }];
    case 'delegate':
      return sharesOf(node.delegate, whole);
    case 'transformation':
      return sharesOf(node.tree, whole);
    case 'alt': {
      const taken = chosenOf(node.alt);
      return taken === undefined ? [] : sharesOf(taken, whole);
    }
    case 'union': {
      const found = node.union.filter(({ weight, tree }) => weight > 0 && verdictOf(tree) === 'found');
      const total = found.reduce((sum, { weight }) => sum + weight, 0);
      return found.flatMap(({ weight, tree }) => sharesOf(tree, (whole * weight) / total));
    }
    default:
      return [];
  }
}

/** The alternative that decides. */
export function chosenOf(trees: readonly DelegationNode[]): DelegationNode | undefined {
  return trees.find((tree) => verdictOf(tree) !== 'absent');
}

/** Shares by bound id, in the order of the tree. */
export function totalsOf(shares: readonly Share[]): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const { bound, share } of shares) totals.set(bound.id, (totals.get(bound.id) ?? 0) + share);
  return totals;
}
