/**
 * A caller's connection that is, or may become, a tunnel: after the 200 to its CONNECT, and after a 101.
 * Inside a CONNECT it looks at the first bytes: HTTP/1 makes it an ordinary connection again, anything
 * else is bound by the CONNECT's authority as a stream. The stream is an exchange like any other, routed,
 * limited and counted, whose answer is the tunnel. After the 200 a failure has no words: the caller sees
 * a reset.
 */
import type { Failure } from '../../src/base/failure.ts';
import { latin1 } from '../../src/base/latin1.ts';
import type { WheelTimer } from '../../src/base/timer-wheel.ts';
import { type Answer, type EarlyBytes, Exchange, Opaque, type TunnelEnd } from '../exchange.ts';
import type { RequestHead, ResponseHead } from '../head.ts';
import { setHost } from '../headers/absolute-form.ts';
import type { KeptCaller } from './caller-side.ts';
import type { Caller, ConnectionHost, Upgraded } from './connection-host.ts';
import { classifyAtRest, classifyFirstBytes, FIRST_TEXT_MAX, type FirstBytes } from './first-bytes.ts';
import type { Transport, TransportOwner } from './transport.ts';
import { Tunnel } from './tunnel.ts';

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';
/** A caller that says nothing for this long after the 200 waits for the other side to speak. */
const FIRST_BYTES_MS = 100;

/** first: what it is is not known yet. routing: on the way to an endpoint. open: both sides are joined. */
type Phase = 'first' | 'routing' | 'open' | 'gone';

export class CallerTunnel implements TransportOwner, Answer, TunnelEnd, Caller {
  readonly transport: Transport;
  readonly presentedCert: string | undefined;
  readonly openedMs: number;
  kept: KeptCaller | undefined;
  readonly #host: ConnectionHost;
  readonly #timer: WheelTimer;
  #phase: Phase = 'first';
  /** The CONNECT, until the first bytes have been understood. */
  #head: RequestHead | undefined;
  #early: Buffer | undefined;
  #peerEnded = false;
  #exchange: Exchange | undefined;
  #tunnel: Tunnel | undefined;
  #joinedMs = 0;

  private constructor(host: ConnectionHost, from: Caller) {
    this.#host = host;
    this.transport = from.transport;
    this.presentedCert = from.presentedCert;
    this.openedMs = from.openedMs;
    this.#timer = host.wheel.timer(() => this.#decide(classifyAtRest(this.#firstText())));
    this.transport.handOver(this);
  }

  /** Answers a CONNECT that is allowed. What was read after its head is given to `early`. */
  static connected(host: ConnectionHost, from: Caller, head: RequestHead): CallerTunnel {
    const tunnel = new CallerTunnel(host, from);
    tunnel.#head = head;
    tunnel.#timer.arm(FIRST_BYTES_MS);
    host.tunnels.connects.add(1);
    host.traffic.sentBytes.add(ESTABLISHED.length);
    tunnel.transport.write(ESTABLISHED);
    return tunnel;
  }

  static upgraded(host: ConnectionHost, { from, exchange, said, peerEnded }: Upgraded): CallerTunnel {
    const tunnel = new CallerTunnel(host, from);
    host.tunnels.upgrades.add(1);
    tunnel.#phase = 'routing';
    tunnel.#exchange = exchange;
    tunnel.#early = said;
    tunnel.#peerEnded = peerEnded;
    exchange.answer = tunnel;
    return tunnel;
  }

  get peer(): string {
    return this.transport.peer;
  }

  get busy(): boolean {
    return true;
  }

  /** What has begun goes on until the process gives it up. */
  drain(): void {}

