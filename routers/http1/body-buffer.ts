/** Collects a request body that is forwarded only when it is complete. */
import { latin1 } from '../../src/base/latin1.ts';

const TEXT_MAX = 65536;

export class BodyBuffer {
  #text = '';
  #pieces: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(buffer: Buffer, start: number, end: number): void {
    this.#length += end - start;
    if (this.#length <= TEXT_MAX) this.#text += latin1(buffer, start, end);
    else this.#pieces.push(Buffer.from(buffer.subarray(start, end)));
  }

  /** The whole body: a string with one character a byte while it is short. */
  take(): string | Buffer {
    if (this.#pieces.length === 0) return this.#text;
    return Buffer.concat([Buffer.from(this.#text, 'latin1'), ...this.#pieces]);
  }
}
