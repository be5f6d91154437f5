/**
 * The nodes of one evaluation: what stands at each place of the tree that a name unfolds into, and its state.
 * A node computes its state from its children, which it makes when it needs them; the evaluation decides
 * when. Nothing here recurses, so that a hostile dtab cannot exhaust the stack.
 */
import { type Activity, failed, ok, pending, type State } from '../src/base/activity.ts';
import type { Closable } from '../src/base/closable.ts';
import { Failure } from '../src/base/failure.ts';
import { type DtabIndexes, matchingIn } from './lookup.ts';
import { type Bound, type Dentry, leaf, type Name, type Namer, type NameTree, neg } from './names.ts';
import { Path } from './path.ts';
import { shorten, showDentryPlace } from './show.ts';

/** A namer and the prefix of the names that it is asked for. */
export type NamerEntry = { readonly prefix: Path; readonly namer: Namer };

/** Asked in order until one answers anything but neg. The system namer (prefix `/$`) stands last. */
export type NamerTable = readonly NamerEntry[];

export type BoundState = State<NameTree<Bound>>;

/** What a node needs of the evaluation that it belongs to. */
export interface Evaluator {
  readonly indexes: DtabIndexes;
  readonly namers: NamerTable;
  readonly depthMax: number;
  /** Whether alternatives are all followed, to explain them, or only until one of them decides. */
  readonly exhaustive: boolean;
  /**
   * Computes `node` again after the children that it has just made, or because an input of it has changed.
   */
  enqueue(node: EvaluationNode): void;
  /** An input of `node` has changed: computes it and whatever depends on it. */
  changed(node: EvaluationNode): void;
  /** Counts what a new node costs; the failure when the evaluation has grown too large. */
  spend(cost: number, nesting: number): EvaluationLimit | undefined;
  /** The failure once it has. */
  readonly tooLarge: EvaluationLimit | undefined;
  /** Closes `node` and all below it, after what replaces it has started. */
  retire(node: EvaluationNode): void;
}

/** A failure of the evaluation as a whole: no union goes on without the branch that hit it. */
export class EvaluationLimit extends Failure {
  constructor(message: string) {
    super('naming', message);
  }
}

/** What the trees of one lookup have in common. */
export type Frame = {
  /** The path that was looked up. */
  readonly path: Path;
  /** What is appended to the paths in the tree. */
  readonly suffix: Path;
  /** The entry that the tree comes from. */
  readonly dentry: Dentry | undefined;
  /** How many lookups led here. */
  readonly depth: number;
};

export abstract class EvaluationNode {
  readonly frame: Frame;
  readonly parent: EvaluationNode | undefined;
  /** Levels of the tree above this node. */
  readonly nesting: number;
  state: BoundState | undefined;
  queued = false;
  closed = false;

  constructor(frame: Frame, parent: EvaluationNode | undefined) {
    this.frame = frame;
    this.parent = parent;
    this.nesting = parent === undefined ? 0 : parent.nesting + 1;
  }

  /** What this node counts for in the evaluation's budget. */
  get cost(): number {
    return 1;
  }

  abstract get children(): readonly EvaluationNode[];

  /** The state, or undefined when it has to wait for children, which are queued before this node. */
  abstract compute(evaluator: Evaluator): BoundState | undefined;

  close(): void {}
}

/** A place where nothing can change: a bound name, `~`, `!`, `$`, or a limit. */
export class FixedNode extends EvaluationNode {
  readonly #state: BoundState;

  constructor(frame: Frame, parent: EvaluationNode | undefined, state: BoundState) {
    super(frame, parent);
    this.#state = state;
  }

  get children(): readonly EvaluationNode[] {
    return [];
  }

  compute(): BoundState {
    return this.#state;
  }
}

const NEG = ok<NameTree<Bound>>(neg);
const FAIL = ok<NameTree<Bound>>({ type: 'fail' });
const EMPTY = ok<NameTree<Bound>>({ type: 'empty' });

/** The node of a tree; a leaf that is a path is looked up in its turn. */
export function newNode(
  tree: NameTree<Name>,
  frame: Frame,
  parent: EvaluationNode | undefined,
  evaluator: Evaluator,
): EvaluationNode {
  const node = nodeOf(tree, frame, parent);
  const limit = evaluator.spend(node.cost, node.nesting);
  if (limit === undefined) return node;
  evaluator.spend(1 - node.cost, 0);
  return new FixedNode(frame, parent, failed(limit));
}

