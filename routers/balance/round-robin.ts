/**
 * One after the other, among those that are open; among all when none is. The list of those that are open is
 * always exact, so that one draw is enough, whatever `maxEffort` allows.
 */
import { type Balanced, Distributor, type DistributorStats } from './distributor.ts';

export class RoundRobin<E extends Balanced> extends Distributor<E> {
  /** The open ones first; `#open` is how many they are. A change of status swaps two places. */
  #endpoints: E[] = [];
  #open = 0;
  #next = 0;

  constructor(stats: DistributorStats) {
    super(1, stats);
  }

  update(endpoints: readonly E[]): void {
    const open = endpoints.filter((each) => each.status === 'open');
    const down = endpoints.filter((each) => each.status !== 'open');
    this.#endpoints = [...open, ...down];
    this.#open = open.length;
    for (const [position, each] of this.#endpoints.entries()) each.node.position = position;
  }

  override changed(endpoint: E): void {
    const { position } = endpoint.node;
    const isOpen = endpoint.status === 'open';
    if (this.#endpoints[position] !== endpoint || isOpen === position < this.#open) return;
    if (isOpen) this.#swap(position, this.#open++);
    else this.#swap(position, --this.#open);
  }

  override pick(avoid: E | undefined): E | undefined {
    if (this.#open === 0 && this.#endpoints.length > 0) this.exhausted();
    return this.draw(avoid);
  }

  protected draw(avoid: E | undefined): E | undefined {
    const size = this.#open > 0 ? this.#open : this.#endpoints.length;
    if (size === 0) return undefined;
    const drawn = this.#take(size);
    return drawn === avoid && size > 1 ? this.#take(size) : drawn;
  }

  #take(size: number): E | undefined {
    if (this.#next >= size) this.#next = 0;
    return this.#endpoints[this.#next++];
  }

  #swap(i: number, j: number): void {
    const a = this.#endpoints[i] as E;
    const b = this.#endpoints[j] as E;
    this.#endpoints[i] = b;
    this.#endpoints[j] = a;
    a.node.position = j;
    b.node.position = i;
  }
}
