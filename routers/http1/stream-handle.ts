/**
 * What a socket of Node stands on: its handle, asked directly. Past the stream machinery of `net.Socket` a
 * small request over plain TCP costs about 5 % less CPU time, over TLS about 20 % less. The calls are
 * long-standing but undocumented: they are made here, in `tls-stream` and in `transport` only, and where they
 * are missing everything goes through the socket. Ends and errors of reading are always left to the socket.
 */
import { getSystemErrorName } from 'node:util';

/** More than this that the system has not taken over is too much. */
export const BACKLOG_BYTES_MAX = 65536;

/** `oncomplete` is called when the system has taken over what it could not at once. */
export type WriteRequest = { oncomplete?: (status: number) => void; data?: unknown };

/** The handle of a TCP connection, or of TLS over one. */
export type StreamHandle = {
  onread: (bytes: ArrayBuffer | undefined) => unknown;
  useUserBuffer(buffer: Buffer): void;
  /** Kept for the socket, which starts reading itself when it is not set. */
  reading?: boolean;
  readStart(): number;
  readStop(): number;
  readonly writeQueueSize?: number;
  /** 0, or a negative error code; undefined when there is no connection any more. */
  writeLatin1String(request: WriteRequest, text: string): number | undefined;
  writeBuffer(request: WriteRequest, bytes: Buffer): number | undefined;
  /** Pieces with the encoding of each after it, unless all are bytes. */
  writev(request: WriteRequest, pieces: readonly unknown[], allBytes: boolean): number | undefined;
};

/** After each call the numbers of `streamBaseState` tell how it went. */
type StreamBinding = {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
};

function streamBinding(): StreamBinding | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
  try {
    const found = binding?.('stream_wrap');
    const usable =
      typeof found?.WriteWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof found.kLastWriteWasAsync === 'number';
    return usable ? (found as StreamBinding) : undefined;
  } catch {
    return undefined;
  }
}

const bound = streamBinding();
const state = bound?.streamBaseState ?? new Int32Array(2);
const READ = bound?.kReadBytesOrError ?? 0;
const WAS_ASYNC = bound?.kLastWriteWasAsync ?? 1;

/** The handle of a connected socket; undefined when it cannot be used as it is here. */
export function streamHandle(socket: object): StreamHandle | undefined {
  const { _handle: handle } = socket as { _handle?: Partial<StreamHandle> | null };
  const usable =
    bound !== undefined &&
    typeof handle?.onread === 'function' &&
    typeof handle.useUserBuffer === 'function' &&
    typeof handle.writeLatin1String === 'function' &&
    typeof handle.writeBuffer === 'function' &&
    typeof handle.writev === 'function';
  return usable ? (handle as StreamHandle) : undefined;
}

export interface DirectReader {
  /** So many bytes are in the user buffer. */
  received(count: number): void;
}

const READER = Symbol('reader');
const OF_SOCKET = Symbol('onread of the socket');
type DirectHandle = StreamHandle & { [READER]: DirectReader; [OF_SOCKET]: StreamHandle['onread'] };

/**
 * All handles share one function: with one each, which refers to it, what belongs to a connection survives
 * the collections of the young generation after its end (and with listeners of their own sockets do).
 */
export function readDirectly(handle: StreamHandle, reader: DirectReader): void {
  const direct = handle as DirectHandle;
  direct[READER] = reader;
  direct[OF_SOCKET] = handle.onread;
  handle.onread = onRead;
}

function onRead(this: DirectHandle): void {
  const count = state[READ] as number;
  if (count > 0) this[READER].received(count);
  else if (count < 0) this[OF_SOCKET](undefined);
}

/** Made only where `streamHandle` has found a handle. */
export function makeWriteRequest(): WriteRequest {
  if (bound === undefined) throw new TypeError('a handle without its binding');
  return new bound.WriteWrap();
}

/** Reads from TCP into a buffer that its owner knows, from the start on. */
export class PlainReader {
  readonly #handle: StreamHandle;

  constructor(handle: StreamHandle, buffer: Buffer, reader: DirectReader) {
    this.#handle = handle;
    handle.useUserBuffer(buffer);
    readDirectly(handle, reader);
    this.resume();
  }

  /** The next read goes there. The handle remembers every buffer. */
  into(buffer: Buffer): void {
    this.#handle.useUserBuffer(buffer);
  }

  pause(): void {
    this.#handle.reading = false;
    this.#handle.readStop();
  }

  resume(): void {
    this.#handle.reading = true;
    this.#handle.readStart();
  }
}

export function writeError(code: number): Error {
  const name = getSystemErrorName(code);
  return Object.assign(new Error(`write ${name}`), { code: name, errno: code, syscall: 'write' });
}

export interface WriterOwner {
  failed(error: Error): void;
  /** Everything has been taken over, after a write that was told to wait for that. */
  drained(): void;
}

/**
 * The system almost always takes all over at once: then nothing keeps the request, and all share it (48 ns
 * and an object less a write).
 */
let unused: WriteRequest | undefined;

/** What is written over TCP. The socket may write as well while nothing waits in it. */
export class PlainWriter {
  /** Writes that the system has not taken over whole. */
  #pending = 0;
  #full = false;
  readonly #handle: StreamHandle;
  readonly #owner: WriterOwner;

  constructor(handle: StreamHandle, owner: WriterOwner) {
    this.#handle = handle;
    this.#owner = owner;
  }

  get flushed(): boolean {
    return this.#pending === 0;
  }

  /** Text is one character a byte. False: wait until drained before writing much more. */
  write(text: string): boolean {
    unused ??= makeWriteRequest();
    return this.#written(this.#handle.writeLatin1String(unused, text), text) || !this.#full;
  }

  /** Bytes that stay as they are, between two texts. As `write`. */
  writeBytes(before: string, bytes: Buffer, after: string): boolean {
    return this.#writeBytes(before, bytes, after) || !this.#full;
  }

  /** Bytes whose memory is used again: when this answers true, otherwise when drained. */
  lendBytes(before: string, bytes: Buffer, after: string): boolean {
    if (this.#writeBytes(before, bytes, after)) return true;
    this.#full = true;
    return false;
  }

  /** True when there is nothing to wait for. */
  #writeBytes(before: string, bytes: Buffer, after: string): boolean {
    unused ??= makeWriteRequest();
    if (before === '' && after === '') return this.#written(this.#handle.writeBuffer(unused, bytes), bytes);
    const pieces: unknown[] = [];
    if (before !== '') pieces.push(before, 'latin1');
    pieces.push(bytes, 'buffer');
    if (after !== '') pieces.push(after, 'latin1');
    return this.#written(this.#handle.writev(unused, pieces, false), pieces);
  }

  /** Of a write that waits keeps the request that was used, and the memory that it refers to. */
  #written(code: number | undefined, data: unknown): boolean {
    if (code === 0 && state[WAS_ASYNC] === 0) return true;
    if (code !== 0) {
      if (code !== undefined) this.#owner.failed(writeError(code));
      return true;
    }
    const request = unused as WriteRequest;
    unused = undefined;
    this.#pending++;
    request.data = data;
    request.oncomplete = (status) => this.#taken(status);
    this.#full ||= (this.#handle.writeQueueSize ?? 0) >= BACKLOG_BYTES_MAX;
    return false;
  }

  #taken(status: number): void {
    this.#pending--;
    if (status < 0) this.#owner.failed(writeError(status));
    else if (this.#pending === 0 && this.#full) {
      this.#full = false;
      this.#owner.drained();
    }
  }
}
