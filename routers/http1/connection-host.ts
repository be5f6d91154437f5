/** What a connection of a caller knows of the listener that it belongs to. */
import type { ServerSpec } from '../../config/spec.ts';
import type { Failure } from '../../src/base/failure.ts';
import type { Counter } from '../../src/base/stats.ts';
import type { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { Answer, Exchange } from '../exchange.ts';
import type { ResponseHead } from '../head.ts';
import type { GeneratedResponse } from '../respond/error-response.ts';
import type { HeadLimits } from './limits.ts';

export interface ConnectionHost {
  readonly spec: ServerSpec;
  readonly limits: HeadLimits;
  readonly wheel: TimerWheel;
  readonly receivedBytes: Counter;
  readonly sentBytes: Counter;
  /** What follows the fields of an answer after which the connection stays open, the empty line included. */
  readonly keepAliveEnding: string;
  /**
   * True when a body of this length (bytes or CHUNKED) is to be collected before the request is forwarded.
   */
  buffers(length: number): boolean;
  route(exchange: Exchange): void;
  /** The head of the answer is about to be written. */
  answered(exchange: Exchange, response: ResponseHead): void;
  /** Once for every exchange, after its answer or when the caller has gone. */
  ended(exchange: Exchange): void;
  /** A request that was answered without having been routed. */
  refused(status: number): void;
  failureResponse(exchange: Exchange, failure: Failure): GeneratedResponse;
  closed(connection: Answer, openMs: number): void;
}

/** What follows the fields of an answer after which the connection is closed. */
export const CLOSE_ENDING = 'Connection: close\r\n\r\n';
