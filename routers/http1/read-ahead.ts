/**
 * What a caller has sent and nobody can look at yet. Reading goes on meanwhile, up to a bound: only a socket
 * that is read shows that the other side has gone.
 */
const READ_AHEAD_BYTES = 8192;

export class ReadAhead {
  /** The caller will send nothing more. */
  ended = false;
  #bytes: Buffer | undefined;

  get length(): number {
    return this.#bytes?.length ?? 0;
  }

  /** No more should be read. A single read may have brought up to 64 KiB. */
  get full(): boolean {
    return this.length >= READ_AHEAD_BYTES;
  }

  /** All that the caller has ever sent has been looked at. */
  get exhausted(): boolean {
    return this.ended && this.#bytes === undefined;
  }

  add(buffer: Buffer, start: number, end: number): void {
    const bytes = buffer.subarray(start, end);
    this.#bytes = this.#bytes === undefined ? Buffer.from(bytes) : Buffer.concat([this.#bytes, bytes]);
  }

  take(): Buffer | undefined {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes;
  }
}
