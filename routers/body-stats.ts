/**
 * Sizes of bodies and of the dtabs that come with requests, and streamed bodies, kept alike by servers and
 * clients.
 */
import type { Counter, Gauge, Scope, Stat } from '../src/base/stats.ts';
import { BodyKind, type Exchange, Opaque } from './exchange.ts';
import { noOverride } from './headers/local-dtab.ts';

/** `stream/request/…` or `stream/response/…` */
class StreamStats {
  readonly #opened: Counter;
  readonly #closed: Counter;
  readonly #pending: Gauge;
  readonly #durationMs: Stat;

  constructor(scope: Scope) {
    this.#opened = scope.counter('opened');
    this.#closed = scope.counter('closed');
    this.#pending = scope.gauge('pending');
    this.#durationMs = scope.stat('duration_ms');
  }

  open(): void {
    this.#opened.add(1);
    this.#pending.add(1);
  }

  close(durationMs: number): void {
    this.#closed.add(1);
    this.#pending.add(-1);
    this.#durationMs.observe(durationMs);
  }
}

export class BodyStats {
  readonly #scope: Scope;
  readonly #requestBytes: Stat;
  readonly #responseBytes: Stat;
  /** Made when there is something to count: most names never see a stream or a dtab. */
  #requests: StreamStats | undefined;
  #responses: StreamStats | undefined;
  #dtabSize: Stat | undefined;

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#requestBytes = scope.stat('request_payload_bytes');
    this.#responseBytes = scope.stat('response_payload_bytes');
  }

  /** A request or an attempt begins. */
  begins({ bodyKind }: Exchange): void {
    if (bodyKind === BodyKind.streamed) this.#requestStreams().open();
  }

  /** A streamed body follows a response. Returns the time, to be noted in the exchange. */
  responseBegins(nowMs: number): number {
    this.#responses ??= new StreamStats(this.#scope.scope('stream', 'response'));
    this.#responses.open();
    return nowMs;
  }

  /** What `begins` began is over, for the caller. */
  ends(exchange: Exchange, nowMs: number): void {
    this.#end(exchange, exchange.startedMs, exchange.answerStreamMs, nowMs);
    if (exchange.counted && exchange.opaque === Opaque.none) this.#sizes(exchange);
  }

  /** What `begins` began is over, for the endpoint; there may be another attempt. */
  attemptEnds(exchange: Exchange, nowMs: number): void {
    this.#end(exchange, exchange.attemptStartedMs, exchange.attemptStreamMs, nowMs);
    exchange.attemptStreamMs = undefined;
    if (exchange.attemptRecorded && exchange.opaque === Opaque.none) this.#sizes(exchange);
  }

  #end(exchange: Exchange, beganMs: number, streamMs: number | undefined, nowMs: number): void {
    const { bodyKind, requestEndedMs, context } = exchange;
    if (bodyKind === BodyKind.streamed) {
      this.#requestStreams().close(Math.max(0, (requestEndedMs ?? nowMs) - beganMs));
    }
    if (streamMs !== undefined) this.#responses?.close(nowMs - streamMs);
    if (context.localDtab === noOverride) return;
    this.#dtabSize ??= this.#scope.stat('dtab', 'size');
    this.#dtabSize.observe(context.localDtab.dtab.length);
  }

  /** Of the bodies as far as they have been sent on. */
  #sizes({ bodyKind, body, requestBytes, responseBytes }: Exchange): void {
    this.#requestBytes.observe(bodyKind === BodyKind.streamed ? requestBytes : body.length);
    this.#responseBytes.observe(responseBytes);
  }

  #requestStreams(): StreamStats {
    this.#requests ??= new StreamStats(this.#scope.scope('stream', 'request'));
    return this.#requests;
  }
}