function nodeOf(tree: NameTree<Name>, frame: Frame, parent: EvaluationNode | undefined): EvaluationNode {
  switch (tree.type) {
    case 'leaf': {
      const { value } = tree;
      if (value instanceof Path) return new LookupNode(value.concat(frame.suffix), frame, parent);
      return new FixedNode(frame, parent, ok(leaf(value)));
    }
    case 'alt':
      return new AltNode(
        frame,
        parent,
        tree.trees.map((each) => ({ tree: each, frame })),
      );
    case 'union':
      return new UnionNode(frame, parent, tree.trees);
    case 'neg':
      return new FixedNode(frame, parent, NEG);
    case 'empty':
      return new FixedNode(frame, parent, EMPTY);
    case 'fail':
      return new FixedNode(frame, parent, FAIL);
  }
}

type Part = { readonly tree: NameTree<Name>; readonly frame: Frame };

/** Left to right: neg gives way to the next; anything else, also `$`, pending or a failure, decides. */
export class AltNode extends EvaluationNode {
  readonly #parts: readonly Part[];
  #children: EvaluationNode[] = [];

  constructor(frame: Frame, parent: EvaluationNode | undefined, parts: readonly Part[]) {
    super(frame, parent);
    this.#parts = parts;
  }

  get children(): readonly EvaluationNode[] {
    return this.#children;
  }

