/**
 * The control thread's view of one thread's slab: turns messages into places to read from, and confirms
 * removals. Reading takes no lock; a stat read while its thread observes may miss that one observation.
 */
import {
  confirmations,
  indexPart,
  type MetricType,
  pagePart,
  type SlabMessage,
  type SlabPage,
  STAT_BLOCKS,
  STAT_COUNT,
  STAT_MAX,
  STAT_MIN,
  STAT_SUM,
  slabPage,
} from '../threads/stat-slab.ts';
import { BLOCK_BUCKETS, BLOCKS, type BucketSum } from './histogram.ts';

const nothingSeen: Uint32Array = new Uint32Array(0);

/** Where a window of a stat's part began: what there was then. */
export class PartWindow {
  /** Bucket counts of the blocks in `blocks`, in ascending order of block. */
  base = nothingSeen;
  blocks = 0;
  count = 0;
  sum = 0;

  insert(block: number, position: number): void {
    const grown = new Uint32Array(this.base.length + BLOCK_BUCKETS);
    grown.set(this.base.subarray(0, position));
    grown.set(this.base.subarray(position), position + BLOCK_BUCKETS);
    this.base = grown;
    this.blocks |= 1 << block;
  }
}

/** One metric of one thread. */
export class SlabPart {
  readonly #pages: readonly SlabPage[];
  readonly #page: SlabPage;
  readonly #index: number;
  /** That of the summaries. */
  readonly #window = new PartWindow();

  constructor(pages: readonly SlabPage[], page: SlabPage, index: number) {
    this.#pages = pages;
    this.#page = page;
    this.#index = index;
  }

  /** The value of a counter or gauge; of a stat, how many observations there were. */
  value(): number {
    return this.#page.doubles[this.#index + STAT_COUNT] as number;
  }

  sum(): number {
    return this.#page.doubles[this.#index + STAT_SUM] as number;
  }

  get idle(): boolean {
    return this.value() === this.#window.count;
  }

  /**
   * Adds what was observed since the window began; `close` lets the next window begin with exactly the rest.
   * Whoever looks at other times than the summaries has a window of his own.
   */
  addWindow(into: BucketSum, close: boolean, window = this.#window): void {
    const { doubles, words } = this.#page;
    const count = this.value();
    if (count === window.count) return;
    const sum = this.sum();
    into.addTotals(
      sum - window.sum,
      doubles[this.#index + STAT_MIN] as number,
      doubles[this.#index + STAT_MAX] as number,
    );
    const table = (this.#index + STAT_BLOCKS) * 2;
    let position = 0;
    for (let block = 0; block < BLOCKS; block++) {
      const pointer = Atomics.load(words, table + block);
      const page = pointer === 0 ? undefined : this.#pages[pagePart(pointer)];
      // A page that the thread has begun but not yet told of is counted in the next reading.
      if (page === undefined) continue;
      const known = (window.blocks & (1 << block)) !== 0;
      if (close && !known) window.insert(block, position);
      const counts = page.words.subarray(indexPart(pointer) * 2, indexPart(pointer) * 2 + BLOCK_BUCKETS);
      const base = known || close ? window.base.subarray(position, position + BLOCK_BUCKETS) : undefined;
      addBlock(into, counts, base, block, close);
      if (known || close) position += BLOCK_BUCKETS;
    }
    if (!close) return;
    window.count = count;
    window.sum = sum;
  }
}

/** `base`: what there was of each bucket when the window began. */
function addBlock(
  into: BucketSum,
  words: Uint32Array,
  base: Uint32Array | undefined,
  block: number,
  close: boolean,
): void {
  for (let i = 0; i < BLOCK_BUCKETS; i++) {
    const now = words[i] as number;
    const before = base === undefined ? 0 : (base[i] as number);
    if (now === before) continue;
    // A bucket is 32 bits and may wrap; the difference is right as long as a window has fewer than 2^32.
    into.add(block * BLOCK_BUCKETS + i, (now - before) >>> 0);
    if (close && base !== undefined) base[i] = now;
  }
}

/** Who is told which metrics a source has. `gone`: the thread itself removed it. */
export interface SlabListener {
  defined(type: MetricType, segments: readonly string[], part: SlabPart): void;
  removed(part: SlabPart): void;
}

export class SlabSource {
  readonly #listener: SlabListener;
  readonly #pages: SlabPage[] = [];
  readonly #parts = new Map<number, SlabPart>();
  #confirm: Int32Array | undefined;

  constructor(listener: SlabListener) {
    this.#listener = listener;
  }

  /** Takes what the thread's SlabStats emits, in the order of emission. */
  receive(messages: readonly SlabMessage[]): void {
    for (const message of messages) {
      if (message.op === 'page') this.#addPage(message.page, message.buffer);
      else if (message.op === 'define') this.#define(message);
      else this.#remove(message);
    }
  }

  parts(): IterableIterator<SlabPart> {
    return this.#parts.values();
  }

  #addPage(page: number, buffer: SharedArrayBuffer): void {
    this.#pages[page] = slabPage(buffer);
    if (page === 0) this.#confirm = confirmations(buffer);
  }

  #define(message: SlabMessage & { op: 'define' }): void {
    const page = this.#pages[message.page];
    if (page === undefined) return;
    const part = new SlabPart(this.#pages, page, message.index);
    this.#parts.set(key(message.page, message.index), part);
    this.#listener.defined(message.type, message.segments, part);
  }

  #remove(message: SlabMessage & { op: 'remove' }): void {
    for (let i = 0; i + 1 < message.places.length; i += 2) {
      const place = key(message.places[i] as number, message.places[i + 1] as number);
      const part = this.#parts.get(place);
      this.#parts.delete(place);
      if (part !== undefined) this.#listener.removed(part);
    }
    if (this.#confirm !== undefined) Atomics.store(this.#confirm, 0, message.sequence);
  }
}

function key(page: number, index: number): number {
  return page * 0x10000 + index;
}
