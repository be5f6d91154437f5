/**
 * One HTTP/1 connection of a caller. Requests are read strictly, in their order, and each gets exactly one
 * answer. One timer covers head, body, idle, and an answer that the caller does not take.
 */
import { type Closable, nothingToClose } from '../../src/base/closable.ts';
import type { Failure } from '../../src/base/failure.ts';
import { latin1 } from '../../src/base/latin1.ts';
import type { WheelTimer } from '../../src/base/timer-wheel.ts';
import { type Answer, BodyKind, type EarlyBytes, Exchange, type TunnelEnd } from '../exchange.ts';
import { Field, Fields } from '../fields.ts';
import type { RequestHead, ResponseHead } from '../head.ts';
import { setHost } from '../headers/absolute-form.ts';
import type { ForwardedLine } from '../headers/forwarded.ts';
import { reasonPhrase } from '../respond/reason-phrase.ts';
import type { KeptCaller } from './caller-side.ts';
import { connectTarget } from './connect-target.ts';
import { keepsAlive } from './connection-header.ts';
import type { Caller, CallerIdentity, ConnectionHost, Successor } from './connection-host.ts';
import { declaredLength } from './framing.ts';
import { CONTINUE, HalfClosed } from './half-closed.ts';
import { HeadParser, HeadProblem } from './head-parser.ts';
import { ReadAhead } from './read-ahead.ts';
import { RequestBody } from './request-body.ts';
import { checkRequest } from './request-check.ts';
import { ResponseWriter, refusalText } from './response-writer.ts';
import { idleEndsAtMs, LAST_REQUEST_MS } from './session-limits.ts';
import { Taking } from './taking.ts';
import type { Transport, TransportOwner } from './transport.ts';

/**
 * idle: between requests. head: part of a head is there. body: the request's body is being read. answer: the
 * request is complete, its answer is not. gone: closed, or another has taken the connection over.
 */
type Phase = 'idle' | 'head' | 'body' | 'answer' | 'gone';

export class ServerConnection implements TransportOwner, Answer, Caller, Successor {
  readonly presentedCert: string | undefined;
  readonly openedMs: number;
  kept: KeptCaller | undefined;
  readonly transport: Transport;
  /** Labels of `Forwarded` that last as long as the connection. */
  forwarded: ForwardedLine | undefined;
  readonly #server: ConnectionHost;
  readonly #writer: ResponseWriter;
  readonly #parser: HeadParser;
  readonly #timer: WheelTimer;
  readonly #authority: string | undefined;
  #phase: Phase = 'idle';
  /** Nothing has been read yet: the head timeout counts from the start of the connection. */
  #fresh = true;
  #partial = '';
  readonly #held = new ReadAhead();
  #feeding = false;
  #exchange: Exchange | undefined;
  readonly #body = new RequestBody();
  #keepAlive = true;
  #answerDone = false;
  /** The caller does not take what it is sent. */
  #blocked = false;
  readonly #taking: Taking;
  #halfClosed: HalfClosed | undefined;
  #draining = false;
  #quietSinceMs: number;
  /** Who has taken the connection over, and the question whose answer a CONNECT waits for. */
  #successor: Successor | undefined;
  #question: Closable = nothingToClose;

  constructor(server: ConnectionHost, identity: CallerIdentity, open: (owner: TransportOwner) => Transport) {
    this.#server = server;
    this.presentedCert = identity.presentedCert;
    this.openedMs = identity.openedMs;
    this.#quietSinceMs = identity.openedMs;
    this.#authority = identity.authority;
    this.#parser = new HeadParser(server.limits);
    this.#timer = server.wheel.timer(() => this.#timedOut());
    this.#timer.arm(server.spec.headTimeoutMs);
    this.transport = open(this);
    this.#writer = new ResponseWriter(server, this.transport);
    this.#taking = new Taking(this.transport, this.#timer, server.spec.bodyIdleTimeoutMs);
  }

  get peer(): string {
    return this.transport.peer;
  }

  get busy(): boolean {
    return this.#phase !== 'idle';
  }

