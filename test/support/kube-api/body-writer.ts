/** Writes an answer's body, compressed and in pieces if a fault says so. */
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { constants, createGzip, type Gzip } from 'node:zlib';

export class BodyWriter {
  readonly #response: ServerResponse;
  readonly #pieceBytes: number | undefined;
  readonly #gzip: Gzip | undefined;
  #queue: Promise<void> = Promise.resolve();

  /** The head must not have been written yet. */
  constructor(response: ServerResponse, gzip: boolean, pieceBytes: number | undefined) {
    this.#response = response;
    this.#pieceBytes = pieceBytes;
    if (!gzip) return;
    response.setHeader('content-encoding', 'gzip');
    this.#gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
    this.#gzip.on('data', (chunk: Buffer) => this.#send(chunk));
    this.#gzip.on('end', () => this.#finish());
  }

  write(text: string | Buffer): void {
    const bytes = Buffer.from(text as string);
    if (this.#gzip !== undefined) this.#gzip.write(bytes);
    else this.#send(bytes);
  }

  end(): void {
    if (this.#gzip !== undefined) this.#gzip.end();
    else this.#finish();
  }

  /** Cuts the connection once everything has been handed to it. */
  cut(): void {
    this.#queue = this.#queue.then(async () => {
      // Two turns: what was written leaves before the connection ends.
      await nextTurn();
      await nextTurn();
      this.#response.destroy();
    });
  }

  #send(bytes: Buffer): void {
    const size = this.#pieceBytes;
    if (size === undefined) {
      this.#queue = this.#queue.then(() => void this.#response.write(bytes));
      return;
    }
    this.#queue = this.#queue.then(async () => {
      for (let at = 0; at < bytes.length && !this.#response.destroyed; at += size) {
        this.#response.write(bytes.subarray(at, at + size));
        await nextTurn();
      }
    });
  }

  #finish(): void {
    this.#queue = this.#queue.then(() => void this.#response.end());
  }
}
