/**
 * One HTTP/1 connection of a caller. Requests are read strictly, handled one at a time in the order they came
 * (pipelined ones wait unread), and each gets exactly one answer. One timer covers the phases: head, body, idle, an
 * answer that the caller does not take.
 */

import type { ServerSpec } from '../../config/spec.ts';
import type { Failure } from '../../src/base/failure.ts';
import { latin1 } from '../../src/base/latin1.ts';
import type { Counter } from '../../src/base/stats.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';
import { type Answer, BodyKind, Exchange, type RequestHead, type ResponseHead } from '../exchange.ts';
import { Field, Fields } from '../fields.ts';
import { clearResponseContext } from '../headers/clear-context.ts';
import type { ForwardedLine } from '../headers/forwarded.ts';
import type { GeneratedResponse } from '../respond/error-response.ts';
import { reasonPhrase } from '../respond/reason-phrase.ts';
import { BodyBuffer } from './body-buffer.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import { keepsAlive } from './connection-header.ts';
import { CHUNKED, declaredLength, UNTIL_CLOSE } from './framing.ts';
import { HeadParser, HeadProblem } from './head-parser.ts';
import type { HeadLimits } from './limits.ts';
import { checkRequest } from './request-check.ts';
import { informationalText, responseHeadText, trailersText } from './serialize.ts';
import type { Transport, TransportOwner } from './transport.ts';

/** Answers up to this length leave in one write together with their head. */
const JOINED_BYTES_MAX = 8192;
const LARGE_BODY_BYTES = 16384;
/** What is still read and thrown away of a request whose answer was given early, so that the caller gets the answer. */
const LINGER_BYTES_MAX = 1 << 20;
const LINGER_MS = 2000;

/** The listener that connections belong to. */
export interface ConnectionHost {
  readonly spec: ServerSpec;
  readonly limits: HeadLimits;
  readonly wheel: TimerWheel;
  readonly receivedBytes: Counter;
  readonly sentBytes: Counter;
  /** What follows the fields of an answer after which the connection stays open, the empty line included. */
  readonly keepAliveEnding: string;
  /** True when a body of this length (bytes or CHUNKED) is to be collected before the request is forwarded. */
  buffers(length: number): boolean;
  route(exchange: Exchange): void;
  /** The head of the answer is about to be written. */
  answered(exchange: Exchange, response: ResponseHead): void;
  /** Once for every exchange that was routed, after its answer or when the caller has gone. */
  ended(exchange: Exchange): void;
  /** A request that never became an exchange. */
  refused(status: number): void;
  failureResponse(exchange: Exchange, failure: Failure): GeneratedResponse;
  closed(connection: ServerConnection, openMs: number): void;
}

const CLOSE_ENDING = 'Connection: close\r\n\r\n';

/**
 * idle: between requests. head: part of a head is there. body: the request's body is being read. answer: the request is
 * complete, its answer is not. linger: the last answer is sent, what the caller still sends is thrown away.
 */
type Phase = 'idle' | 'head' | 'body' | 'answer' | 'linger' | 'gone';

export class ServerConnection implements TransportOwner, Answer {
  readonly #server: ConnectionHost;
  readonly #transport: Transport;
  readonly #parser: HeadParser;
  readonly #timer: WheelTimer;
  readonly #openedMs: number;
  #phase: Phase = 'idle';
  #partial = '';
  /** Bytes of later requests, while one is being answered. */
  #held: Buffer | undefined;
  #feeding = false;
  #exchange: Exchange | undefined;
  #chunks: ChunkDecoder | undefined;
  #remaining = 0;
  #bodyBuffer: BodyBuffer | undefined;
  /** The session takes body bytes; until then they are held back. */
  #bodyWanted = false;
  #keepAlive = true;
  #responseStarted = false;
  #responseDone = false;
  /** Head of the answer, until there is something to join it with. */
  #headText = '';
  #chunkedAnswer = false;
  #bodyless = false;
  #blocked = false;
  #peerEnded = false;
  #draining = false;
  #lingered = 0;
  #bodyBlocked = false;
  readonly presentedCert: string | undefined;
  /** Labels of `Forwarded` that last as long as the connection. */
  forwarded: ForwardedLine | undefined;

  constructor(
    server: ConnectionHost,
    presentedCert: string | undefined,
    open: (owner: TransportOwner) => Transport,
  ) {
    this.#server = server;
    this.presentedCert = presentedCert;
    this.#parser = new HeadParser(server.limits);
    this.#timer = server.wheel.timer(() => this.#timedOut());
    this.#openedMs = server.wheel.nowMs();
    this.#timer.arm(server.spec.headTimeoutMs);
    this.#transport = open(this);
  }

