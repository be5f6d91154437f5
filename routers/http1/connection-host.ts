/** What a connection of a caller knows of the listener that it belongs to. */
import type { ServerSpec } from '../../config/spec.ts';
import type { Closable } from '../../src/base/closable.ts';
import type { Failure } from '../../src/base/failure.ts';
import type { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { ConnectionStats } from '../connection-stats.ts';
import type { EarlyBytes, Exchange, TunnelEnd } from '../exchange.ts';
import type { RequestHead, ResponseHead } from '../head.ts';
import type { GeneratedResponse } from '../respond/error-response.ts';
import type { CallerLimits } from './caller-limits.ts';
import type { CallerSide } from './caller-side.ts';
import type { ConnectTarget } from './connect-target.ts';
import type { HeadLimits } from './limits.ts';
import type { Transport, TransportOwner } from './transport.ts';
import type { TunnelStats } from './tunnel-stats.ts';

/** What stays the same when one of them takes the place of another. */
export interface Caller extends CallerSide {
  readonly transport: Transport;
  readonly presentedCert: string | undefined;
  readonly openedMs: number;
}

/** `authority`: it is inside a tunnel, and this is the Host of a request that has none. */
export type CallerIdentity = {
  readonly presentedCert: string | undefined;
  readonly openedMs: number;
  readonly authority: string | undefined;
};

/** Gets the rest of a read that another has begun. */
export interface Successor extends CallerSide, TransportOwner {
  /** Bytes that have been counted already. */
  early(buffer: Buffer, start: number, end: number): void;
}

export type Upgraded = {
  readonly from: Caller;
  readonly exchange: Exchange;
  readonly said: Buffer | undefined;
  readonly peerEnded: boolean;
};

export interface ConnectionHost {
  readonly spec: ServerSpec;
  readonly limits: HeadLimits;
  readonly callers: CallerLimits;
  readonly wheel: TimerWheel;
  readonly traffic: ConnectionStats;
  /** What follows the fields of an answer after which the connection stays open, the empty line included. */
  readonly keepAliveEnding: string;
  /**
   * True when a body of this length (bytes or CHUNKED) is to be collected before the request is forwarded.
   */
  buffers(length: number): boolean;
  route(exchange: Exchange): void;
  /** The head of the answer is about to be written; `length` is that of its body, as framed upstream. */
  answered(exchange: Exchange, response: ResponseHead, length: number): void;
  /** Once for every exchange, after its answer or when the caller has gone. */
  ended(exchange: Exchange): void;
  /** A request that was answered without having been routed. */
  refused(status: number): void;
  failureResponse(exchange: Exchange, failure: Failure): GeneratedResponse;
  closed(side: CallerSide, transport: Transport, openedMs: number): void;
  readonly tunnels: TunnelStats;
  /** Tells, at once or later, why a CONNECT is refused; undefined: it is not. */
  mayConnect(target: ConnectTarget, tell: (refusal: string | undefined) => void): Closable;
  /** Answers a CONNECT that may be; `early` is what has been said behind it. */
  connected(from: Caller, head: RequestHead, early: Buffer | undefined, peerEnded: boolean): Successor;
  /** HTTP is spoken in a CONNECT to `authority`; `early` is what has been said. */
  speaksHttp(from: Caller, authority: string, early: Buffer | undefined, peerEnded: boolean): void;
  /** A 101 has been written. `said` is what the caller has sent behind its request, `early` the endpoint. */
  upgraded(from: Upgraded, far: TunnelEnd, early: EarlyBytes | undefined): void;
  /** The last answer has been written. */
  lingers(from: Caller): Successor;
}

/** What follows the fields of an answer after which the connection is closed. */
export const CLOSE_ENDING = 'Connection: close\r\n\r\n';
