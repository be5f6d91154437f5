/**
 * The two middle layers of binding: a bound name as a client plus what every request to it carries, and a
 * bound tree as a weighted choice among such names.
 */
import type { Bound, NameTree } from '../../dtab/names.ts';
import type { Closable } from '../../src/base/closable.ts';
import type { Rng } from '../../src/base/rng.ts';
import type { Client } from '../client/client.ts';
import type { BindCache, CacheEntry } from './bind-cache.ts';

/** A client id with a residual path. */
export class BoundName implements Closable {
  readonly client: Client;
  /** Header lines of every request that goes this way. */
  readonly lines: string;
  readonly residual: string;
  readonly #entry: CacheEntry<Client>;
  readonly #clients: BindCache<Client>;

  constructor(bound: Bound, clients: BindCache<Client>, makeClient: (bound: Bound) => Client) {
    this.#clients = clients;
    this.#entry = clients.acquire(bound.id.show, () => makeClient(bound));
    this.client = this.#entry.value;
    this.residual = bound.residual.isEmpty ? '' : bound.residual.show;
    this.lines =
      `l5d-dst-client: ${bound.id.show}\r\n` +
      (this.residual === '' ? '' : `l5d-dst-residual: ${this.residual}\r\n`);
  }

  close(): void {
    this.#clients.release(this.#entry);
  }
}

export function boundKey(bound: Bound): string {
  return `${bound.id.show} ${bound.residual.show}`;
}

/** The identity of a bound tree in the tree cache: equal text, equal choice. */
export function treeKey(tree: NameTree<Bound>): string {
  switch (tree.type) {
    case 'leaf':
      return boundKey(tree.value);
    case 'alt':
      return `(${tree.trees.map(treeKey).join(' | ')})`;
    case 'union':
      return `(${tree.trees.map((weighted) => `${weighted.weight}*${treeKey(weighted.tree)}`).join(' & ')})`;
    default:
      return tree.type;
  }
}

/** A weighted choice; a share that belongs to no bound name is answered with undefined. */
export class BoundTree implements Closable {
  readonly #entries: CacheEntry<BoundName>[] = [];
  readonly #names: (BoundName | undefined)[] = [];
  /** Upper bounds of the shares, ascending to 1. */
  readonly #bounds: number[] = [];
  readonly #bounded: BindCache<BoundName>;

  constructor(tree: NameTree<Bound>, bounds: BindCache<BoundName>, make: (bound: Bound) => BoundName) {
    this.#bounded = bounds;
    let total = 0;
    const spread = (part: NameTree<Bound>, share: number): void => {
      if (part.type === 'union') {
        const sum = part.trees.reduce((all, weighted) => all + weighted.weight, 0);
        for (const { weight, tree: child } of part.trees) {
          spread(child, share * (sum > 0 ? weight / sum : 1 / part.trees.length));
        }
        return;
      }
      total += share;
      this.#bounds.push(total);
      if (part.type !== 'leaf') {
        this.#names.push(undefined);
        return;
      }
      const entry = bounds.acquire(boundKey(part.value), () => make(part.value));
      this.#entries.push(entry);
      this.#names.push(entry.value);
    };
    spread(tree, 1);
  }

  pick(rng: Rng): BoundName | undefined {
    if (this.#names.length === 1) return this.#names[0];
    const drawn = rng.next();
    const index = this.#bounds.findIndex((bound) => drawn < bound);
    return this.#names[index === -1 ? this.#names.length - 1 : index];
  }

  close(): void {
    for (const entry of this.#entries) this.#bounded.release(entry);
  }
}