  compute(evaluator: Evaluator): BoundState | undefined {
    if (evaluator.exhaustive && this.#children.length < this.#parts.length) {
      this.#children = this.#parts.map((part) => newNode(part.tree, part.frame, this, evaluator));
      evaluator.enqueue(this);
      for (const child of this.#children.toReversed()) evaluator.enqueue(child);
      return undefined;
    }
    for (const [i, part] of this.#parts.entries()) {
      const child = this.#children[i];
      if (child === undefined) {
        const next = newNode(part.tree, part.frame, this, evaluator);
        this.#children.push(next);
        evaluator.enqueue(this);
        evaluator.enqueue(next);
        return undefined;
      }
      if (child.state === undefined) return undefined;
      if (child.state.state !== 'ok' || child.state.value.type !== 'neg') {
        if (!evaluator.exhaustive) for (const later of this.#children.splice(i + 1)) evaluator.retire(later);
        return child.state;
      }
    }
    return NEG;
  }
}

/**
 * Everything at once: children that have a value count, pending and failed ones are left out for the time
 * being.
 */
export class UnionNode extends EvaluationNode {
  readonly #weights: readonly number[];
  readonly #trees: readonly NameTree<Name>[];
  #children: readonly EvaluationNode[] | undefined;

  constructor(
    frame: Frame,
    parent: EvaluationNode | undefined,
    trees: readonly { readonly weight: number; readonly tree: NameTree<Name> }[],
  ) {
    super(frame, parent);
    this.#weights = trees.map(({ weight }) => weight);
    this.#trees = trees.map(({ tree }) => tree);
  }

  get weights(): readonly number[] {
    return this.#weights;
  }

  get children(): readonly EvaluationNode[] {
    return this.#children ?? [];
  }

  compute(evaluator: Evaluator): BoundState | undefined {
    if (this.#children === undefined) {
      this.#children = this.#trees.map((tree) => newNode(tree, this.frame, this, evaluator));
      evaluator.enqueue(this);
      for (const child of this.#children.toReversed()) evaluator.enqueue(child);
      return undefined;
    }
    const [only] = this.#children;
    if (this.#children.length === 1 && only !== undefined) return only.state;
    return this.#combine(this.#children);
  }

  #combine(children: readonly EvaluationNode[]): BoundState | undefined {
    const trees: { readonly weight: number; readonly tree: NameTree<Bound> }[] = [];
    let settled = children.length === 0;
    let otherwise: BoundState = pending;
    for (const [i, { state }] of children.entries()) {
      if (state === undefined) return undefined;
      if (state.state === 'failed') {
        if (state.failure instanceof EvaluationLimit) return state;
        if (otherwise.state === 'pending') otherwise = state;
      }
      if (state.state !== 'ok') continue;
      settled = true;
      const { value } = state;
      if (value.type !== 'neg' && value.type !== 'fail') {
        trees.push({ weight: this.#weights[i] ?? 1, tree: value });
      }
    }
    if (!settled) return otherwise;
    const [first] = trees;
    if (first === undefined) return NEG;
    return ok(trees.length === 1 ? first.tree : { type: 'union', trees });
  }
}

/** What one namer has said, for as long as it is listened to. */
export type Asked = {
  readonly entry: NamerEntry;
  state: State<NameTree<Name>>;
  subscription: Closable | undefined;
};

/** A path: the entries that match it, or, when there are none, what the namers say. */
export class LookupNode extends EvaluationNode {
  readonly path: Path;
  /** The entries that matched; they come before the namers. */
  matches: readonly Dentry[] | undefined;
  /** The only entry that matched, when it says `~` and so does not count. */
  disregarded: Dentry | undefined;
  /** The failure when too many lookups led here, or were made before this one. */
  tooDeep: Failure | undefined;
  readonly asked: Asked[] = [];
  #child: EvaluationNode | undefined;
  /** The answer that `#child` is made from. */
  #answer: NameTree<Name> | undefined;

  constructor(path: Path, from: Frame, parent: EvaluationNode | undefined) {
    super({ path, suffix: Path.empty, dentry: from.dentry, depth: from.depth + 1 }, parent);
    this.path = path;
  }

  override get cost(): number {
    // Long paths count for more: they are what a dtab that appends to itself grows.
    return 1 + Math.floor(this.path.size / 32);
  }

  get children(): readonly EvaluationNode[] {
    return this.#child === undefined ? [] : [this.#child];
  }

  compute(evaluator: Evaluator): BoundState | undefined {
    if (this.matches === undefined) {
      const { depthMax } = evaluator;
      this.matches = [];
      if (this.frame.depth > depthMax) {
        this.tooDeep = tooDeep(depthMax, this.frame);
      } else if (evaluator.tooLarge !== undefined) {
        // Each of many that still wait would unfold as many entries as match it.
        this.tooDeep = evaluator.tooLarge;
      } else {
        this.matches = this.#lookup(evaluator.indexes);
        if (this.matches.length > 0) return this.#follow(this.#destination(evaluator), evaluator);
      }
    }
    if (this.tooDeep !== undefined) return failed(this.tooDeep);
    if (this.matches.length > 0) return this.#child?.state;
    return this.#ask(evaluator);
  }

  override close(): void {
    for (const { subscription } of this.asked) subscription?.close();
  }

  /** A single entry that says `~` counts as none: the namers are asked. */
  #lookup(indexes: DtabIndexes): readonly Dentry[] {
    const matches = matchingIn(indexes, this.path);
    if (matches.length !== 1 || matches[0]?.dst.type !== 'neg') return matches;
    this.disregarded = matches[0];
    return [];
  }

  #destination(evaluator: Evaluator): EvaluationNode {
    const { depth } = this.frame;
    const parts = (this.matches ?? []).map((dentry): Part => {
      const suffix = this.path.drop(dentry.prefix.length);
      return { tree: dentry.dst, frame: { path: this.path, suffix, dentry, depth } };
    });
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return newNode(only.tree, only.frame, this, evaluator);
    evaluator.spend(1, 0);
    return new AltNode(this.frame, this, parts);
  }

  #follow(child: EvaluationNode, evaluator: Evaluator): undefined {
    this.#child = child;
    evaluator.enqueue(this);
    evaluator.enqueue(child);
  }

  #ask(evaluator: Evaluator): BoundState | undefined {
    for (let i = 0; ; i++) {
      const asked = this.asked[i] ?? this.#askNext(evaluator);
      if (asked === undefined) return this.#settle(NEG, evaluator);
      const { state } = asked;
      if (state.state === 'ok' && state.value.type === 'neg') continue;
      for (const later of this.asked.splice(i + 1)) later.subscription?.close();
      if (state.state !== 'ok') return this.#settle(state, evaluator);
      if (state.value === this.#answer) return this.#child?.state;
      const replaced = this.#child;
      this.#answer = state.value;
      if (replaced !== undefined) evaluator.retire(replaced);
      return this.#follow(newNode(state.value, this.frame, this, evaluator), evaluator);
    }
  }

  #settle(state: BoundState, evaluator: Evaluator): BoundState {
    if (this.#child !== undefined) evaluator.retire(this.#child);
    this.#child = undefined;
    this.#answer = undefined;
    return state;
  }

  #askNext(evaluator: Evaluator): Asked | undefined {
    const last = this.asked.at(-1)?.entry;
    const from = last === undefined ? 0 : evaluator.namers.indexOf(last) + 1;
    const entry = evaluator.namers.slice(from).find(({ prefix }) => this.path.startsWith(prefix));
    if (entry === undefined) return undefined;
    const asked: Asked = { entry, state: pending, subscription: undefined };
    this.asked.push(asked);
    const answers: Activity<NameTree<Name>> = entry.namer.lookup(this.path.drop(entry.prefix.size));
    let listening = false;
    asked.subscription = answers.observe((state) => {
      asked.state = state;
      if (listening) evaluator.changed(this);
    });
    listening = true;
    // The namer's start may have led to the end of this evaluation.
    if (this.closed) asked.subscription.close();
    return asked;
  }
}

function tooDeep(depthMax: number, { path, dentry }: Frame): Failure {
  const by = dentry === undefined ? '' : `; led there by ${showDentryPlace(dentry)}`;
  const gist = `Max recursion level: ${depthMax} reached in Namer lookup`;
  return new Failure('naming', `${gist}: ${shorten(path.show)}${by}`);
}
