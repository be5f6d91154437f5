/**
 * Stands between the session and the caller of a TRACE that asks for routing details (`l5d-add-context:
 * true`): the answer is collected and goes on with the details appended. One whose length is not known, or
 * that is long, is replaced by its head as text.
 */
import type { Failure } from '../../src/base/failure.ts';
import type { Answer, EarlyBytes, Exchange, TunnelEnd } from '../exchange.ts';
import type { Fields } from '../fields.ts';
import type { ResponseHead } from '../head.ts';
import { discardedBody, type RoutingDetails, withRouting } from '../respond/diagnostics.ts';

const COLLECTED_BYTES_MAX = 65536;

export class TracedAnswer implements Answer {
  readonly inner: Answer;
  readonly #exchange: Exchange;
  readonly #details: () => RoutingDetails;
  #response: ResponseHead | undefined;
  #pieces: Buffer[] = [];
  #discards = false;

  constructor(inner: Answer, exchange: Exchange, details: () => RoutingDetails) {
    this.inner = inner;
    this.#exchange = exchange;
    this.#details = details;
  }

  get peer(): string {
    return this.inner.peer;
  }

  get presentedCert(): string | undefined {
    return this.inner.presentedCert;
  }

  start(response: ResponseHead, length: number): void {
    this.#response = response;
    this.#pieces = [];
    this.#discards = length < 0 || length > COLLECTED_BYTES_MAX;
  }

  data(_source: unknown, buffer: Buffer, start: number, end: number): boolean {
    if (!this.#discards) this.#pieces.push(Buffer.from(buffer.subarray(start, end)));
    return true;
  }

  end(trailers: Fields | undefined): void {
    const response = this.#response;
    if (response === undefined) return;
    const body = this.#discards
      ? discardedBody(response.status, response.fields)
      : Buffer.concat(this.#pieces).toString('utf8');
    const bytes = Buffer.from(withRouting(body, this.#details()), 'utf8');
    this.inner.start(response, bytes.length);
    if (this.#exchange.over) return;
    this.inner.data(undefined, bytes, 0, bytes.length);
    this.inner.end(trailers);
  }

  /** Nothing is sent before all of it is here. */
  flush(): void {}

  informational(response: ResponseHead): void {
    this.inner.informational(response);
  }

  fail(failure: Failure): void {
    this.inner.fail(failure);
  }

  /** A TRACE asks for no other protocol; nor is it a stream. */
  splice(far: TunnelEnd, early: EarlyBytes | undefined): void {
    this.inner.splice(far, early);
  }

  /** The caller has not seen anything yet. */
  abort(failure: Failure): void {
    this.#exchange.routed = false;
    this.inner.fail(failure);
  }

  bodyWanted(): void {
    this.inner.bodyWanted();
  }

  bodyDrained(): void {
    this.inner.bodyDrained();
  }
}
