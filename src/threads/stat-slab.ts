/**
 * A thread's metrics in shared memory. The thread that owns a slab is its only writer and takes no locks; the
 * control thread reads the same memory when someone asks and is told by messages only which slot bears which
 * name. A counter or gauge is one slot (8 bytes) and an update one store into a Float64Array. A stat is 18
 * slots (144 bytes: count, sum, min, max, and where its bucket blocks are) and 128 bytes for every octave of
 * values that it has seen: about 800 bytes for a latency that spreads over five octaves (see
 * telemetry/histogram for buckets and error).
 *
 * A pruned slot is used again only after the reader has confirmed that it forgot the old name, so a value is
 * never shown under a wrong one. Handles of a pruned subtree, and handles made through its scopes later,
 * write to a place that nobody reads.
 */
import { AssertionError } from '../base/assert.ts';
import type { Counter, Gauge, Scope, Stat } from '../base/stats.ts';
import { BLOCK_BUCKETS, BLOCKS, bucketOf } from '../telemetry/histogram.ts';

export type MetricType = 'counter' | 'gauge' | 'stat';

/** What the reader must know, in order. A batch of them is one message between threads. */
export type SlabMessage =
  | { readonly op: 'page'; readonly page: number; readonly buffer: SharedArrayBuffer }
  | {
      readonly op: 'define';
      readonly page: number;
      readonly index: number;
      readonly type: MetricType;
      readonly segments: readonly string[];
    }
  /** `places`: page and index, in turn. */
  | { readonly op: 'remove'; readonly sequence: number; readonly places: readonly number[] };

export type SlabEmit = (messages: readonly SlabMessage[]) => void;

const PAGE_BITS = 13;
export const PAGE_SLOTS = 1 << PAGE_BITS;
const INDEX_MASK = PAGE_SLOTS - 1;

/**
 * Slots of a stat, relative to its first: four totals, then two block pointers a slot; 0 is "no such block".
 */
export const STAT_COUNT = 0;
export const STAT_SUM = 1;
export const STAT_MIN = 2;
export const STAT_MAX = 3;
export const STAT_BLOCKS = 4;
export const STAT_SLOTS = STAT_BLOCKS + BLOCKS / 2;
const BLOCK_SLOTS = BLOCK_BUCKETS / 2;
/** Beyond this a double is no longer exact. */
const VALUE_MAX = Number.MAX_SAFE_INTEGER;

export type SlabPage = { readonly doubles: Float64Array; readonly words: Uint32Array };

export function slabPage(buffer: SharedArrayBuffer): SlabPage {
  return { doubles: new Float64Array(buffer), words: new Uint32Array(buffer) };
}

/** The pointer to a bucket block, as it stands in a stat's slots. */
export const pagePart = (pointer: number): number => pointer >>> PAGE_BITS;
export const indexPart = (pointer: number): number => pointer & INDEX_MASK;

/** Page 0, slot 0, as an Int32Array's first element: the last removal that the reader has carried out. */
export function confirmations(page0: SharedArrayBuffer): Int32Array {
  return new Int32Array(page0, 0, 1);
}

/**
 * Hands out slots. Freed ones wait in quarantine for the reader's confirmation, then in a free list by size.
 */