  /** The next answer is the last; only who has been quiet for a while is let go without one. */
  drain(): void {
    this.#draining = true;
    if (this.#phase === 'idle' && !this.#blocked) this.#timer.armAt(this.#quietSinceMs + LAST_REQUEST_MS);
  }

  /** Cuts; an answer that has begun must not look complete. */
  close(): void {
    if (this.#writer.started && !this.#answerDone) this.transport.reset();
    else this.transport.destroy();
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    const { wheel, traffic } = this.#server;
    wheel.standStill();
    traffic.receivedBytes.add(end - start);
    this.early(buffer, start, end);
    wheel.goOn();
  }

  early(buffer: Buffer, start: number, end: number): void {
    let at = start;
    this.#feeding = true;
    while (at < end) {
      const phase: Phase = this.#phase;
      if (phase === 'body') at = this.#readBody(buffer, at, end);
      else if (phase === 'answer' || (phase === 'idle' && this.#blocked)) {
        this.#hold(buffer, at, end);
        break;
      } else if (phase === 'idle' || phase === 'head') at = this.#readHead(buffer, at, end);
      else {
        this.#successor?.early(buffer, at, end);
        break;
      }
    }
    this.#feeding = false;
  }

  #hold(buffer: Buffer, at: number, end: number): void {
    this.#held.add(buffer, at, end);
    if (this.#held.full) this.transport.pause();
  }

  onEnd(): void {
    this.#held.ended = true;
    const { length } = this.#held;
    const waits = this.#phase === 'answer' || (this.#phase === 'body' && this.#body.mayEndWithin(length));
    if (waits) {
      this.#halfClosed ??= new HalfClosed(this.transport, this.#timer);
      if (!this.#blocked) this.#halfClosed.wait();
    } else if (this.#phase === 'body') {
      this.close();
      this.#giveUp();
    } else if (this.#phase !== 'gone' && length === 0) this.#startLinger();
  }

  onDrain(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.transport.unstuck(this.#server.wheel.nowMs());
    if (this.#phase === 'idle') {
      this.#armIdle();
      this.#resume();
      return;
    }
    this.#watchBody();
    this.#exchange?.session?.answerDrained();
  }

  onClosed(): void {
    this.#phase = 'gone';
    this.#timer.close();
    this.#held.take();
    this.#giveUp();
    this.#question.close();
    this.#server.closed(this, this.transport, this.openedMs);
  }

  /** The caller has gone: the exchange is cancelled. */
  #giveUp(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    this.#releaseBody();
    exchange.over = true;
    exchange.attempt?.cancelled(exchange);
    this.#over(exchange);
  }

  #timedOut(): void {
    const { spec, callers } = this.#server;
    if (this.#phase === 'head') {
      callers.headTimeouts.add(1);
      this.#refuse(408, 'the request head did not arrive in time');
    } else if (this.#blocked) {
      if (this.#taking.goesOn()) return;
      callers.readerTimeouts.add(1);
      this.transport.reset();
    } else if (this.#halfClosed !== undefined && this.#phase !== 'idle') {
      if (!this.#writer.started && this.#exchange?.head.minor === 1) this.#halfClosed.goOn();
    } else if (this.#phase === 'body' && !this.#writer.started) {
      callers.bodyTimeouts.add(1);
      this.#giveUp();
      this.#refuse(408, `nothing of the request body arrived for ${spec.bodyIdleTimeoutMs} ms`);
    } else callers.silent(this, this.#fresh);
  }

  /** The caller is given time to send more of the body, unless it is us who do not read it. */
  #watchBody(): void {
    if (this.#blocked) return;
    if (this.#phase === 'body' && this.#body.reading) this.#timer.arm(this.#server.spec.bodyIdleTimeoutMs);
    else this.#timer.disarm();
  }

  #readHead(buffer: Buffer, at: number, end: number): number {
    const before = this.#partial.length;
    const to = Math.min(end, at + this.#server.limits.headBytes + 8);
    const read = latin1(buffer, at, to);
    const text = before === 0 ? read : this.#partial + read;
    const head = before === 0 ? this.#parser.request(text, buffer, at) : this.#parser.request(text);
    if (head === undefined) {
      if (this.#phase === 'idle') {
        this.#phase = 'head';
        if (!this.#fresh || this.#draining) this.#timer.arm(this.#server.spec.headTimeoutMs);
      }
      this.#partial = text;
      return to;
    }
    this.#partial = '';
    this.#fresh = false;
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
    if (this.#authority !== undefined && !head.fields.mayHave(Field.host)) setHost(head, this.#authority);
    const problem = length instanceof HeadProblem ? length : checkRequest(head);
    if (problem !== undefined) {
      this.#refuse(problem.status, problem.message);
      return;
    }
    const bytes = (length ?? 0) as number;
    if (head.method === 'CONNECT') {
      this.#connect(head, bytes);
      return;
    }
    this.#keepAlive = keepsAlive(head.fields, head.minor);
    this.#writer.started = false;
    this.#answerDone = false;
    const exchange = new Exchange(head, this, server.wheel.nowMs());
    this.#exchange = exchange;
    if (bytes === 0) {
      this.#phase = 'answer';
      this.#timer.disarm();
      server.route(exchange);
      return;
    }
    if (head.fields.mayHave(Field.expect) && head.minor === 1 && !more) this.transport.write(CONTINUE);
    this.#phase = 'body';
    this.#body.begin(bytes, server.buffers(bytes));
    this.#watchBody();
    if (this.#body.collects) return;
    exchange.bodyKind = BodyKind.streamed;
    exchange.bodyLength = bytes;
    server.route(exchange);
    // Until a session wants the body nothing of it is read; what this read brought along is held.
  }

  #readBody(buffer: Buffer, at: number, end: number): number {
    const exchange = this.#exchange;
    if (exchange === undefined) return end;
    const body = this.#body;
    if (!body.collects && !this.#body.wanted) {
      this.#hold(buffer, at, end);
      return end;
    }
    const next = body.collects
      ? body.collect(buffer, at, end)
      : body.read(buffer, at, end, (from, to) => this.#bodyPiece(exchange, buffer, from, to));
    if (next instanceof HeadProblem) return this.#badBody(next, end);
    const over = this.#server.callers.bodyCame(exchange, body, next - at);
    if (over !== undefined) return this.#badBody(over, end);
    if (body.complete) this.#bodyComplete(exchange);
    else this.#watchBody();
    return next;
  }

  #bodyPiece(exchange: Exchange, buffer: Buffer, from: number, to: number): void {
    const session = exchange.session;
    exchange.requestBytes += to - from;
    if (session !== undefined && !session.bodyData(this.transport, buffer, from, to)) {
      this.#body.blocked = true;
      this.transport.pause();
    }
  }

  #bodyComplete(exchange: Exchange): void {
    const { trailers, collects } = this.#body;
    this.#phase = 'answer';
    if (!this.#blocked) this.#timer.disarm();
    if (collects) {
      exchange.bodyKind = BodyKind.buffered;
      exchange.body = this.#body.take();
      this.#body.release();
      this.#server.route(exchange);
      return;
    }
    this.#releaseBody();
    exchange.requestEndedMs = this.#server.wheel.nowMs();
    // Nobody says any more that there is room: what comes next is another request.
    if (this.#body.blocked) this.transport.resume();
    this.#body.blocked = false;
    exchange.session?.bodyEnd(trailers);
    if (this.#answerDone) this.#finish();
  }

  /** The body breaks the framing rules or a limit: what was sent on cannot be completed. */
  #badBody(problem: HeadProblem, end: number): number {
    if (this.#writer.started) this.transport.reset();
    this.#giveUp();
    if (!this.#writer.started) this.#refuse(problem.status, problem.message);
    return end;
  }

  #releaseBody(): void {
    this.#body.release();
    this.transport.readLarge(false);
  }

  bodyWanted(): void {
    if (this.#phase !== 'body') return;
    this.#body.wanted = true;
    if (this.#body.isLarge) this.transport.readLarge(true);
    this.#watchBody();
    if (!this.#feeding) this.#resume();
  }

  bodyDrained(): void {
    if (this.#phase !== 'body' || !this.#body.blocked) return;
    this.#body.blocked = false;
    this.#watchBody();
    if (!this.#feeding) this.#resume();
  }

  /** Goes on with what was held back, then with reading. */
  #resume(): void {
    const held = this.#held.take();
    if (held !== undefined) this.early(held, 0, held.length);
    if (this.#phase === 'gone') return;
    if (!this.#held.full && !this.#body.blocked) this.transport.resume();
    if (this.#held.ended) this.onEnd();
  }

  start(response: ResponseHead, length: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const last = this.#draining || this.#held.exhausted || this.#phase === 'body';
    if (last || this.#server.callers.worn(this.openedMs)) this.#keepAlive = false;
    this.#keepAlive = this.#writer.start(exchange, response, length, this.#keepAlive);
    this.#server.answered(exchange, response, length);
  }

  data(source: Transport | undefined, buffer: Buffer, start: number, end: number): boolean {
    const exchange = this.#exchange;
    if (exchange === undefined) return true;
    exchange.responseBytes += end - start;
    if (this.#writer.data(source, buffer, start, end)) return true;
    this.#block();
    return false;
  }

  #block(): void {
    this.#blocked = true;
    this.transport.stuck(this.#server.wheel.nowMs());
    this.#taking.wait();
  }

  flush(): void {
    if (!this.#writer.flush()) this.#block();
  }

  end(trailers: Fields | undefined): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (!this.#writer.end(trailers)) this.#block();
    this.#answerDone = true;
    if (this.#phase === 'answer') this.#finish();
    else {
      // Answered before the request was complete: the rest of it has no reader any more.
      this.#releaseBody();
      this.#over(exchange);
      this.#startLinger();
    }
  }

  splice(far: TunnelEnd, early: EarlyBytes | undefined): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#writer.flush();
    this.#exchange = undefined;
    const said = this.#leave();
    this.#server.upgraded({ from: this, exchange, said, peerEnded: this.#held.ended }, far, early);
  }

  informational(response: ResponseHead): void {
    if (this.#exchange?.head.minor === 1) this.#writer.informational(response);
  }

  fail(failure: Failure): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#writer.started) return;
    const { status, fields, body } = this.#server.failureResponse(exchange, failure);
    const text = latin1(Buffer.from(body, 'utf8'));
    this.start({ status, reason: reasonPhrase(status), minor: 1, fields: Fields.of(fields) }, text.length);
    exchange.responseBytes = text.length;
    this.#writer.body(text);
    this.end(undefined);
  }

  abort(_failure: Failure): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.flush();
    this.#over(exchange);
    this.#releaseBody();
    this.transport.reset();
  }

  #over(exchange: Exchange): void {
    this.#exchange = undefined;
    exchange.over = true;
    exchange.service?.ended(exchange);
    this.#server.ended(exchange);
  }

  /** Request and answer are complete. */
  #finish(): void {
    if (this.#exchange === undefined) return;
    this.#over(this.#exchange);
    if (!this.#keepAlive || this.#held.exhausted) {
      this.#startLinger();
      return;
    }
    this.#phase = 'idle';
    if (this.#blocked) return;
    this.#armIdle();
    if (!this.#feeding && this.#held.length > 0) this.#resume();
  }

  #armIdle(): void {
    const nowMs = this.#server.wheel.nowMs();
    this.#quietSinceMs = nowMs;
    this.#timer.armAt(idleEndsAtMs(this.#server.spec, this.openedMs, nowMs));
    if (this.#draining) this.drain();
  }

  /** A tunnel is asked for: what follows the head belongs into it. */
  #connect(head: RequestHead, bytes: number): void {
    const target = connectTarget(head, bytes, this.#authority !== undefined);
    if (target instanceof HeadProblem) {
      this.#refuse(target.status, target.message);
      return;
    }
    this.#phase = 'answer';
    this.#timer.disarm();
    this.#question = this.#server.mayConnect(target, (refusal) => this.#mayConnect(head, refusal));
  }

  #mayConnect(head: RequestHead, refusal: string | undefined): void {
    if (this.#phase !== 'answer') return;
    if (refusal !== undefined) {
      this.#server.tunnels.refused.add(1);
      this.#refuse(403, refusal);
      return;
    }
    const held = this.#leave();
    this.#successor = this.#server.connected(this, head, held, this.#held.ended);
    if (!this.#feeding) this.transport.resume();
  }

  /**
   * A request that cannot be trusted is answered without being looked at further, and the connection ends.
   */
  #refuse(status: number, why: string): void {
    const text = refusalText(status, why);
    this.#server.refused(status);
    this.#server.traffic.sentBytes.add(text.length);
    this.transport.write(text);
    this.#startLinger();
  }

  /** The last answer has been written. */
  #startLinger(): void {
    this.#leave();
    this.#successor = this.#server.lingers(this);
  }

  /** Another takes the connection over; answers with what has been read and not been looked at. */
  #leave(): Buffer | undefined {
    this.#phase = 'gone';
    this.#timer.close();
    return this.#held.take();
  }
}
