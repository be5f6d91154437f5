/**
 * The least loaded of all: a binary heap by load. Who is not open has a penalty on its key, and so stands
 * below everybody who is; when the top has it all are down, and it is used. An endpoint whose load comes back
 * to 0 takes a random place, so that ties do not always go to the same.
 */
import type { Rng } from '../../src/base/rng.ts';
import { type Balanced, Distributor, type DistributorStats } from './distributor.ts';

/** More than any load. */
const PENALTY = 2 ** 31 - 1;

export class Heap<E extends Balanced> extends Distributor<E> {
  readonly #rng: Rng;
  /** The children of i are 2i + 1 and 2i + 2. */
  #heap: E[] = [];

  constructor(rng: Rng, stats: DistributorStats) {
    super(1, stats);
    this.#rng = rng;
  }

  update(endpoints: readonly E[]): void {
    this.#heap = [...endpoints];
    for (const [position, each] of this.#heap.entries()) {
      each.node.position = position;
      each.node.key = keyOf(each);
    }
    for (let i = (this.#heap.length >>> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  override pick(avoid: E | undefined): E | undefined {
    return this.draw(avoid);
  }

  override started(endpoint: E): void {
    this.#move(endpoint);
  }

  override ended(endpoint: E): void {
    this.#move(endpoint);
    if (endpoint.node.key === 0 && this.#heap.length > 1) this.#reseat(endpoint);
  }

  override changed(endpoint: E): void {
    this.#move(endpoint);
  }

  protected draw(avoid: E | undefined): E | undefined {
    const top = this.#heap[0];
    if (top !== avoid || top === undefined) return top;
    const left = this.#heap[1];
    const right = this.#heap[2];
    if (left === undefined) return top;
    return right !== undefined && right.node.key < left.node.key ? right : left;
  }

  /** Gives an endpoint of the least key a random place. */
  #reseat(endpoint: E): void {
    const { position } = endpoint.node;
    const last = this.#heap.pop() as E;
    if (last !== endpoint) {
      this.#put(last, position);
      this.#settle(position);
    }
    const size = this.#heap.length;
    const at = this.#rng.below(size + 1);
    const displaced = this.#heap[at] ?? endpoint;
    this.#put(endpoint, at);
    this.#rise(at);
    if (displaced === endpoint) return;
    this.#put(displaced, size);
    this.#rise(size);
  }

  /** Its key has changed. */
  #move(endpoint: E): void {
    endpoint.node.key = keyOf(endpoint);
    this.#settle(endpoint.node.position);
  }

  #settle(position: number): void {
    this.#sink(this.#rise(position));
  }

  #rise(from: number): number {
    const rising = this.#heap[from] as E;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      const parent = this.#heap[above] as E;
      if (parent.node.key <= rising.node.key) break;
      this.#put(parent, at);
      at = above;
    }
    this.#put(rising, at);
    return at;
  }

  #sink(from: number): void {
    const sinking = this.#heap[from] as E;
    const size = this.#heap.length;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= size) break;
      const other = this.#heap[below + 1];
      if (other !== undefined && other.node.key < (this.#heap[below] as E).node.key) below++;
      const child = this.#heap[below] as E;
      if (child.node.key >= sinking.node.key) break;
      this.#put(child, at);
      at = below;
    }
    this.#put(sinking, at);
  }

  #put(endpoint: E, position: number): void {
    this.#heap[position] = endpoint;
    endpoint.node.position = position;
  }
}

function keyOf(endpoint: Balanced): number {
  return endpoint.status === 'open' ? endpoint.load : endpoint.load + PENALTY;
}