class Allocator {
  readonly pages: SlabPage[] = [];
  readonly #queue: SlabMessage[] = [];
  readonly #emit: SlabEmit;
  readonly #confirmed: Int32Array;
  readonly #free = new Map<number, number[]>([
    [1, []],
    [STAT_SLOTS, []],
    [BLOCK_SLOTS, []],
  ]);
  #quarantine: { readonly sequence: number; readonly freed: [size: number, pointer: number][] }[] = [];
  #next = PAGE_SLOTS;
  #sequence = 0;
  #scheduled = false;

  constructor(emit: SlabEmit) {
    this.#emit = emit;
    this.#confirmed = confirmations(this.#addPage());
    // Slot 0 of page 0 is the confirmation, so that no pointer is 0.
    this.#next = 1;
  }

  allocate(size: number): number {
    if (this.#quarantine.length > 0) this.#release();
    const freed = this.#free.get(size)?.pop();
    if (freed !== undefined) {
      const { doubles } = this.page(freed);
      doubles.fill(0, indexPart(freed), indexPart(freed) + size);
      return freed;
    }
    if (this.#next + size > PAGE_SLOTS) {
      this.#addPage();
      this.#next = 0;
    }
    const pointer = ((this.pages.length - 1) << PAGE_BITS) | this.#next;
    this.#next += size;
    return pointer;
  }

  page(pointer: number): SlabPage {
    return this.pages[pagePart(pointer)] as SlabPage;
  }

  define(pointer: number, type: MetricType, segments: readonly string[]): void {
    this.#send({ op: 'define', page: pagePart(pointer), index: indexPart(pointer), type, segments });
  }

  /** Takes back the slots of these metrics once the reader has forgotten them. */
  remove(metrics: readonly { readonly type: MetricType; readonly pointer: number }[]): void {
    const freed: [number, number][] = [];
    const places: number[] = [];
    for (const { type, pointer } of metrics) {
      places.push(pagePart(pointer), indexPart(pointer));
      freed.push([type === 'stat' ? STAT_SLOTS : 1, pointer]);
      if (type !== 'stat') continue;
      const { words } = this.page(pointer);
      const table = (indexPart(pointer) + STAT_BLOCKS) * 2;
      for (let block = 0; block < BLOCKS; block++) {
        const at = words[table + block] as number;
        if (at !== 0) freed.push([BLOCK_SLOTS, at]);
      }
    }
    this.#sequence++;
    this.#quarantine.push({ sequence: this.#sequence, freed });
    this.#send({ op: 'remove', sequence: this.#sequence, places });
  }

  flush(): void {
    if (this.#queue.length > 0) this.#emit(this.#queue.splice(0));
  }

  #release(): void {
    const confirmed = Atomics.load(this.#confirmed, 0);
    const open = this.#quarantine.findIndex((group) => group.sequence > confirmed);
    const done = open === -1 ? this.#quarantine : this.#quarantine.slice(0, open);
    for (const { freed } of done) {
      for (const [size, pointer] of freed) this.#free.get(size)?.push(pointer);
    }
    this.#quarantine = open === -1 ? [] : this.#quarantine.slice(open);
  }

  #addPage(): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(PAGE_SLOTS * 8);
    this.#send({ op: 'page', page: this.pages.length, buffer });
    this.pages.push(slabPage(buffer));
    return buffer;
  }

  /** One message a turn of the loop, because a new name defines some forty metrics at once. */
  #send(message: SlabMessage): void {
    this.#queue.push(message);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}

/** Counter and gauge: a slot, held as array and index so that an update is one store. */
class SlotHandle implements Counter, Gauge {
  #doubles: Float64Array;
  #index: number;
  readonly type: MetricType;
  readonly pointer: number;

  constructor(allocator: Allocator, type: MetricType, pointer: number) {
    this.type = type;
    this.pointer = pointer;
    this.#doubles = allocator.page(pointer).doubles;
    this.#index = indexPart(pointer);
  }

  add(n: number): void {
    this.#doubles[this.#index] = (this.#doubles[this.#index] as number) + n;
  }

  set(value: number): void {
    this.#doubles[this.#index] = value;
  }

  moveTo(page: SlabPage, pointer: number): void {
    this.#doubles = page.doubles;
    this.#index = indexPart(pointer);
  }
}

class StatHandle implements Stat {
  readonly type = 'stat';
  readonly pointer: number;
  readonly #allocator: Allocator;
  #page: SlabPage;
  #index: number;

  constructor(allocator: Allocator, pointer: number) {
    this.pointer = pointer;
    this.#allocator = allocator;
    this.#page = allocator.page(pointer);
    this.#index = indexPart(pointer);
    this.#page.doubles[this.#index + STAT_MIN] = Number.POSITIVE_INFINITY;
  }

  observe(value: number): void {
    // What occurs fits 31 bits and needs no floating point.
    if (value >= 0 && value < 0x7fffffff) this.#count(value | 0, bucketOf(value | 0));
    else this.#countOdd(value);
  }

  #countOdd(value: number): void {
    const whole = value > 0 ? Math.floor(value < VALUE_MAX ? value : VALUE_MAX) : 0;
    this.#count(whole, bucketOf(whole));
  }

  #count(whole: number, bucket: number): void {
    const index = this.#index;
    const { doubles, words } = this.#page;
    const slot = (index + STAT_BLOCKS) * 2 + (bucket >>> 5);
    const known = words[slot] as number;
    const block = known === 0 ? this.#grow(words, slot) : known;
    const counts = (this.#allocator.pages[block >>> PAGE_BITS] as SlabPage).words;
    const at = ((block & INDEX_MASK) << 1) + (bucket & 31);
    counts[at] = (counts[at] as number) + 1;
    doubles[index] = (doubles[index] as number) + 1;
    doubles[index + STAT_SUM] = (doubles[index + STAT_SUM] as number) + whole;
    if (whole < (doubles[index + STAT_MIN] as number)) doubles[index + STAT_MIN] = whole;
    if (whole > (doubles[index + STAT_MAX] as number)) doubles[index + STAT_MAX] = whole;
  }

  moveTo(page: SlabPage, pointer: number): void {
    this.#page = page;
    this.#index = indexPart(pointer);
  }

  /** The atomic store makes the zeroed block visible to the reader before the pointer to it. */
  #grow(words: Uint32Array, slot: number): number {
    const pointer = this.#allocator.allocate(BLOCK_SLOTS);
    Atomics.store(words, slot, pointer);
    return pointer;
  }
}

