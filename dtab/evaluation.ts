/**
 * The running evaluation of one name. It starts with the path and unfolds it through the dtab and the namers;
 * after that, a change of one namer's answer is carried upwards from the node that asked, and touches nothing
 * else. One change, however many nodes it reaches, is told once. Closing ends every subscription.
 *
 * Limits: lookups along one branch (100, as linkerd), nodes in all, and levels of the tree. The latter two
 * keep a dtab that branches at every step from taking the memory.
 */

import { equalStates } from '../src/base/activity.ts';
import type { Closable } from '../src/base/closable.ts';
import {
  type BoundState,
  EvaluationLimit,
  type EvaluationNode,
  type Evaluator,
  LookupNode,
  type NamerTable,
} from './evaluation-nodes.ts';
import { type DtabIndexes, indexesOf } from './lookup.ts';
import type { Bound, Dtab, NameTree } from './names.ts';
import { Path } from './path.ts';
import { equalTrees } from './simplify.ts';

export const DEPTH_MAX = 100;
export const NODES_MAX = 10_000;
const NESTING_MAX = 500;

/**
 * What a binding is made from. `dtab` is the router's with the request's entries appended (`concatDtabs`).
 */
export type BindInputs = {
  readonly dtab: Dtab;
  readonly path: Path;
  readonly namers: NamerTable;
  readonly depthMax?: number;
  readonly nodesMax?: number;
};

/** The same, ready to be evaluated any number of times. It does not keep a joined dtab alive. */
export type PreparedInputs = Omit<BindInputs, 'dtab'> & { readonly indexes: DtabIndexes };

export function prepare({ dtab, ...inputs }: BindInputs): PreparedInputs {
  return { ...inputs, indexes: indexesOf(dtab) };
}

/** Equal ids are not enough: the new address set has to be followed, the old one may have ended. */
const equalBounds = (a: Bound, b: Bound): boolean =>
  a === b || (a.addr === b.addr && a.id.equals(b.id) && a.residual.equals(b.residual));

const equalBoundTrees = (a: NameTree<Bound>, b: NameTree<Bound>): boolean => equalTrees(a, b, equalBounds);

export const sameBinding = equalStates<NameTree<Bound>>(equalBoundTrees);

export class Evaluation implements Evaluator, Closable {
  readonly indexes: DtabIndexes;
  readonly namers: NamerTable;
  readonly depthMax: number;
  readonly exhaustive: boolean;
  readonly root: LookupNode;
  readonly #nodesMax: number;
  readonly #tell: (evaluation: Evaluation) => void;
  readonly #queue: EvaluationNode[] = [];
  readonly #retired: EvaluationNode[] = [];
  #spent = 0;
  #draining = false;

  /** `tell` is called after each change, for the first time before the constructor returns. */
  constructor(inputs: PreparedInputs, exhaustive: boolean, tell: (evaluation: Evaluation) => void) {
    this.indexes = inputs.indexes;
    this.namers = inputs.namers;
    this.depthMax = inputs.depthMax ?? DEPTH_MAX;
    this.exhaustive = exhaustive;
    this.#nodesMax = inputs.nodesMax ?? NODES_MAX;
    this.#tell = tell;
    const start = { path: inputs.path, suffix: Path.empty, dentry: undefined, depth: 0 };
    this.root = new LookupNode(inputs.path, start, undefined);
    this.#spent = this.root.cost;
    this.changed(this.root);
  }

  get state(): BoundState {
    return this.root.state ?? { state: 'pending' };
  }

  enqueue(node: EvaluationNode): void {
    if (node.queued || node.closed) return;
    node.queued = true;
    this.#queue.push(node);
  }

  changed(node: EvaluationNode): void {
    this.enqueue(node);
    if (!this.#draining && !this.root.closed) this.#drain();
  }

  get tooLarge(): EvaluationLimit | undefined {
    if (this.#spent <= this.#nodesMax) return undefined;
    return new EvaluationLimit(
      `More than ${this.#nodesMax} steps to resolve a name: the dtab branches or repeats itself too often`,
    );
  }

  spend(cost: number, nesting: number): EvaluationLimit | undefined {
    this.#spent += cost;
    const { tooLarge } = this;
    if (tooLarge !== undefined) return tooLarge;
    if (nesting <= NESTING_MAX + this.depthMax) return undefined;
    return new EvaluationLimit(`More than ${NESTING_MAX} nested alternatives and unions to resolve a name`);
  }

  retire(node: EvaluationNode): void {
    const below = [node];
    for (let next = below.pop(); next !== undefined; next = below.pop()) {
      next.closed = true;
      // What is given up makes room at once for what replaces it.
      this.#spent -= next.cost;
      this.#retired.push(next);
      for (const child of next.children) below.push(child);
    }
  }

  close(): void {
    this.retire(this.root);
    this.#closeRetired();
  }

  #drain(): void {
    this.#draining = true;
    do {
      this.#computeQueued();
      this.#closeRetired();
    } while (this.#queue.length > 0);
    this.#draining = false;
    if (!this.root.closed) this.#tell(this);
  }

  /** Last in, first out: a node is queued before the children it waits for, so they come first. */
  #computeQueued(): void {
    for (let node = this.#queue.pop(); node !== undefined; node = this.#queue.pop()) {
      node.queued = false;
      if (node.closed || this.root.closed) continue;
      const state = node.compute(this);
      if (state === undefined || (node.state !== undefined && sameBinding(node.state, state))) continue;
      node.state = state;
      if (node.parent !== undefined) this.enqueue(node.parent);
    }
  }

  #closeRetired(): void {
    for (let node = this.#retired.pop(); node !== undefined; node = this.#retired.pop()) node.close();
  }
}
