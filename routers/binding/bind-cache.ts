/**
 * One of a router's four caches (paths, trees, bounds, clients; spec of linkerd's binding cache). An entry is
 * in use while someone holds it. A miss on a full cache evicts the entry that has been idle longest; if none
 * is idle the new value is made for its holders only and closed after them. Entries idle for longer than the
 * TTL are closed by a sweep, but when all have expired the one that was used last stays.
 */
import type { Clock } from '../../src/base/clock.ts';
import { type Closable, nothingToClose } from '../../src/base/closable.ts';
import type { Counter, Scope } from '../../src/base/stats.ts';

export class CacheEntry<V> {
  readonly key: string;
  readonly value: V;
  /** Closed with its last holder; no longer, or never, found by its key. */
  oneshot: boolean;
  holders = 0;
  idleSinceMs = 0;
  /** Neighbours in the list of idle entries, oldest first. */
  older: CacheEntry<V> | undefined;
  newer: CacheEntry<V> | undefined;

  constructor(key: string, value: V, oneshot: boolean) {
    this.key = key;
    this.value = value;
    this.oneshot = oneshot;
  }
}

export type BindCacheOptions = {
  readonly max: number;
  readonly idleTtlMs: number;
  readonly clock: Clock;
  readonly stats: Scope;
};

export class BindCache<V extends Closable> implements Closable {
  readonly #entries = new Map<string, CacheEntry<V>>();
  #options: BindCacheOptions;
  readonly #misses: Counter;
  readonly #evicts: Counter;
  readonly #expires: Counter;
  readonly #oneshots: Counter;
  #oldest: CacheEntry<V> | undefined;
  #newest: CacheEntry<V> | undefined;
  #sweep: Closable = nothingToClose;
  #closed = false;

  constructor(options: BindCacheOptions) {
    this.#options = options;
    this.#misses = options.stats.counter('misses');
    this.#evicts = options.stats.counter('evicts');
    this.#expires = options.stats.counter('expires');
    this.#oneshots = options.stats.counter('oneshots');
    this.#scheduleSweep();
  }

  get size(): number {
    return this.#entries.size;
  }

  values(): V[] {
    return [...this.#entries.values()].map((entry) => entry.value);
  }

  /** The entry of `key`, made if it is not there, held by the caller until `release`. */
  acquire(key: string, make: () => V): CacheEntry<V> {
    const found = this.#entries.get(key);
    if (found !== undefined) {
      if (found.holders++ === 0) this.#unlink(found);
      return found;
    }
    return this.#miss(key, make);
  }

  release(entry: CacheEntry<V>): void {
    if (--entry.holders > 0) return;
    if (entry.oneshot || this.#closed) {
      entry.value.close();
      return;
    }
    entry.idleSinceMs = this.#options.clock.nowMs();
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  /** These are not found any more: the next to ask for their keys gets something new. */
  retire(which: (value: V) => boolean): void {
    for (const entry of [...this.#entries.values()]) {
      if (!which(entry.value)) continue;
      if (entry.holders === 0) this.#remove(entry);
      else {
        entry.oneshot = true;
        this.#entries.delete(entry.key);
      }
    }
  }

  resize(max: number, idleTtlMs: number): void {
    this.#options = { ...this.#options, max, idleTtlMs };
    while (this.#entries.size > max && this.#oldest !== undefined) this.#remove(this.#oldest);
    this.#sweep.close();
    this.#scheduleSweep();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sweep.close();
    for (const entry of this.#entries.values()) if (entry.holders === 0) entry.value.close();
    this.#entries.clear();
    this.#oldest = undefined;
    this.#newest = undefined;
  }

  #miss(key: string, make: () => V): CacheEntry<V> {
    this.#misses.add(1);
    let oneshot = this.#closed;
    if (this.#entries.size >= this.#options.max) {
      if (this.#oldest === undefined) {
        oneshot = true;
        this.#oneshots.add(1);
      } else {
        this.#evicts.add(1);
        this.#remove(this.#oldest);
      }
    }
    const entry = new CacheEntry(key, make(), oneshot);
    entry.holders = 1;
    if (!oneshot) this.#entries.set(key, entry);
    return entry;
  }

  #remove(entry: CacheEntry<V>): void {
    this.#unlink(entry);
    this.#entries.delete(entry.key);
    entry.value.close();
  }

  #unlink(entry: CacheEntry<V>): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = undefined;
    entry.newer = undefined;
  }

  #scheduleSweep(): void {
    const { idleTtlMs, clock } = this.#options;
    if (!(idleTtlMs > 0) || idleTtlMs === Number.POSITIVE_INFINITY) return;
    this.#sweep = clock.after(idleTtlMs, () => {
      this.#expire(clock.nowMs() - idleTtlMs);
      this.#scheduleSweep();
    });
  }

  #expire(beforeMs: number): void {
    while (this.#oldest !== undefined && this.#oldest.idleSinceMs <= beforeMs && this.#entries.size > 1) {
      this.#expires.add(1);
      this.#remove(this.#oldest);
    }
  }
}