  close(): void {
    if (this.#tunnel !== undefined) this.#tunnel.close();
    else this.transport.reset();
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    this.#host.traffic.receivedBytes.add(end - start);
    this.early(buffer, start, end);
  }

  /** Bytes that have been counted already. */
  early(buffer: Buffer, start: number, end: number): void {
    if (this.#phase === 'gone' || start === end) return;
    const bytes = buffer.subarray(start, end);
    this.#early = this.#early === undefined ? Buffer.from(bytes) : Buffer.concat([this.#early, bytes]);
    if (this.#phase !== 'first') {
      // What else is said waits in its own buffers until there is somebody to hear it.
      this.transport.pause();
      return;
    }
    const found = classifyFirstBytes(this.#firstText());
    if (found !== undefined) this.#decide(found);
  }

  onEnd(): void {
    this.#peerEnded = true;
    if (this.#phase === 'first') this.#decide(classifyAtRest(this.#firstText()));
  }

  onDrain(): void {}

  onClosed(): void {
    const exchange = this.#exchange;
    if (exchange !== undefined) {
      exchange.over = true;
      exchange.attempt?.cancelled(exchange);
    }
    this.#gone();
  }

  received(bytes: number): void {
    this.#host.traffic.receivedBytes.add(bytes);
    this.#host.tunnels.receivedBytes.add(bytes);
  }

  sent(bytes: number): void {
    this.#host.traffic.sentBytes.add(bytes);
    this.#host.tunnels.sentBytes.add(bytes);
  }

  /** The caller's side of the open tunnel has closed. */
  closed(): void {
    const { tunnels, wheel } = this.#host;
    tunnels.open.add(-1);
    tunnels.durationMs.observe(wheel.nowMs() - this.#joinedMs);
    this.#gone();
  }

  start(response: ResponseHead): void {
    if (this.#exchange !== undefined) this.#host.answered(this.#exchange, response, 0);
  }

  splice(far: TunnelEnd, early: EarlyBytes | undefined): void {
    if (this.#exchange === undefined || this.#phase !== 'routing') return;
    const { tunnels, wheel, spec } = this.#host;
    const said = this.#early;
    this.#early = undefined;
    this.#phase = 'open';
    this.#joinedMs = wheel.nowMs();
    tunnels.open.add(1);
    if (said !== undefined) tunnels.receivedBytes.add(said.length);
    this.#tunnel = new Tunnel(this, far, {
      wheel,
      spec,
      openedMs: this.openedMs,
      timeouts: tunnels.timeouts,
    });
    const fromNear = said === undefined ? undefined : { buffer: said, start: 0, end: said.length };
    this.#tunnel.start(fromNear, early, this.#peerEnded);
  }

  fail(failure: Failure): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const { status } = this.#host.failureResponse(exchange, failure);
    this.#host.answered(exchange, { status, reason: '', minor: 1, fields: exchange.head.fields }, 0);
    this.#cut();
  }

  /** The name stands for an answer in HTTP, and nobody here reads HTTP. */
  end(): void {
    this.#cut();
  }

  abort(): void {
    this.#cut();
  }

  data(): boolean {
    return true;
  }

  flush(): void {}

  informational(): void {}

  bodyWanted(): void {}

  bodyDrained(): void {}

  #firstText(): string {
    const early = this.#early;
    return early === undefined ? '' : latin1(early, 0, Math.min(early.length, FIRST_TEXT_MAX));
  }

  #decide(found: FirstBytes): void {
    const head = this.#head;
    if (this.#phase !== 'first' || head === undefined) return;
    const { tunnels, wheel } = this.#host;
    this.#timer.disarm();
    this.#head = undefined;
    tunnels[found].add(1);
    if (found === 'http') {
      this.#phase = 'gone';
      this.#timer.close();
      this.#host.speaksHttp(this, head.target, this.#early, this.#peerEnded);
      return;
    }
    this.#phase = 'routing';
    setHost(head, head.target);
    head.target = '/';
    const exchange = new Exchange(head, this, wheel.nowMs());
    exchange.opaque = found === 'tls' ? Opaque.tls : Opaque.other;
    this.#exchange = exchange;
    this.#host.route(exchange);
  }

  /** There will be no tunnel: the caller must see that. */
  #cut(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#host.tunnels.failures.add(1);
    this.#over();
    this.transport.reset();
  }

  #over(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    exchange.over = true;
    exchange.service?.ended(exchange);
    this.#host.ended(exchange);
  }

  #gone(): void {
    this.#phase = 'gone';
    this.#timer.close();
    this.#early = undefined;
    this.#over();
    this.#host.closed(this, this.transport, this.openedMs);
  }
}
