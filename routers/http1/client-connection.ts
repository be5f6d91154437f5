/**
 * One HTTP/1 connection to an endpoint. It carries one exchange at a time and is given back only if the
 * request was sent whole, the response was read whole, exactly, and nothing is left over; anything else
 * closes it. Bytes on an idle connection close it too: no request asked for them.
 */
import { Failure } from '../../src/base/failure.ts';
import { latin1 } from '../../src/base/latin1.ts';
import type { Counter } from '../../src/base/stats.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';
import {
  BodyKind,
  type EarlyBytes,
  type Exchange,
  Opaque,
  type Session,
  type TunnelEnd,
} from '../exchange.ts';
import { Fields } from '../fields.ts';
import type { ResponseHead } from '../head.ts';
import { withTimeout } from '../headers/deadline.ts';
import { switchedTo } from '../headers/upgrade.ts';
import { attemptTimeoutText } from '../respond/messages.ts';
import { CERTIFICATE_REPLACED, type ClientSide } from '../tls/client-material.ts';
import type { ClientTls } from '../tls/client-tls.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import { announcedKeepAliveMs, keepsAlive } from './connection-header.ts';
import { CHUNKED, responseLength, UNTIL_CLOSE } from './framing.ts';
import { HeadParser, HeadProblem } from './head-parser.ts';
import { type HeadLimits, INFORMATIONAL_MAX } from './limits.ts';
import { requestHeadText, trailersText } from './serialize.ts';
import type { Transport, TransportOwner } from './transport.ts';

/** Who keeps the connection: the pool of an endpoint. */
export interface SessionOwner {
  connected(session: ClientConnection): void;
  connectFailed(session: ClientConnection, failure: Failure): void;
  /** The exchange is over and the connection can carry another. */
  idle(session: ClientConnection): void;
  /** It has been idle for as long as `expireAfter` said. */
  expired(session: ClientConnection): void;
  /** Once, whatever the reason. */
  gone(session: ClientConnection): void;
}

/** What all connections of one client share. */
export type SessionSettings = {
  readonly wheel: TimerWheel;
  readonly limits: HeadLimits;
  /** Printed bound id, for messages. */
  readonly label: string;
  readonly attemptTimeoutMs: number | undefined;
  readonly bodyIdleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly lifeTimeMs: number | undefined;
  readonly tls: ClientTls | undefined;
  readonly receivedBytes: Counter;
  readonly sentBytes: Counter;
  /** Connections that `clientSession` closed for their age, if it is configured. */
  readonly lifetimeClosed: Counter | undefined;
};

/** Longer bodies are streamed through a buffer of the connection's own. */
const LARGE_BODY_BYTES = 16384;

/** tunnel: one end of a stream. gone: closed by us or by the endpoint, or about to be. */
type Phase = 'connecting' | 'idle' | 'head' | 'body' | 'tunnel' | 'gone';

export class ClientConnection implements TransportOwner, Session, TunnelEnd, ClientSide {
  /** Idle time that the endpoint announced on this connection. */
  announcedMs: number | undefined;
  /** Kept by the owner while it counts this: when it was begun or, later, made; and when it became idle. */
  sinceMs: number | undefined;
  idleSinceMs = 0;
  readonly endpoint: string;
  #transport: Transport;
  readonly #owner: SessionOwner;
  readonly #settings: SessionSettings;
  readonly #parser: HeadParser;
  readonly #timer: WheelTimer;
  #phase: Phase = 'connecting';
  #exchange: Exchange | undefined;
  #exchanges = 0;
  /** From then on it carries no further request. */
  #endsMs = Number.POSITIVE_INFINITY;
  #partial = '';
  #informationals = 0;
  #requestDone = true;
  #keepAlive = true;
  #remaining = 0;
  #chunks: ChunkDecoder | undefined;
  #connectFailure: Failure | undefined;
  #blocked = false;
  /** What the endpoint had not taken of the request body when it was last looked at. */
  #unsent = 0;