type Handle = SlotHandle | StatHandle;

class Node {
  readonly segment: string;
  readonly parent: Node | undefined;
  children: Map<string, Node> | undefined;
  handle: Handle | undefined;
  pruned = false;

  constructor(segment: string, parent: Node | undefined) {
    this.segment = segment;
    this.parent = parent;
  }

  get segments(): string[] {
    const segments = this.parent === undefined ? [] : this.parent.segments;
    if (this.parent !== undefined) segments.push(this.segment);
    return segments;
  }

  below(segments: readonly string[]): Node {
    let node: Node = this;
    for (const segment of segments) {
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) {
        child = new Node(segment, node);
        child.pruned = node.pruned;
        node.children.set(segment, child);
      }
      node = child;
    }
    return node;
  }
}

/** The names of a slab and their handles. */
class Slab {
  readonly allocator: Allocator;
  readonly root = new Node('', undefined);
  readonly #scrapSlot: number;
  readonly #scrapStat: number;

  constructor(emit: SlabEmit) {
    this.allocator = new Allocator(emit);
    this.#scrapSlot = this.allocator.allocate(1);
    this.#scrapStat = this.allocator.allocate(STAT_SLOTS);
  }

  slot(node: Node, type: 'counter' | 'gauge'): SlotHandle {
    const { handle } = node;
    if (handle !== undefined)
      return handle instanceof SlotHandle && handle.type === type ? handle : clash(node, type);
    const pointer = node.pruned ? this.#scrapSlot : this.allocator.allocate(1);
    const made = new SlotHandle(this.allocator, type, pointer);
    this.#add(node, made);
    return made;
  }

  stat(node: Node): StatHandle {
    const { handle } = node;
    if (handle !== undefined) return handle instanceof StatHandle ? handle : clash(node, 'stat');
    const pointer = node.pruned ? this.#scrapStat : this.allocator.allocate(STAT_SLOTS);
    const made = new StatHandle(this.allocator, pointer);
    this.#add(node, made);
    return made;
  }

  prune(top: Node): void {
    if (top.parent === undefined) {
      for (const child of [...(top.children?.values() ?? [])]) this.prune(child);
      return;
    }
    if (top.pruned) return;
    top.parent.children?.delete(top.segment);
    const removed: Handle[] = [];
    const open = [top];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      node.pruned = true;
      if (node.handle !== undefined) removed.push(node.handle);
      if (node.children !== undefined) open.push(...node.children.values());
    }
    if (removed.length === 0) return;
    this.allocator.remove(removed);
    for (const handle of removed) {
      const pointer = handle instanceof StatHandle ? this.#scrapStat : this.#scrapSlot;
      handle.moveTo(this.allocator.page(pointer), pointer);
    }
  }

  #add(node: Node, handle: Handle): void {
    node.handle = handle;
    if (!node.pruned) this.allocator.define(handle.pointer, handle.type, node.segments);
  }
}

class SlabScope implements Scope {
  readonly #slab: Slab;
  readonly #node: Node;

  constructor(slab: Slab, node: Node) {
    this.#slab = slab;
    this.#node = node;
  }

  scope(...segments: readonly string[]): Scope {
    return new SlabScope(this.#slab, this.#node.below(segments));
  }

  counter(...segments: readonly string[]): Counter {
    return this.#slab.slot(this.#node.below(segments), 'counter');
  }

  gauge(...segments: readonly string[]): Gauge {
    return this.#slab.slot(this.#node.below(segments), 'gauge');
  }

  stat(...segments: readonly string[]): Stat {
    return this.#slab.stat(this.#node.below(segments));
  }

  prune(): void {
    this.#slab.prune(this.#node);
  }
}

/** One thread's metrics: the root scope, which stays usable when it is pruned. */
export class SlabStats extends SlabScope {
  readonly #allocator: Allocator;

  /**
   * `emit` is told of new pages and names, once a turn of the loop; someone must read and confirm (see
   * SlabSource).
   */
  constructor(emit: SlabEmit) {
    const slab = new Slab(emit);
    super(slab, slab.root);
    this.#allocator = slab.allocator;
  }

  /** Shared memory held, in bytes. It never shrinks: slots are reused. */
  get bytes(): number {
    return this.#allocator.pages.length * PAGE_SLOTS * 8;
  }

  /** Tells `emit` at once what it has not been told yet. */
  flush(): void {
    this.#allocator.flush();
  }
}

function clash(node: Node, wanted: MetricType): never {
  const name = node.segments.join('/');
  throw new AssertionError(`metric ${name} is a ${node.handle?.type} and cannot be a ${wanted} too`);
}
