/**
 * The endpoints of a client. An update is a difference: endpoints whose address stays are the same objects,
 * with their connections, load and health. Sets mostly come in the same order, so that most addresses are
 * found without a lookup.
 */
import type { Address } from '../../dtab/names.ts';
import { type Endpoint, endpointName, weightOf } from './endpoint.ts';

export type SetChange = { readonly added: number; readonly removed: readonly Endpoint[] };

export class EndpointSet {
  readonly #byName = new Map<string, Endpoint>();
  #list: readonly Endpoint[] = [];
  #generation = 0;
  /** When the addresses were told last. */
  #updatedMs = 0;

  get size(): number {
    return this.#list.length;
  }

  get list(): readonly Endpoint[] {
    return this.#list;
  }

  get updatedMs(): number {
    return this.#updatedMs;
  }

  /**
   * Of an address that occurs twice the first one counts. `stays`: whether one that left is kept all the
   * same.
   */
  replace(
    addresses: readonly Address[],
    nowMs: number,
    make: (address: Address) => Endpoint,
    stays: (endpoint: Endpoint) => boolean,
  ): SetChange {
    const generation = ++this.#generation;
    this.#updatedMs = nowMs;
    const next: Endpoint[] = [];
    let added = 0;
    let cursor = 0;
    for (const address of addresses) {
      let endpoint = this.#at(cursor, address) ?? this.#byName.get(endpointName(address));
      if (endpoint === undefined) {
        endpoint = make(address);
        this.#byName.set(endpoint.name, endpoint);
        added++;
      } else if (endpoint.index >= 0) cursor = endpoint.index + 1;
      if (endpoint.generation === generation) continue;
      endpoint.generation = generation;
      endpoint.address = address;
      endpoint.weight = weightOf(address);
      next.push(endpoint);
    }
    const removed: Endpoint[] = [];
    for (const endpoint of this.#list) {
      if (endpoint.generation === generation) continue;
      if (stays(endpoint)) {
        next.push(endpoint);
        continue;
      }
      removed.push(endpoint);
      this.#byName.delete(endpoint.name);
    }
    for (let i = 0; i < next.length; i++) (next[i] as Endpoint).index = i;
    this.#list = next;
    return { added, removed };
  }

  /** The endpoint at this place of the list, if it has this address. */
  #at(index: number, { host, port }: Address): Endpoint | undefined {
    const endpoint = this.#list[index];
    return endpoint?.address.host === host && endpoint.address.port === port ? endpoint : undefined;
  }
}
