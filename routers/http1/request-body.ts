/**
 * The body of a caller's request while it is being read: how much of it is to come, and what has been
 * collected of it when it is to be forwarded whole. One object a connection, used for one request after the
 * other.
 */
import type { Fields } from '../fields.ts';
import { BodyBuffer } from './body-buffer.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import { CHUNKED } from './framing.ts';
import type { HeadProblem } from './head-parser.ts';

/** Longer bodies are read into a buffer of the connection's own. */
const LARGE_BODY_BYTES = 16384;

export class RequestBody {
  #collected: BodyBuffer | undefined;
  #chunks: ChunkDecoder | undefined;
  #remaining = 0;
  /** The session takes what comes; until then it is held back. */
  wanted = false;
  #blocked = false;
  /** Since when its pace is measured, and what has come since; undefined: from the next bytes on. */
  #pacedMs: number | undefined;
  #paced = 0;

  /** `length` in bytes or CHUNKED, never 0. */
  begin(length: number, collects: boolean): void {
    this.#remaining = length;
    this.wanted = false;
    this.blocked = false;
    this.#chunks = length === CHUNKED ? new ChunkDecoder() : undefined;
    this.#collected = collects ? new BodyBuffer() : undefined;
  }

  /** The session has no room for more. */
  get blocked(): boolean {
    return this.#blocked;
  }

  set blocked(blocked: boolean) {
    this.#blocked = blocked;
    this.#pacedMs = undefined;
  }

  /** More of it has come, and less than `minBytesPerSec` for all of the last `windowMs`. */
  tooSlow(bytes: number, nowMs: number, minBytesPerSec: number, windowMs: number): boolean {
    if (this.#pacedMs === undefined) {
      this.#pacedMs = nowMs;
      this.#paced = 0;
    }
    this.#paced += bytes;
    const passedMs = nowMs - this.#pacedMs;
    if (passedMs < windowMs) return false;
    const least = (minBytesPerSec * passedMs) / 1000;
    if (this.#paced < least) return true;
    this.#pacedMs = undefined;
    return false;
  }

  get collects(): boolean {
    return this.#collected !== undefined;
  }

  /** What comes is taken at once, so that its pauses are those of the caller. */
  get reading(): boolean {
    return this.collects || (this.wanted && !this.blocked);
  }

  get isLarge(): boolean {
    return this.#chunks !== undefined || this.#remaining > LARGE_BODY_BYTES;
  }

  get complete(): boolean {
    return this.#chunks === undefined ? this.#remaining === 0 : this.#chunks.done;
  }

  /** These many bytes may be all that is missing. */
  mayEndWithin(bytes: number): boolean {
    return bytes > 0 && (this.#chunks !== undefined || this.#remaining <= bytes);
  }

  get trailers(): Fields | undefined {
    return this.#chunks?.trailers;
  }

  /** Where the body stops in the buffer, or the end of it. */
  read(
    buffer: Buffer,
    at: number,
    end: number,
    piece: (from: number, to: number) => void,
  ): number | HeadProblem {
    if (this.#chunks !== undefined) return this.#chunks.decode(buffer, at, end, piece);
    const next = Math.min(end, at + this.#remaining);
    this.#remaining -= next - at;
    piece(at, next);
    return next;
  }

  /** The same for a body that is collected. */
  collect(buffer: Buffer, at: number, end: number): number | HeadProblem {
    return this.read(buffer, at, end, (from, to) => this.#collected?.add(buffer, from, to));
  }

  /** What has been collected. */
  take(): string | Buffer {
    return this.#collected?.take() ?? '';
  }

  /** Nothing of the last body is kept. */
  release(): void {
    this.#chunks = undefined;
    this.#collected = undefined;
    this.#remaining = 0;
  }
}
