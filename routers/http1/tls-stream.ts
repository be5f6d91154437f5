/** Reads and writes a TLS connection, after its handshake, by its handle. */
import {
  BACKLOG_BYTES_MAX,
  type DirectReader,
  makeWriteRequest,
  readDirectly,
  type StreamHandle,
  type WriteRequest,
  type WriterOwner,
  writeError,
} from './stream-handle.ts';

/**
 * What is written is encrypted at once, but that the system has it is only told later, and until then there
 * must be no other write. What comes meanwhile is collected and leaves as one.
 */
export class TlsWriter {
  readonly #handle: StreamHandle;
  readonly #owner: WriterOwner;
  /** In turn: one is free again only when the call that tells of its completion has returned. */
  #request: WriteRequest = makeWriteRequest();
  #otherRequest: WriteRequest = makeWriteRequest();
  #writing = 0;
  #waiting: (string | Buffer)[] = [];
  #waitingBytes = 0;
  #full = false;
  #then: (() => void) | undefined;

  constructor(handle: StreamHandle, owner: WriterOwner) {
    this.#handle = handle;
    this.#owner = owner;
    const taken = (status: number): void => this.#taken(status);
    this.#request.oncomplete = taken;
    this.#otherRequest.oncomplete = taken;
  }

  /** Bytes of the write that is not complete, and bytes that wait for its end. */
  get writing(): number {
    return this.#writing;
  }

  get backlog(): number {
    return this.#writing + this.#waitingBytes;
  }

  /** Text is one character a byte; bytes must stay as they are. False: wait until drained. */
  write(data: string | Buffer): boolean {
    if (data.length === 0) return !this.#full;
    if (this.#writing === 0) this.#write(data);
    else {
      this.#waiting.push(data);
      this.#waitingBytes += data.length;
    }
    this.#full ||= this.backlog >= BACKLOG_BYTES_MAX;
    return !this.#full;
  }

  /** Bytes whose memory is used again when this returns, between two texts. */
  writeBytes(bytes: Buffer, before: string, after: string): boolean {
    if (before !== '' || after !== '') return this.write(joined([before, bytes, after]));
    return this.write(this.#writing === 0 ? bytes : Buffer.from(bytes));
  }

  /** Calls back once everything has been taken over. */
  whenFlushed(then: () => void): void {
    if (this.#writing === 0) then();
    else this.#then = then;
  }

  #write(data: string | Buffer): void {
    const request = this.#request;
    this.#request = this.#otherRequest;
    this.#otherRequest = request;
    const code =
      typeof data === 'string'
        ? this.#handle.writeLatin1String(request, data)
        : this.#handle.writeBuffer(request, data);
    if (code === 0) this.#writing = data.length;
    else if (code !== undefined) this.#owner.failed(writeError(code));
  }

  #taken(status: number): void {
    this.#writing = 0;
    if (status < 0) {
      this.#owner.failed(writeError(status));
      return;
    }
    if (this.#waitingBytes > 0) {
      const pieces = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#write(joined(pieces));
      return;
    }
    this.#then?.();
    if (!this.#full) return;
    this.#full = false;
    this.#owner.drained();
  }
}

function joined(pieces: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)),
  );
}

export interface TlsReadOwner {
  readonly closed: boolean;
  bytes(buffer: Buffer, count: number): void;
  end(): void;
}

/**
 * Reads into a shared buffer. All that one read from the network has brought is decrypted, whether reading
 * has been stopped meanwhile or not: what comes after a pause is kept for later.
 */
export class TlsReader implements DirectReader {
  readonly #handle: StreamHandle;
  readonly #buffer: Buffer;
  readonly #owner: TlsReadOwner;
  #paused = false;
  #kept: Buffer[] = [];
  #ended = false;

  constructor(handle: StreamHandle, buffer: Buffer, owner: TlsReadOwner) {
    this.#handle = handle;
    this.#owner = owner;
    this.#buffer = buffer;
    handle.useUserBuffer(buffer);
    readDirectly(handle, this);
  }

  received(count: number): void {
    if (this.#owner.closed) return;
    if (!this.#paused && this.#kept.length === 0) this.#owner.bytes(this.#buffer, count);
    else this.#kept.push(Buffer.from(this.#buffer.subarray(0, count)));
  }

  pause(): void {
    this.#paused = true;
    this.#handle.readStop();
  }

  /** Nothing is handed out within this call. */
  resume(): void {
    this.#paused = false;
    if (this.#kept.length === 0) this.#handle.readStart();
    else process.nextTick(() => this.#handOut());
  }

  /** The peer will send nothing more. */
  end(): void {
    if (this.#kept.length > 0) this.#ended = true;
    else this.#owner.end();
  }

  #handOut(): void {
    while (!this.#paused && !this.#owner.closed) {
      const bytes = this.#kept[0];
      if (bytes === undefined) break;
      this.#owner.bytes(bytes, bytes.length);
      this.#kept.shift();
    }
    if (this.#kept.length > 0 || this.#paused || this.#owner.closed) return;
    if (this.#ended) {
      this.#ended = false;
      this.#owner.end();
    } else this.#handle.readStart();
  }
}
