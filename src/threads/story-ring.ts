/**
 * The way of stories from a data thread to the control thread: a ring of bytes in shared memory, with one
 * writer and one reader, which neither locks nor waits. The writer copies a batch in and then moves the head;
 * the reader copies it out and then moves the tail. So a thread that dies in the middle of a batch leaves
 * nothing of it, and what does not fit is refused as a whole. A new thread gets a new ring.
 *
 * A batch is the number of its bytes, the number of its lines, the mask of each, and the lines. Masks and
 * lines begin at multiples of 8, because V8 copies into shared memory by words only then, five times as fast.
 */
import type { StoryBatch } from '../../routers/tap/request-tap.ts';
import { assert } from '../base/assert.ts';
import { type Loan, Loans } from '../base/loans.ts';

/** Told and not yet taken: some 100 ms of a thread that is as busy as it can be. */
const RING_BYTES = 4 * 1024 * 1024;
const ALIGNMENT = 8;
/** Head and tail: bytes written and read since the beginning, modulo 2^32. */
const HEAD = 0;
const TAIL = 1;
/** The position that stands at the start of the memory, and those a multiple of its size further. */
const BASE = 2;
const POSITIONS_BYTES = 16;

/** `bytes` is a power of two. The pages are the system's until something is written to them. */
export function storyMemory(bytes = RING_BYTES): SharedArrayBuffer {
  assert(bytes >= ALIGNMENT && (bytes & (bytes - 1)) === 0, 'positions modulo 2^32 need a power of two');
  return new SharedArrayBuffer(POSITIONS_BYTES + bytes);
}

const BATCH_NUMBERS = 2;
/** What is read goes into buffers of the size of a usual batch; more of them do not wait to be used again. */
const LENT_BYTES = 320 * 1024;
const LENT_IDLE_MAX = 4;

class Ring {
  readonly positions: Int32Array;
  readonly #bytes: Buffer;

  constructor(memory: SharedArrayBuffer) {
    this.positions = new Int32Array(memory, 0, 3);
    this.#bytes = Buffer.from(memory, POSITIONS_BYTES);
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** Bytes between tail and head. */
  get used(): number {
    return (Atomics.load(this.positions, HEAD) - Atomics.load(this.positions, TAIL)) >>> 0;
  }

  /**
   * On the writer: when all has been read, the next batch goes to the start of the memory, which is still
   * in the caches; going round all 4 MB drove the rest of a data thread out of them. The reader looks at the
   * base only when there is something to read, and then it stays.
   */
  rewind(): void {
    if (this.used === 0) Atomics.store(this.positions, BASE, Atomics.load(this.positions, HEAD));
  }

  #offset(position: number): number {
    return (position - Atomics.load(this.positions, BASE)) & (this.size - 1);
  }

  /** Answers the next position that is aligned. */
  put(position: number, from: Uint8Array): number {
    const start = this.#offset(position);
    const first = Math.min(from.length, this.size - start);
    this.#bytes.set(first === from.length ? from : from.subarray(0, first), start);
    if (first < from.length) this.#bytes.set(from.subarray(first), 0);
    return (position + aligned(from.length)) | 0;
  }

  take(position: number, into: Uint8Array): number {
    const start = this.#offset(position);
    const first = Math.min(into.length, this.size - start);
    this.#bytes.copy(into, 0, start, start + first);
    if (first < into.length) this.#bytes.copy(into, first, 0, into.length - first);
    return (position + aligned(into.length)) | 0;
  }
}

/** On the data thread. */
export class StoryWriter {
  readonly #ring: Ring;

  constructor(memory: SharedArrayBuffer) {
    this.#ring = new Ring(memory);
  }

  /** False: there is no room for all of it, and nothing was written. */
  write({ lines, masks }: StoryBatch): boolean {
    const ring = this.#ring;
    const head = new Uint32Array(BATCH_NUMBERS + masks.length);
    head[0] = lines.length;
    head[1] = masks.length;
    head.set(masks, BATCH_NUMBERS);
    if (aligned(head.byteLength) + aligned(lines.length) > ring.size - ring.used) return false;
    ring.rewind();
    const start = Atomics.load(ring.positions, HEAD);
    const end = ring.put(ring.put(start, bytesOf(head)), lines);
    Atomics.store(ring.positions, HEAD, end);
    return true;
  }
}

export type TakeStories = (batch: StoryBatch, loan: Loan) => void;

type LentBatch = StoryBatch & { readonly loan: Loan };

/** On the control thread. */
export class StoryReader {
  readonly #ring: Ring;
  readonly #loans = new Loans(LENT_BYTES, LENT_IDLE_MAX);

  constructor(memory: SharedArrayBuffer) {
    this.#ring = new Ring(memory);
  }

  /** Takes all there are; whoever keeps the lines of one for longer than the call says so. */
  readAll(take: TakeStories): void {
    for (let batch = this.read(); batch !== undefined; batch = this.read()) {
      take(batch, batch.loan);
      batch.loan.release();
    }
  }

  /** The oldest batch, which is the caller's until it releases it; undefined when all have been read. */
  read(): LentBatch | undefined {
    const ring = this.#ring;
    if (ring.used === 0) return undefined;
    const start = Atomics.load(ring.positions, TAIL);
    const numbers = new Uint32Array(BATCH_NUMBERS);
    ring.take(start, bytesOf(numbers));
    const [bytes = 0, count = 0] = numbers;
    const head = new Uint32Array(BATCH_NUMBERS + count);
    assert(aligned(head.byteLength) + aligned(bytes) <= ring.used, 'a batch is written whole');
    const loan = this.#loans.lend(bytes);
    const lines = loan.buffer.subarray(0, bytes);
    const position = ring.take(ring.take(start, bytesOf(head)), lines);
    Atomics.store(ring.positions, TAIL, position);
    return { lines, masks: head.subarray(BATCH_NUMBERS), loan };
  }
}

const aligned = (bytes: number): number => (bytes + ALIGNMENT - 1) & -ALIGNMENT;

const bytesOf = (words: Uint32Array): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
