/**
 * The end of a caller's connection, after its last answer: the writing side is closed, and what the
 * caller still sends is read and thrown away for a moment, because closing at once could destroy the
 * answer on its way. The moment begins when everything has been sent.
 */
import type { WheelTimer } from '../../src/base/timer-wheel.ts';
import type { CallerSide, KeptCaller } from './caller-side.ts';
import type { Caller, ConnectionHost } from './connection-host.ts';
import { Taking } from './taking.ts';
import type { Transport, TransportOwner } from './transport.ts';

const LINGER_BYTES_MAX = 64 << 20;
const LINGER_MS = 2000;

export class Lingering implements TransportOwner, CallerSide {
  readonly busy = false;
  kept: KeptCaller | undefined;
  readonly #host: ConnectionHost;
  readonly #transport: Transport;
  readonly #openedMs: number;
  readonly #timer: WheelTimer;
  #thrownAway = 0;
  readonly #taking: Taking;

  constructor(host: ConnectionHost, from: Caller) {
    this.#host = host;
    this.#transport = from.transport;
    this.#openedMs = from.openedMs;
    this.#timer = host.wheel.timer(() => this.#timedOut());
    this.#taking = new Taking(this.#transport, this.#timer, host.spec.bodyIdleTimeoutMs);
    this.#transport.handOver(this);
    this.#transport.end();
    if (this.#transport.backlog > 0) this.#taking.wait();
    else this.#timer.arm(LINGER_MS);
    this.#transport.resume();
  }

  drain(): void {}

  close(): void {
    this.#transport.destroy();
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    this.#host.traffic.receivedBytes.add(end - start);
    this.early(buffer, start, end);
  }

  early(_buffer: Buffer, start: number, end: number): void {
    this.#thrownAway += end - start;
    if (this.#thrownAway > LINGER_BYTES_MAX) this.#transport.destroy();
  }

  onEnd(): void {}

  onDrain(): void {}

  onFinished(): void {
    this.#timer.arm(LINGER_MS);
  }

  onClosed(): void {
    this.#timer.close();
    this.#host.closed(this, this.#transport, this.#openedMs);
  }

  #timedOut(): void {
    if (this.#transport.backlog === 0) this.#transport.destroy();
    else if (!this.#taking.goesOn()) this.#transport.reset();
  }
}
