/**
 * Two connections that carry a stream of bytes instead of messages: after a CONNECT, and after a 101.
 * Each end is read only as fast as the other takes it, the end of one direction leaves the other open,
 * and the end of a connection that is not the orderly end of both directions is passed on as a reset: no
 * side may take what it has for complete. The tunnel is the one owner of both transports until both are
 * closed.
 */
import type { ServerSpec } from '../../config/spec.ts';
import type { Counter } from '../../src/base/stats.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';
import type { EarlyBytes, TunnelEnd } from '../exchange.ts';
import { idleEndsAtMs } from './session-limits.ts';
import type { Transport, TransportOwner } from './transport.ts';

export type TunnelLimits = {
  readonly wheel: TimerWheel;
  /** Its session limits end a tunnel through which nothing goes, in neither direction, or that is too old. */
  readonly spec: ServerSpec;
  readonly openedMs: number;
  readonly timeouts: Counter;
};

/** Reads of this size are a bulk transfer, which is worth a buffer of the connection's own. */
const BULK_BYTES = 32768;
/** A buffer of its own is given up again after a read of less than this. */
const SMALL_BYTES = 4096;

export class Tunnel {
  readonly #near: Side;
  readonly #far: Side;
  readonly #limits: TunnelLimits;
  readonly #timer: WheelTimer;

  constructor(near: TunnelEnd, far: TunnelEnd, limits: TunnelLimits) {
    this.#limits = limits;
    this.#near = new Side(this, near);
    this.#far = new Side(this, far);
    this.#timer = limits.wheel.timer(() => this.#timedOut());
  }

  /** Takes both transports over; what was read of each goes first. `nearEnded`: its end has been seen. */
  start(fromNear: EarlyBytes | undefined, fromFar: EarlyBytes | undefined, nearEnded: boolean): void {
    this.active();
    this.#near.transport.handOver(this.#near);
    this.#far.transport.handOver(this.#far);
    if (fromFar !== undefined) this.#far.pass(fromFar.buffer, fromFar.start, fromFar.end);
    if (fromNear !== undefined) this.#near.pass(fromNear.buffer, fromNear.start, fromNear.end);
    this.#far.read();
    if (nearEnded) this.#near.onEnd();
    else this.#near.read();
  }

  /** Cuts it. */
  close(): void {
    this.#near.transport.reset();
    this.#far.transport.reset();
  }

  opposite(side: Side): Side {
    return side === this.#near ? this.#far : this.#near;
  }

  /** Something moves. */
  active(): void {
    const { wheel, spec, openedMs } = this.#limits;
    this.#timer.armAt(idleEndsAtMs(spec, openedMs, wheel.nowMs()));
  }

  ended(): void {
    if (this.#near.transport.closed && this.#far.transport.closed) this.#timer.close();
  }

  #timedOut(): void {
    this.#limits.timeouts.add(1);
    this.close();
  }
}

class Side implements TransportOwner {
  readonly transport: Transport;
  readonly #tunnel: Tunnel;
  readonly #end: TunnelEnd;
  /** The peer has sent all that it will. */
  #ended = false;
  #waits = false;
  #large = false;

  constructor(tunnel: Tunnel, end: TunnelEnd) {
    this.#tunnel = tunnel;
    this.#end = end;
    this.transport = end.transport;
  }

  get #other(): Side {
    return this.#tunnel.opposite(this);
  }

  read(): void {
    if (!this.#waits) this.transport.resume();
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    this.#tunnel.active();
    this.#end.received(end - start);
    this.#chooseBuffer(end - start);
    this.pass(buffer, start, end);
  }

  /** To the other side. */
  pass(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    const other = this.#other;
    other.#end.sent(end - start);
    if (other.transport.writeBytes(this.transport, buffer, start, end)) return;
    this.#waits = true;
    this.transport.pause();
  }

  onEnd(): void {
    this.#ended = true;
    this.#tunnel.active();
    this.#other.transport.end();
  }

  onDrain(): void {
    this.#tunnel.active();
    const other = this.#other;
    other.#waits = false;
    other.transport.resume();
  }

  onClosed(error: Error | undefined): void {
    // When both directions have ended the other side closes by itself, after what is still to be sent.
    const other = this.#other;
    const orderly = error === undefined && this.#ended && other.#ended;
    if (!orderly && !other.transport.closed) other.transport.reset();
    this.#tunnel.ended();
    this.#end.closed();
  }

  /** An idle tunnel costs no buffer: it reads into the shared one until there is much to read. */
  #chooseBuffer(count: number): void {
    const large = this.#large ? count >= SMALL_BYTES : count >= BULK_BYTES;
    if (large === this.#large) return;
    this.#large = large;
    this.transport.readLarge(large);
  }
}