  get transport(): Transport {
    return this.#transport;
  }

  get peer(): string {
    const { remoteAddress, remotePort } = this.#transport.socket;
    return `${remoteAddress ?? 'unknown'}:${remotePort ?? 0}`;
  }

  /** No new request is read; a request in progress is answered first. */
  drain(): void {
    this.#draining = true;
    if (this.#phase === 'idle') this.#transport.end();
  }

  close(): void {
    this.#transport.destroy();
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    this.#server.receivedBytes.add(end - start);
    this.#feed(buffer, start, end);
  }

  #feed(buffer: Buffer, start: number, end: number): void {
    let at = start;
    this.#feeding = true;
    while (at < end) {
      const phase: Phase = this.#phase;
      if (phase === 'idle' || phase === 'head') at = this.#readHead(buffer, at, end);
      else if (phase === 'body') at = this.#readBody(buffer, at, end);
      else if (phase === 'answer') {
        this.#held = Buffer.from(buffer.subarray(at, end));
        this.#transport.pause();
        break;
      } else {
        this.#linger(end - at);
        break;
      }
    }
    this.#feeding = false;
  }

  onEnd(): void {
    this.#peerEnded = true;
    if (this.#phase === 'body') {
      this.#giveUp();
      this.close();
    } else if (this.#phase !== 'answer') this.#transport.end();
  }

  onDrain(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    if (this.#phase === 'answer') this.#timer.disarm();
    this.#exchange?.session?.answerDrained();
  }

  onClosed(): void {
    this.#phase = 'gone';
    this.#timer.close();
    this.#held = undefined;
    this.#giveUp();
    this.#server.closed(this, this.#server.wheel.nowMs() - this.#openedMs);
  }

  /** The caller has gone: the exchange is cancelled. */
  #giveUp(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    this.#releaseBody();
    exchange.over = true;
    exchange.attempt?.cancelled(exchange);
    exchange.service?.ended(exchange);
    this.#server.ended(exchange);
  }

  #timedOut(): void {
    if (this.#phase === 'head') this.#refuse(408, 'the request head did not arrive in time');
    else if (this.#blocked) this.#transport.reset();
    else if (this.#phase === 'body' && !this.#responseStarted) {
      this.#giveUp();
      this.#refuse(408, `nothing of the request body arrived for ${this.#server.spec.bodyIdleTimeoutMs} ms`);
    } else this.close();
  }

  #readHead(buffer: Buffer, at: number, end: number): number {
    if (this.#draining && this.#phase === 'idle') {
      this.#phase = 'linger';
      return end;
    }
    const before = this.#partial.length;
    const to = Math.min(end, at + this.#server.limits.headBytes + 8);
    const text = before === 0 ? latin1(buffer, at, to) : this.#partial + latin1(buffer, at, to);
    const head = this.#parser.request(text);
    if (head === undefined) {
      if (this.#phase === 'idle') {
        this.#phase = 'head';
        this.#timer.arm(this.#server.spec.headTimeoutMs);
      }
      this.#partial = text;
      return to;
    }
    this.#partial = '';
    if (head instanceof HeadProblem) {
      this.#refuse(head.status, head.message);
      return end;
    }
    this.#begin(head, to < end || text.length > this.#parser.end);
    return at + this.#parser.end - before;
  }

  /** `more`: bytes that follow the head are there already. */
  #begin(head: RequestHead, more: boolean): void {
    const server = this.#server;
    const length = declaredLength(head.fields, head.minor);
    const problem = length instanceof HeadProblem ? length : checkRequest(head);
    if (problem !== undefined) {
      this.#refuse(problem.status, problem.message);
      return;
    }
    const bytes = (length ?? 0) as number;
    this.#keepAlive = keepsAlive(head.fields, head.minor);
    this.#responseStarted = false;
    this.#responseDone = false;
    const exchange = new Exchange(head, this, server.wheel.nowMs());
    this.#exchange = exchange;
    if (head.fields.mayHave(Field.expect)) {
      if (head.minor === 1 && bytes !== 0 && !more) this.#transport.write('HTTP/1.1 100 Continue\r\n\r\n');
    }
    if (bytes === 0) {
      this.#phase = 'answer';
      this.#timer.disarm();
      server.route(exchange);
      return;
    }
    this.#phase = 'body';
    this.#timer.arm(server.spec.bodyIdleTimeoutMs);
    this.#remaining = bytes;
    this.#chunks = bytes === CHUNKED ? new ChunkDecoder() : undefined;
    this.#bodyWanted = false;
    this.#bodyBlocked = false;
    if (server.buffers(bytes)) {
      this.#bodyBuffer = new BodyBuffer();
      return;
    }
    exchange.bodyKind = BodyKind.streamed;
    exchange.bodyLength = bytes;
    server.route(exchange);
    // Until a session wants the body nothing of it is read; what this read brought along is held.
  }

  #readBody(buffer: Buffer, at: number, end: number): number {
    const exchange = this.#exchange;
    if (exchange === undefined) return end;
    if (this.#bodyBuffer === undefined && !this.#bodyWanted) {
      this.#held = Buffer.from(buffer.subarray(at, end));
      this.#transport.pause();
      return end;
    }
    let next = end;
    if (this.#chunks !== undefined) {
      const read = this.#chunks.decode(buffer, at, end, (from, to) =>
        this.#bodyPiece(exchange, buffer, from, to),
      );
      if (read instanceof HeadProblem) {
        this.#badBody(read);
        return end;
      }
      next = read;
      if (this.#chunks.done) this.#bodyComplete(exchange);
    } else {
      next = Math.min(end, at + this.#remaining);
      this.#remaining -= next - at;
      this.#bodyPiece(exchange, buffer, at, next);
      if (this.#remaining === 0) this.#bodyComplete(exchange);
    }
    if (this.#phase === 'body' && !this.#bodyBlocked) this.#timer.arm(this.#server.spec.bodyIdleTimeoutMs);
    return next;
  }

  #bodyPiece(exchange: Exchange, buffer: Buffer, from: number, to: number): void {
    if (this.#bodyBuffer !== undefined) {
      this.#bodyBuffer.add(buffer, from, to);
      return;
    }
    const session = exchange.session;
    if (session !== undefined && !session.bodyData(this.#transport, buffer, from, to)) {
      this.#bodyBlocked = true;
      this.#transport.pause();
      this.#timer.disarm();
    }
  }

  #bodyComplete(exchange: Exchange): void {
    const trailers = this.#chunks?.trailers;
    const buffered = this.#bodyBuffer;
    this.#chunks = undefined;
    this.#phase = 'answer';
    this.#timer.disarm();
    if (buffered !== undefined) {
      this.#bodyBuffer = undefined;
      exchange.bodyKind = BodyKind.buffered;
      exchange.body = buffered.take();
      this.#server.route(exchange);
      return;
    }
    this.#transport.readLarge(false);
    exchange.session?.bodyEnd(trailers);
    if (this.#responseDone) this.#finish();
  }

  /** The body breaks the framing rules: what was sent on cannot be completed, and nothing after it can be trusted. */
  #badBody(problem: HeadProblem): void {
    const started = this.#responseStarted;
    this.#giveUp();
    if (started) this.#transport.reset();
    else this.#refuse(problem.status, problem.message);
  }

  #releaseBody(): void {
    this.#chunks = undefined;
    this.#bodyBuffer = undefined;
    this.#transport.readLarge(false);
  }

  bodyWanted(): void {
    if (this.#phase !== 'body') return;
    this.#bodyWanted = true;
    if (this.#remaining === CHUNKED || this.#remaining > LARGE_BODY_BYTES) this.#transport.readLarge(true);
    if (!this.#feeding) this.#resume();
  }

  bodyDrained(): void {
    if (this.#phase !== 'body' || !this.#bodyBlocked) return;
    this.#bodyBlocked = false;
    this.#timer.arm(this.#server.spec.bodyIdleTimeoutMs);
    this.#resume();
  }

  /** Goes on with what was held back, then with reading. */
  #resume(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#feed(held, 0, held.length);
    if (this.#held === undefined && this.#phase !== 'gone') this.#transport.resume();
  }

  start(response: ResponseHead, length: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#responseStarted = true;
    const { minor } = exchange.head;
    const unframed = length === CHUNKED || length === UNTIL_CLOSE;
    this.#bodyless = exchange.head.method === 'HEAD' || response.status === 204 || response.status === 304;
    this.#chunkedAnswer = unframed && minor === 1 && !this.#bodyless;
    if (unframed && minor === 0 && !this.#bodyless) this.#keepAlive = false;
    if (this.#draining || this.#peerEnded || this.#phase === 'body' || this.#worn()) this.#keepAlive = false;
    if (this.#server.spec.clearContext && clearResponseContext(response.fields) && !this.#bodyless) {
      this.#bodyless = true;
      this.#chunkedAnswer = false;
      this.#writeHead(exchange, response, 0);
      return;
    }
    const framed = this.#bodyless
      ? keptLength(exchange, response)
      : this.#chunkedAnswer
        ? CHUNKED
        : unframed
          ? undefined
          : length;
    this.#writeHead(exchange, response, framed);
  }

  #writeHead(exchange: Exchange, response: ResponseHead, framed: number | undefined): void {
    const server = this.#server;
    const ending = this.#keepAlive ? server.keepAliveEnding : CLOSE_ENDING;
    this.#headText = responseHeadText(exchange, response, framed, ending, server.spec.clearContext);
    server.answered(exchange, response);
  }

  #worn(): boolean {
    const { lifeTimeMs } = this.#server.spec;
    return lifeTimeMs !== undefined && this.#server.wheel.nowMs() - this.#openedMs >= lifeTimeMs;
  }

  data(source: Transport, buffer: Buffer, start: number, end: number): boolean {
    if (this.#exchange === undefined || this.#bodyless || start === end) return true;
    const before = this.#headText;
    this.#headText = '';
    const count = end - start;
    this.#server.sentBytes.add(before.length + count);
    let open: boolean;
    if (this.#chunkedAnswer) {
      const size = `${count.toString(16)}\r\n`;
      open = this.#transport.writeBytes(source, buffer, start, end, before + size, '\r\n');
    } else if (before !== '' && count <= JOINED_BYTES_MAX) {
      open = this.#transport.write(before + latin1(buffer, start, end));
    } else open = this.#transport.writeBytes(source, buffer, start, end, before);
    if (open) return true;
    this.#blocked = true;
    this.#timer.arm(this.#server.spec.bodyIdleTimeoutMs);
    return false;
  }

  flush(): void {
    if (this.#headText === '') return;
    this.#server.sentBytes.add(this.#headText.length);
    this.#transport.write(this.#headText);
    this.#headText = '';
  }

  end(trailers: Fields | undefined): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (this.#chunkedAnswer) this.#headText += `0\r\n${trailersText(trailers)}\r\n`;
    this.flush();
    this.#responseDone = true;
    if (this.#phase === 'answer') this.#finish();
    else {
      // Answered before the request was complete: the rest of it has no reader any more.
      this.#exchange = undefined;
      this.#releaseBody();
      this.#over(exchange);
      this.#startLinger();
    }
  }

  informational(response: ResponseHead): void {
    if (this.#exchange?.head.minor === 1) this.#transport.write(informationalText(response));
  }

  fail(failure: Failure): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#responseStarted) return;
    const { status, fields, body } = this.#server.failureResponse(exchange, failure);
    const bytes = latin1(Buffer.from(body, 'utf8'));
    this.start({ status, reason: reasonPhrase(status), minor: 1, fields: Fields.of(fields) }, bytes.length);
    if (!this.#bodyless) this.#headText += bytes;
    this.end(undefined);
  }

  abort(_failure: Failure): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.flush();
    this.#exchange = undefined;
    this.#over(exchange);
    this.#releaseBody();
    this.#transport.reset();
  }

  #over(exchange: Exchange): void {
    exchange.over = true;
    exchange.service?.ended(exchange);
    this.#server.ended(exchange);
  }

  /** Request and answer are complete. */
  #finish(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    this.#over(exchange);
    if (!this.#keepAlive) {
      this.#startLinger();
      return;
    }
    this.#phase = 'idle';
    this.#armIdle();
    if (this.#peerEnded && this.#held === undefined) this.#transport.end();
    else if (!this.#feeding && this.#held !== undefined) this.#resume();
  }

  #armIdle(): void {
    const { idleTimeMs, lifeTimeMs } = this.#server.spec;
    if (lifeTimeMs === undefined) this.#timer.arm(idleTimeMs);
    else {
      const left = Math.max(0, this.#openedMs + lifeTimeMs - this.#server.wheel.nowMs());
      this.#timer.arm(Math.min(idleTimeMs, left));
    }
  }

  /** A request that cannot be trusted is answered without being looked at further, and the connection ends. */
  #refuse(status: number, why: string): void {
    const body = `${why}\n`;
    this.#server.refused(status);
    this.#transport.write(
      `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\nContent-Type: text/plain\r\n` +
        `Content-Length: ${body.length}\r\n${CLOSE_ENDING}${body}`,
    );
    this.#startLinger();
  }

  /** Closes the writing side, then reads on for a moment: closing at once could destroy the answer on its way. */
  #startLinger(): void {
    this.#phase = 'linger';
    this.#held = undefined;
    this.#transport.end();
    this.#timer.arm(LINGER_MS);
    this.#transport.resume();
  }

  #linger(count: number): void {
    this.#lingered += count;
    if (this.#lingered > LINGER_BYTES_MAX) this.close();
  }
}

/** A response without a body keeps its Content-Length when it describes one that is not sent (HEAD, 304). */
function keptLength(exchange: Exchange, response: ResponseHead): number | undefined {
  if (exchange.head.method !== 'HEAD' && response.status !== 304) return undefined;
  const length = response.fields.first(Field.contentLength);
  return length === undefined ? undefined : Number(length);
}
