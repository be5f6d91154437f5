/**
 * A map that is never changed: a changed one is made from it and shares all but a few entries with it, so
 * that one event in a set of thousands costs microseconds and nobody sees a map change under his hands. The
 * entries are spread over small maps by their key; a change copies only the one that it falls into.
 */
const BUCKET_ENTRIES = 16;
/** Above this it is spread anew. */
const BUCKET_ENTRIES_MAX = 4 * BUCKET_ENTRIES;

type Bucket<T> = ReadonlyMap<string, T>;

export class ObjectMap<T> implements ReadonlyMap<string, T> {
  readonly size: number;
  /** Their number is a power of two. */
  readonly #buckets: readonly Bucket<T>[];

  private constructor(buckets: readonly Bucket<T>[], size: number) {
    this.#buckets = buckets;
    this.size = size;
  }

  static of<T>(entries: ReadonlyMap<string, T>): ObjectMap<T> {
    let count = 1;
    while (count * BUCKET_ENTRIES < entries.size) count *= 2;
    const buckets = Array.from({ length: count }, () => new Map<string, T>());
    for (const [key, value] of entries) buckets[hash(key) & (count - 1)]?.set(key, value);
    return new ObjectMap<T>(buckets, entries.size);
  }

  /** Undefined as a value removes the key. */
  with(changes: ReadonlyMap<string, T | undefined>): ObjectMap<T> {
    const buckets = [...this.#buckets];
    const copied = new Map<number, Map<string, T>>();
    let { size } = this;
    for (const [key, value] of changes) {
      const at = hash(key) & (buckets.length - 1);
      let bucket = copied.get(at);
      if (bucket === undefined) {
        bucket = new Map(buckets[at]);
        copied.set(at, bucket);
        buckets[at] = bucket;
      }
      size -= bucket.size;
      if (value === undefined) bucket.delete(key);
      else bucket.set(key, value);
      size += bucket.size;
    }
    const changed = new ObjectMap<T>(buckets, size);
    return size > buckets.length * BUCKET_ENTRIES_MAX ? ObjectMap.of(changed) : changed;
  }

  get(key: string): T | undefined {
    return this.#bucket(key)?.get(key);
  }

  has(key: string): boolean {
    return this.#bucket(key)?.has(key) === true;
  }

  *entries(): Generator<[string, T], undefined> {
    for (const bucket of this.#buckets) yield* bucket;
    return undefined;
  }

  *keys(): Generator<string, undefined> {
    for (const bucket of this.#buckets) yield* bucket.keys();
    return undefined;
  }

  *values(): Generator<T, undefined> {
    for (const bucket of this.#buckets) yield* bucket.values();
    return undefined;
  }

  [Symbol.iterator](): Generator<[string, T], undefined> {
    return this.entries();
  }

  forEach(callback: (value: T, key: string, map: ReadonlyMap<string, T>) => void): void {
    for (const [key, value] of this) callback(value, key, this);
  }

  #bucket(key: string): Bucket<T> | undefined {
    return this.#buckets[hash(key) & (this.#buckets.length - 1)];
  }
}

/** FNV-1a. */
function hash(key: string): number {
  let mixed = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) mixed = Math.imul(mixed ^ key.charCodeAt(i), 0x01000193);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