  /** `open` makes the transport: plain or TLS, connected or about to be. */
  constructor(
    endpoint: string,
    owner: SessionOwner,
    settings: SessionSettings,
    open: (connection: ClientConnection) => Transport,
  ) {
    this.endpoint = endpoint;
    this.#owner = owner;
    this.#settings = settings;
    this.#parser = new HeadParser(settings.limits);
    this.#timer = settings.wheel.timer(() => this.#timedOut());
    this.#timer.arm(settings.connectTimeoutMs);
    this.#transport = open(this);
  }

  get idle(): boolean {
    return this.#phase === 'idle';
  }

  get transport(): Transport {
    return this.#transport;
  }

  /** The transport is connected and, with TLS, the peer has been verified. */
  connected(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'idle';
    this.#timer.disarm();
    const { lifeTimeMs, wheel } = this.#settings;
    if (lifeTimeMs !== undefined) this.#endsMs = Math.min(this.#endsMs, wheel.nowMs() + lifeTimeMs);
    this.#owner.connected(this);
  }

  /** There is no connection: nothing else will be told of the transport. */
  refused(failure: Failure): void {
    this.#connectFailure ??= failure;
    this.onClosed(undefined);
  }

  /** Idle for at most this long from now on. */
  expireAfter(idleMs: number): void {
    const due = Math.min(this.#settings.wheel.nowMs() + idleMs, this.#endsMs);
    if (due === Number.POSITIVE_INFINITY) this.#timer.disarm();
    else this.#timer.armAt(due);
  }

  send(exchange: Exchange): void {
    const { attemptTimeoutMs, sentBytes, wheel } = this.#settings;
    let { deadline } = exchange.context;
    this.#exchange = exchange;
    exchange.session = this;
    if (exchange.opaque !== Opaque.none) {
      this.#becomeTunnel(exchange, { status: 200, reason: '', minor: 1, fields: new Fields() }, undefined);
      return;
    }
    this.#phase = 'head';
    this.#informationals = 0;
    if (attemptTimeoutMs === undefined) this.#timer.disarm();
    else {
      this.#timer.arm(attemptTimeoutMs);
      deadline = withTimeout(deadline, wheel.wallMs(), attemptTimeoutMs);
    }
    const text = requestHeadText(exchange, deadline);
    sentBytes.add(text.length + exchange.body.length);
    const { body } = exchange;
    if (exchange.bodyKind === BodyKind.streamed) {
      this.#requestDone = false;
      this.#transport.write(text);
      exchange.answer.bodyWanted();
      return;
    }
    this.#requestDone = true;
    if (typeof body === 'string') this.#transport.write(text + body);
    else this.#transport.writeTogether(text, body);
  }

  bodyData(source: Transport, buffer: Buffer, start: number, end: number): boolean {
    if (this.#exchange === undefined || start === end) return true;
    this.#settings.sentBytes.add(end - start);
    const chunked = this.#exchange.bodyLength === CHUNKED;
    const before = chunked ? `${(end - start).toString(16)}\r\n` : '';
    const open = this.#transport.writeBytes(source, buffer, start, end, before, chunked ? '\r\n' : '');
    if (!open) this.#awaitTaking();
    return open;
  }

  /** The caller is not read meanwhile, so that nobody else would notice an endpoint that never goes on. */
  #awaitTaking(): void {
    this.#transport.stuck(this.#settings.wheel.nowMs());
    if (this.#phase !== 'head' || this.#settings.attemptTimeoutMs !== undefined) return;
    this.#unsent = this.#transport.backlog;
    this.#timer.arm(this.#settings.bodyIdleTimeoutMs);
  }

  bodyEnd(trailers: Fields | undefined): void {
    if (this.#exchange === undefined) return;
    this.#requestDone = true;
    if (this.#exchange.bodyLength === CHUNKED) this.#transport.write(`0\r\n${trailersText(trailers)}\r\n`);
  }

  answerDrained(): void {
    this.#blocked = false;
    this.#transport.resume();
    if (this.#phase === 'body') this.#timer.arm(this.#settings.bodyIdleTimeoutMs);
  }

  /** With a reset: an end could be taken for that of the request only. */
  cancel(): void {
    this.#detach();
    if (this.#phase === 'gone') return;
    this.#phase = 'gone';
    this.#transport.reset();
  }

  /** From now on it is not taken for idle, although it is only gone when the system says so. */
  close(): void {
    if (this.#phase === 'gone') return;
    if (this.#phase !== 'connecting') this.#phase = 'gone';
    this.#timer.disarm();
    this.#transport.destroy();
  }

  retire(): void {
    this.#endsMs = Number.NEGATIVE_INFINITY;
    if (this.#phase === 'idle') this.close();
  }

  cut(): void {
    if (this.#phase === 'tunnel') this.#transport.reset();
    else if (this.#exchange === undefined) this.close();
    else this.#fail(new Failure('upstream-closed', `${this.endpoint}: ${CERTIFICATE_REPLACED}`));
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    const { wheel, receivedBytes } = this.#settings;
    wheel.standStill();
    receivedBytes.add(end - start);
    let at = start;
    while (at < end) {
      if (this.#phase === 'head') at = this.#readHead(buffer, at, end);
      else if (this.#phase === 'body') at = this.#readBody(buffer, at, end);
      else {
        // Bytes that answer nothing: the next response on this connection could not be trusted.
        this.close();
        at = end;
      }
    }
    if (this.#phase === 'body') this.#exchange?.answer.flush();
    wheel.goOn();
  }

  onEnd(): void {
    if (this.#phase === 'body' && this.#remaining === UNTIL_CLOSE) {
      this.#complete(false);
    } else if (this.#phase === 'head' || this.#phase === 'body') {
      this.#fail(this.#closedEarly(this.#transport.error));
    } else this.close();
  }

  onDrain(): void {
    this.#transport.unstuck(this.#settings.wheel.nowMs());
    if (this.#phase === 'head' && this.#settings.attemptTimeoutMs === undefined) this.#timer.disarm();
    if (!this.#requestDone) this.#exchange?.answer.bodyDrained();
  }

  onClosed(error: Error | undefined): void {
    const phase = this.#phase;
    this.#phase = 'gone';
    this.#timer.close();
    if (phase === 'connecting') {
      const why = error === undefined ? 'the connection was closed' : error.message;
      this.#owner.connectFailed(this, this.#connectFailure ?? new Failure('connect', why, true, error));
    } else if (this.#exchange !== undefined) {
      this.#phase = phase;
      this.#fail(this.#closedEarly(error));
    }
    this.#owner.gone(this);
  }

  #closedEarly(error: Error | undefined): Failure {
    const when = this.#phase === 'body' ? 'in the middle of the response' : 'before it had answered';
    const text = `${this.endpoint} ended the connection ${when} (${error?.message ?? 'closed'})`;
    const first = this.#exchanges === 0 && this.#phase === 'head' && this.#transport.isTls;
    const tls = first ? this.#settings.tls : undefined;
    return tls?.ended(this.endpoint, text, error) ?? new Failure('upstream-closed', text);
  }

  #timedOut(): void {
    const { connectTimeoutMs, attemptTimeoutMs, bodyIdleTimeoutMs, label } = this.#settings;
    if (this.#phase === 'connecting') {
      this.#connectFailure = new Failure('connect', `no connection within ${connectTimeoutMs} ms`, true);
      this.#transport.destroy();
    } else if (this.#phase === 'head' && attemptTimeoutMs === undefined) {
      if (this.#transport.backlog < this.#unsent) {
        this.#awaitTaking();
        return;
      }
      const text = `${this.endpoint} took nothing of the request body for ${bodyIdleTimeoutMs} ms`;
      this.#fail(new Failure('attempt-timeout', text));
    } else if (this.#phase === 'head') {
      const text = attemptTimeoutText(attemptTimeoutMs ?? 0, label, this.endpoint);
      this.#fail(new Failure('attempt-timeout', text));
    } else if (this.#phase === 'body') {
      const text = `${this.endpoint} sent nothing of the response body for ${bodyIdleTimeoutMs} ms`;
      this.#fail(new Failure('body-timeout', text));
    } else if (this.#phase === 'idle' && !this.#worn) this.#owner.expired(this);
    else {
      if (this.#phase === 'idle') this.#settings.lifetimeClosed?.add(1);
      this.close();
    }
  }

  /** It has been open for as long as it may. */
  get #worn(): boolean {
    return this.#settings.wheel.nowMs() >= this.#endsMs;
  }

  #readHead(buffer: Buffer, at: number, end: number): number {
    const before = this.#partial.length;
    const to = Math.min(end, at + this.#settings.limits.headBytes + 4);
    const text = this.#partial + latin1(buffer, at, to);
    const head = before === 0 ? this.#parser.response(text, buffer, at) : this.#parser.response(text);
    if (head === undefined) {
      this.#partial = text;
      return to;
    }
    this.#partial = '';
    if (head instanceof HeadProblem) {
      this.#fail(this.#badResponse(head.message));
      return end;
    }
    const next = at + this.#parser.end - before;
    if (head.status === 101) return this.#switch(head, buffer, next, end);
    if (head.status < 200) this.#informational(head);
    else this.#begin(head, next < end);
    return next;
  }

  #badResponse(why: string): Failure {
    return new Failure('bad-response', `${this.endpoint} sent a response that is not well-formed: ${why}`);
  }

  #informational(head: ResponseHead): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#informationals++;
    if (this.#informationals > INFORMATIONAL_MAX) {
      this.#fail(this.#badResponse(`more than ${INFORMATIONAL_MAX} informational responses`));
    } else if (head.status !== 100) exchange.answer.informational(head);
  }

  /** What follows a 101 is not HTTP: all of this read has been dealt with. */
  #switch(head: ResponseHead, buffer: Buffer, next: number, end: number): number {
    const exchange = this.#exchange;
    if (exchange === undefined) return end;
    const { upgrade } = exchange.context;
    exchange.switched = switchedTo(head.fields, upgrade);
    if (exchange.switched === undefined) {
      const to = upgrade === undefined ? 'a request without Upgrade' : `a request for ${upgrade} only`;
      this.#fail(this.#badResponse(`101 to ${to}`));
    } else this.#becomeTunnel(exchange, head, { buffer, start: next, end });
    return end;
  }

  #becomeTunnel(exchange: Exchange, head: ResponseHead, early: EarlyBytes | undefined): void {
    this.#phase = 'tunnel';
    this.#timer.disarm();
    exchange.attempt?.responded(exchange, head, 0);
    if (this.#exchange === exchange) exchange.answer.splice(this, early);
  }

  received(bytes: number): void {
    this.#settings.receivedBytes.add(bytes);
  }

  sent(bytes: number): void {
    this.#settings.sentBytes.add(bytes);
  }

  /** The endpoint's side of a tunnel has closed. */
  closed(): void {
    const exchange = this.#exchange;
    this.#detach();
    this.#phase = 'gone';
    this.#timer.close();
    exchange?.attempt?.released(exchange);
    this.#owner.gone(this);
  }

  /** `more`: bytes that follow the head are there already. */
  #begin(head: ResponseHead, more: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const length = responseLength(head.fields, head.minor, head.status, exchange.head.method);
    if (length instanceof HeadProblem) {
      this.#fail(this.#badResponse(length.message));
      return;
    }
    this.#phase = 'body';
    // An HTTP/1.0 request did not ask for the connection to be kept, whatever the version of the answer.
    this.#keepAlive =
      length !== UNTIL_CLOSE && exchange.head.minor === 1 && keepsAlive(head.fields, head.minor);
    this.announcedMs = announcedKeepAliveMs(head.fields) ?? this.announcedMs;
    this.#remaining = length;
    this.#chunks = length === CHUNKED ? new ChunkDecoder() : undefined;
    exchange.attempt?.responded(exchange, head, length);
    if (this.#exchange !== exchange) return; // It has been sent again elsewhere.
    if (length === 0) this.#complete(more);
    else {
      if (length < 0 || length > LARGE_BODY_BYTES) this.#transport.readLarge(true);
      if (!this.#blocked) this.#timer.arm(this.#settings.bodyIdleTimeoutMs);
    }
  }

  #readBody(buffer: Buffer, at: number, end: number): number {
    const exchange = this.#exchange;
    if (exchange === undefined) return end;
    let next = end;
    if (this.#chunks !== undefined) {
      const read = this.#chunks.decode(buffer, at, end, (from, to) =>
        this.#forward(exchange, buffer, from, to),
      );
      if (read instanceof HeadProblem) {
        this.#fail(this.#badResponse(read.message));
        return end;
      }
      next = read;
      if (this.#chunks.done) this.#complete(next < end);
    } else if (this.#remaining === UNTIL_CLOSE) this.#forward(exchange, buffer, at, end);
    else {
      next = Math.min(end, at + this.#remaining);
      this.#remaining -= next - at;
      this.#forward(exchange, buffer, at, next);
      if (this.#remaining === 0 && this.#exchange === exchange) this.#complete(next < end);
    }
    if (this.#phase === 'body' && !this.#blocked) this.#timer.arm(this.#settings.bodyIdleTimeoutMs);
    return next;
  }

  #forward(exchange: Exchange, buffer: Buffer, from: number, to: number): void {
    if (this.#exchange !== exchange) return;
    if (!exchange.answer.data(this.#transport, buffer, from, to)) {
      this.#blocked = true;
      this.#timer.disarm();
      this.#transport.pause();
    }
  }

  /**
   * `leftover`: bytes follow that belong to no answer; the connection cannot be trusted with another request.
   */
  #complete(leftover: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const trailers = this.#chunks?.trailers;
    const worn = this.#worn;
    if (worn) this.#settings.lifetimeClosed?.add(1);
    const intact = this.#keepAlive && this.#requestDone && !leftover;
    const reusable = intact && !worn && this.#transport.flushed && !this.#transport.closed;
    this.#detach();
    this.#exchanges++;
    if (this.#blocked) {
      this.#blocked = false;
      this.#transport.resume();
    }
    this.#transport.readLarge(false);
    exchange.attempt?.released(exchange);
    // Given back before the answer ends: a pipelined request of the same caller may follow at once.
    if (reusable) {
      this.#phase = 'idle';
      this.#owner.idle(this);
    } else this.close();
    exchange.answer.end(trailers);
  }

  #detach(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#chunks = undefined;
    this.#partial = '';
    this.#timer.disarm();
    if (exchange !== undefined) exchange.session = undefined;
  }

  /** The exchange cannot be completed here: closes, and tells the stage that made the attempt. */
  #fail(failure: Failure): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const started = this.#phase === 'body';
    // Not a byte of an answer to this request has been seen on a connection that had worked before.
    exchange.staleSession =
      failure.kind === 'upstream-closed' &&
      !started &&
      this.#exchanges > 0 &&
      this.#partial === '' &&
      this.#informationals === 0;
    this.#detach();
    this.close();
    if (started) {
      exchange.attempt?.released(exchange);
      exchange.answer.abort(failure);
    } else exchange.attempt?.failed(exchange, failure);
  }
}
