/**
 * One request on its way through the router: the same object from the moment its head is read until its
 * answer has been sent. The parties know each other through the interfaces here: the Answer (the caller's
 * connection), the stages (service path, client), and the Session (a connection to an endpoint). Nothing here
 * is a promise: a response is handled inside the read callback that brought it, while its bytes are still in
 * the shared buffer.
 */
import type { Closable } from '../src/base/closable.ts';
import type { Failure, FailureKind } from '../src/base/failure.ts';
import type { ResponseClass } from './classify/http.ts';
import type { Fields } from './fields.ts';
import type { RequestHead, ResponseHead } from './head.ts';
import type { ClientFields } from './headers/emit.ts';
import { RequestContext } from './headers/request-context.ts';
import type { TracePropagator } from './headers/trace.ts';
import type { Source } from './http1/caller-side.ts';
import type { Transport } from './http1/transport.ts';
import type { RequestStats } from './request-stats.ts';
import type { ToldEndpoint } from './tap/told-endpoint.ts';

/** One end of a tunnel: a connection that carries messages no longer. */
export interface TunnelEnd {
  readonly transport: Transport;
  /** Bytes have come from it; bytes are being written to it. */
  received(bytes: number): void;
  sent(bytes: number): void;
  /** Once, when its transport has closed. */
  closed(): void;
}

/** Bytes that were read before a tunnel began; the memory may be used again after the call. */
export type EarlyBytes = { readonly buffer: Buffer; readonly start: number; readonly end: number };

/** Where the request comes from and the answer goes to. Calls after the exchange has ended have no effect. */
export interface Answer {
  /** The caller's address as `ip:port`, for messages. */
  readonly peer: string;
  /** Value of `x-forwarded-client-cert` for the certificate that the caller presented. */
  readonly presentedCert: string | undefined;
  /**
   * The final response; `length` is that of its body as it was framed upstream. Nothing is on the wire yet.
   */
  start(response: ResponseHead, length: number): void;
  /**
   * False: stop until the session's `answerDrained` is called. `source` is what read the bytes, if a socket
   * did.
   */
  data(source: Transport | undefined, buffer: Buffer, start: number, end: number): boolean;
  end(trailers: Fields | undefined): void;
  /** Sends what `start` has held back to join it with the body. */
  flush(): void;
  /** A response with a status 1xx. */
  informational(response: ResponseHead): void;
  /** After `start`: from now on both connections are one stream of bytes (after a 101, or in a CONNECT). */
  splice(far: TunnelEnd, early: EarlyBytes | undefined): void;
  /** The router's own answer: nothing has been started. */
  fail(failure: Failure): void;
  /** The response that was started cannot be completed: the caller must see that. */
  abort(failure: Failure): void;
  /** The session takes the body of the request from now on (only for a streamed one). */
  bodyWanted(): void;
  /** The session can take more of the request's body. */
  bodyDrained(): void;
}

/** A connection to an endpoint, while it carries an exchange. */
export interface Session {
  /** A piece of a streamed request body; false: stop until `bodyDrained`. */
  bodyData(source: Transport, buffer: Buffer, start: number, end: number): boolean;
  bodyEnd(trailers: Fields | undefined): void;
  answerDrained(): void;
  /** Gives the exchange up: the connection is closed, nothing is told. */
  cancel(): void;
}

/** The stage that makes attempts (a client): told how each of them went. */
export interface AttemptStage {
  responded(exchange: Exchange, response: ResponseHead, length: number): void;
  failed(exchange: Exchange, failure: Failure): void;
  /** The session has let go of the exchange, after a response or a failure in the middle of one. */
  released(exchange: Exchange): void;
  /** The exchange is given up, wherever it is: on a session, or waiting for one. */
  cancelled(exchange: Exchange): void;
}

/** The stage above binding (a service path): decides whether an outcome is the answer. */
export interface ServiceStage {
  /** The printed service name. */
  readonly name: string;
  /** The same as stories have it, once one has been told. */
  told: Uint8Array | undefined;
  classify(exchange: Exchange, response: ResponseHead): ResponseClass;
  classifyFailure(exchange: Exchange, failure: Failure): ResponseClass;
  settleResponse(exchange: Exchange, response: ResponseHead, length: number): void;
  settleFailure(exchange: Exchange, failure: Failure): void;
  /** Begins anew with an exchange that nothing has been done for. */
  resume(exchange: Exchange): void;
  /** The caller has gone, or the answer is complete: the exchange is over. */
  ended(exchange: Exchange): void;
}

