/**
 * Buffers that are lent and used again once all who keep one have let go: fresh ones of this size cost page
 * faults, and hurry V8 to collect. Who never lets go costs a buffer, and nobody sees another's bytes.
 */
import { assert } from './assert.ts';

/** Whoever keeps bytes for longer than the call that brought them says so, and releases them once. */
export interface Loan {
  keep(): void;
  release(): void;
}

/** Of memory that nobody wants back. */
export const notLent: Loan = { keep() {}, release() {} };

export class LentBuffer implements Loan {
  readonly buffer: Buffer;
  readonly #back: (buffer: LentBuffer) => void;
  #keepers = 0;

  constructor(bytes: number, back: (buffer: LentBuffer) => void) {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
    this.#back = back;
  }

  keep(): void {
    this.#keepers++;
  }

  release(): void {
    assert(this.#keepers > 0, 'bytes are released as often as they are kept');
    if (--this.#keepers === 0) this.#back(this);
  }
}

export class Loans {
  readonly #bytes: number;
  readonly #idleMax: number;
  readonly #idle: LentBuffer[] = [];

  /** Buffers of `bytes`, of which at most `idleMax` wait to be lent. */
  constructor(bytes: number, idleMax: number) {
    this.#bytes = bytes;
    this.#idleMax = idleMax;
  }

  /** Of at least so many bytes, kept once by the caller. The last that came back is still in the caches. */
  lend(bytes: number): LentBuffer {
    const lent = bytes > this.#bytes ? new LentBuffer(bytes, () => {}) : (this.#idle.pop() ?? this.#fresh());
    lent.keep();
    return lent;
  }

  #fresh(): LentBuffer {
    return new LentBuffer(this.#bytes, (lent) => {
      if (this.#idle.length < this.#idleMax) this.#idle.push(lent);
    });
  }
}
