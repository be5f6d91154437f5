/**
 * What one caller may cost a listener in time and memory while its requests are read, and how often which
 * limit was reached: `limits/...` of the server.
 */
import type { ServerSpec } from '../../config/spec.ts';
import type { Counter, Gauge, Scope } from '../../src/base/stats.ts';
import type { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { Exchange } from '../exchange.ts';
import type { CallerSide } from './caller-side.ts';
import { HeadProblem } from './head-parser.ts';
import type { RequestBody } from './request-body.ts';
import { endsAtMs } from './session-limits.ts';

/** Of what all bodies together may take, so much is for one. */
const ONE_PART = 8;

export class CallerLimits {
  readonly headTimeouts: Counter;
  readonly #idleTimeouts: Counter;
  readonly bodyTimeouts: Counter;
  readonly readerTimeouts: Counter;
  readonly headSizes: Counter;
  readonly #bodyRates: Counter;
  readonly #bufferedOver: Counter;
  readonly #bufferedBytes: Gauge;
  readonly #idle: Counter;
  /** Made when there is a limit. */
  #lifetime: Counter | undefined;
  readonly #stats: Scope;
  #spec: ServerSpec;
  readonly #wheel: TimerWheel;
  readonly #threads: number;
  #bufferedMax = 0;
  #buffered = 0;

  constructor(spec: ServerSpec, wheel: TimerWheel, stats: Scope, threads: number) {
    const limits = stats.scope('limits');
    this.#stats = stats;
    this.#spec = spec;
    this.#wheel = wheel;
    this.#threads = threads;
    this.headTimeouts = limits.counter('head_timeout');
    this.#idleTimeouts = limits.counter('idle_timeout');
    this.bodyTimeouts = limits.counter('body_timeout');
    this.readerTimeouts = limits.counter('reader_timeout');
    this.headSizes = limits.counter('head_size');
    this.#bodyRates = limits.counter('body_rate');
    this.#bufferedOver = limits.counter('buffered');
    this.#bufferedBytes = stats.gauge('buffered_bytes');
    this.#idle = stats.counter('idle');
    this.configure(spec);
  }

  configure(spec: ServerSpec): void {
    this.#spec = spec;
    this.#bufferedMax = Math.ceil(spec.maxBufferedBytes / this.#threads);
    if (spec.lifeTimeMs !== undefined) this.#lifetime ??= this.#stats.counter('lifetime');
  }

  /** Whether the life of a connection is over, so that it is closed: that is counted. */
  worn(openedMs: number): boolean {
    if (this.#wheel.nowMs() < endsAtMs(this.#spec, openedMs)) return false;
    this.#lifetime?.add(1);
    return true;
  }

  /** Closes the connection of a caller that asks for nothing; `fresh`: it has never asked. */
  silent(caller: CallerSide & { readonly openedMs: number }, fresh: boolean): void {
    (fresh ? this.headTimeouts : this.#idleTimeouts).add(1);
    if (!this.worn(caller.openedMs)) this.#idle.add(1);
    caller.close();
  }

  /** So many bytes more of a body have come. An application that answers meanwhile may take its time. */
  bodyCame(exchange: Exchange, body: RequestBody, bytes: number): HeadProblem | undefined {
    if (exchange.counted) return undefined;
    const { minBodyBytesPerSec, bodyIdleTimeoutMs } = this.#spec;
    if (body.collects) {
      exchange.bufferedBytes += bytes;
      this.#buffered += bytes;
      this.#bufferedBytes.add(bytes);
      const one = exchange.bufferedBytes > this.#bufferedMax / ONE_PART;
      if (one || this.#buffered > this.#bufferedMax) {
        this.#bufferedOver.add(1);
        return one
          ? new HeadProblem(413, 'the request body is longer than may be held in memory')
          : new HeadProblem(503, 'the bodies of requests take all the memory that they may take');
      }
    }
    if (!body.tooSlow(bytes, this.#wheel.nowMs(), minBodyBytesPerSec, bodyIdleTimeoutMs)) return undefined;
    this.#bodyRates.add(1);
    return new HeadProblem(408, `the request body came at less than ${minBodyBytesPerSec} bytes a second`);
  }

  /** Nothing of the body is needed any more. */
  ended(exchange: Exchange): void {
    if (exchange.bufferedBytes === 0) return;
    this.#buffered -= exchange.bufferedBytes;
    this.#bufferedBytes.add(-exchange.bufferedBytes);
    exchange.bufferedBytes = 0;
  }
}