/** What an attempt holds of an endpoint. */
export interface LoadedEndpoint {
  readonly name: string;
}

/** What is noted of a request while somebody listens (routers/tap). */
export interface StoryNotes {
  /** An attempt begins. */
  tried(at: ToldEndpoint, nowMs: number): void;
  /** The last attempt has a response, or has failed. */
  responded(status: number, nowMs: number): void;
  attemptFailed(failure: FailureKind, nowMs: number): void;
  /** The router answers in the place of an endpoint. */
  failed(failure: Failure): void;
  /** The head of the answer is about to be written. */
  answered(status: number, fields: Fields, nowMs: number): void;
  /** The exchange is over. */
  finish(): void;
}

export const BodyKind = { none: 0, buffered: 1, streamed: 2 } as const;

/** A stream inside a CONNECT instead of a request; `tls`: the two ends encrypt it between themselves. */
export const Opaque = { none: 0, other: 1, tls: 2 } as const;

export class Exchange {
  readonly head: RequestHead;
  /** A stage may put itself between (a TRACE whose answer gets details appended). */
  answer: Answer;
  readonly startedMs: number;
  /** One of BodyKind. */
  bodyKind: number = BodyKind.none;
  /** The whole body when it is buffered. */
  body: string | Buffer = '';
  /** Of the body that is collected, as counted by the server. */
  bufferedBytes = 0;
  /** Of a streamed body: bytes, or CHUNKED. */
  bodyLength = 0;
  readonly context = new RequestContext();
  /** One of Opaque: what is sent is not the head, but what the caller says in its tunnel. */
  opaque: number = Opaque.none;
  /** The protocols that the endpoint has switched to with its 101. */
  switched: string | undefined;

  service: ServiceStage | undefined;
  attempt: AttemptStage | undefined;
  session: Session | undefined;
  endpoint: LoadedEndpoint | undefined;
  propagator: TracePropagator | undefined;
  /** What the service path and the client in use add to the request. */
  clientFields: ClientFields | undefined;
  /** Host to send instead of the caller's. */
  authority: string | undefined;
  /** Class of the response that is being answered with, and the Via that it came with. */
  responseClass: ResponseClass = 'success';
  responseVia: string | undefined;
  /** The answer comes from an upstream. */
  routed = false;
  /** The endpoint of the last attempt, for messages. */
  selected: string | undefined;
  attemptStartedMs = 0;
  /** The attempt's outcome has been counted. */
  attemptRecorded = false;
  /** The attempt is the one by which a dead endpoint is tried. */
  probe = false;
  /** Where attempts of this service path are counted at the client. */
  byService: RequestStats | undefined;
  /** Times that the request was sent again without counting as a retry. */
  requeues = 0;
  retries = 0;
  /** The wait before the last retry. */
  backoffMs: number | undefined;
  /** It would have been tried again if the budget had allowed it. */
  exhausted = false;
  /** Where it comes from, when the server limits how many requests are in progress. */
  source: Source | undefined;
  /** The server has begun to count it; it has counted the outcome; the service path has. */
  admitted = false;
  counted = false;
  recorded = false;
  /** The service path is handing it to a client: what comes back within that call would come back again. */
  attempting = false;
  /**
   * The connection of the failed attempt had been used before: the endpoint may have closed it while it was
   * idle.
   */
  staleSession = false;
  resent = false;
  /** The server's time limit, for the deadline that the next hop is told. */
  serverTimeoutMs: number | undefined;
  /** When the earlier of the total and the server's time limit is over. */
  dueMs = Number.POSITIVE_INFINITY;
  /** Stop the total and the server's time limit, and the wait before a retry. */
  totalTimer: Closable | undefined;
  serverTimer: Closable | undefined;
  retryTimer: Closable | undefined;
  /** Noted while somebody listens to requests. */
  story: StoryNotes | undefined;
  /** Bytes of the body that were sent on as a stream, and bytes of the answer's body. */
  requestBytes = 0;
  responseBytes = 0;
  /** When the last of a streamed request body had come. */
  requestEndedMs: number | undefined;
  /** When a streamed answer began: the caller's, and that of the attempt. */
  answerStreamMs: number | undefined;
  attemptStreamMs: number | undefined;
  /** The caller has gone or the answer is complete. */
  over = false;

  constructor(head: RequestHead, answer: Answer, startedMs: number) {
    this.head = head;
    this.answer = answer;
    this.startedMs = startedMs;
  }

  /** True when the whole request is in memory, so that it can be sent again. */
  get replayable(): boolean {
    return this.bodyKind !== BodyKind.streamed;
  }
}
