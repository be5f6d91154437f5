/**
 * `readTimeoutMs` and `writeTimeoutMs` of socket options: a connection on which no byte has come for so long,
 * or on which nothing of what is to be sent has been taken for so long, is reset. It looks a few times within
 * each limit, so that reads and writes cost nothing more; hence it is late by an eighth of the limit at most
 * (or by two ticks of the wheel, which is more for limits under 160 ms).
 */
import type { ConnectionSpec } from '../../config/spec.ts';
import type { Closable } from '../../src/base/closable.ts';
import type { Counter, Scope } from '../../src/base/stats.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';

const LOOKS = 8;
const LOOK_MS_MIN = 10;

/** Those of all connections of a server or client. */
export type SocketLimits = {
  readonly wheel: TimerWheel;
  readonly readMs: number;
  readonly writeMs: number;
  readonly readTimeouts: Counter;
  readonly writeTimeouts: Counter;
};

/** Undefined when there is no limit. */
export function socketLimits(
  { readTimeoutMs, writeTimeoutMs }: ConnectionSpec,
  wheel: TimerWheel,
  scope: Scope,
): SocketLimits | undefined {
  if (readTimeoutMs === undefined && writeTimeoutMs === undefined) return undefined;
  return {
    wheel,
    readMs: readTimeoutMs ?? Number.POSITIVE_INFINITY,
    writeMs: writeTimeoutMs ?? Number.POSITIVE_INFINITY,
    readTimeouts: scope.counter('read_timeout'),
    writeTimeouts: scope.counter('write_timeout'),
  };
}

export interface WatchedSocket {
  /** Bytes that have come, and bytes that the system has taken over. */
  readonly bytesRead: number;
  readonly bytesTaken: number;
  /** Bytes that it has not. */
  readonly backlog: number;
  /** Resets the connection. */
  fail(why: string): void;
}

export class SocketWatch implements Closable {
  readonly #socket: WatchedSocket;
  readonly #limits: SocketLimits;
  readonly #timer: WheelTimer;
  readonly #everyMs: number;
  #bytesRead: number;
  #readMs: number;
  #bytesTaken: number;
  #takenMs: number;

  constructor(socket: WatchedSocket, limits: SocketLimits) {
    const { wheel, readMs, writeMs } = limits;
    this.#socket = socket;
    this.#limits = limits;
    this.#everyMs = Math.max(Math.min(readMs, writeMs) / LOOKS, LOOK_MS_MIN);
    this.#bytesRead = socket.bytesRead;
    this.#bytesTaken = socket.bytesTaken;
    this.#readMs = wheel.nowMs();
    this.#takenMs = this.#readMs;
    this.#timer = wheel.timer(() => this.#look());
    this.#timer.arm(this.#everyMs);
  }

  close(): void {
    this.#timer.close();
  }

  #look(): void {
    const { wheel, readMs, writeMs, readTimeouts, writeTimeouts } = this.#limits;
    const { bytesRead, bytesTaken, backlog } = this.#socket;
    const nowMs = wheel.nowMs();
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead;
      this.#readMs = nowMs;
    }
    if (bytesTaken !== this.#bytesTaken || backlog === 0) {
      this.#bytesTaken = bytesTaken;
      this.#takenMs = nowMs;
    }
    if (nowMs - this.#readMs >= readMs) {
      readTimeouts.add(1);
      this.#socket.fail(`no byte came for ${readMs} ms (readTimeoutMs)`);
    } else if (nowMs - this.#takenMs >= writeMs) {
      writeTimeouts.add(1);
      this.#socket.fail(`nothing was taken for ${writeMs} ms (writeTimeoutMs)`);
    } else this.#timer.arm(this.#everyMs);
  }
}
