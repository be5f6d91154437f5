/**
 * What happened to one request, noted while somebody listens (request-tap.ts) and told as one line of JSON
 * when the exchange is over. It is made before the stages change the head; most of the rest is read from the
 * exchange at the end.
 */
import type { Failure, FailureKind } from '../../src/base/failure.ts';
import { type Exchange, Opaque, type StoryNotes } from '../exchange.ts';
import { Field, type Fields } from '../fields.ts';
import type { StoryField, Told } from './interest.ts';
import { headJson, type LineBytes, linePart } from './line-bytes.ts';
import type { ToldEndpoint } from './told-endpoint.ts';

/** Later attempts of a request are counted and not told. */
const ATTEMPTS_MAX = 32;
/** Of any text that the caller chose. */
const TEXT_CHARS_MAX = 2048;

/** One attempt as it went: `status` is 0 when there was no response. */
type Attempt = {
  readonly at: ToldEndpoint;
  readonly startedMs: number;
  endedMs: number;
  /** Its own span; zero when nothing was sent. */
  spanHi: number;
  spanLo: number;
  status: number;
  failure: FailureKind | undefined;
};

/** Where requests are read: one an HTTP server. */
export class StoryOrigin {
  /** Label of the router. */
  readonly router: string;
  /** `ip/port` of the server. */
  readonly server: string;
  /** The line from there to the caller's address, and on to the method. */
  readonly beforePeer: Uint8Array;
  readonly afterPeer: Uint8Array;

  /** `secure`: callers speak TLS. */
  constructor(router: string, server: string, secure: boolean) {
    this.router = router;
    this.server = server;
    const [label, name] = [JSON.stringify(router), JSON.stringify(server)];
    this.beforePeer = linePart(`","router":${label},"server":${name},"peer":`);
    this.afterPeer = linePart(`,"tls":${secure},"method":`);
  }
}

/**
 * What of a line is the same in many; each begins where a value has ended. A call to copy one costs more than
 * its bytes, so those that usually follow each other are one.
 */
const Part = {
  time: linePart('{"time":"'),
  host: linePart(',"host":'),
  target: linePart(',"target":'),
  version: linePart(',"version":"1.'),
  status: linePart('","status":'),
  version11: linePart(',"version":"1.1","status":'),
  dtab: linePart(',"dtab":'),
  tunnelOfTls: linePart(',"tunnel":"tls"'),
  tunnelOfOther: linePart(',"tunnel":"other"'),
  success: linePart(',"class":"success"'),
  failure: linePart(',"class":"failure"'),
  cancelled: linePart(',"class":"cancelled"'),
  kind: linePart(',"failure":'),
  message: linePart(',"message":'),
  latency: linePart(',"latencyMs":'),
  successLatency: linePart(',"class":"success","latencyMs":'),
  duration: linePart(',"durationMs":'),
  requestBytes: linePart(',"requestBytes":'),
  responseBytes: linePart(',"responseBytes":'),
  bodiless: linePart(',"requestBytes":0,"responseBytes":'),
  retries: linePart(',"retries":'),
  requeues: linePart(',"requeues":'),
  attempts: linePart(',"attempts":['),
  nextAttempt: linePart('},'),
  attemptMs: linePart(',"ms":'),
  attemptSpan: linePart(',"spanId":"'),
  attemptStatus: linePart('","status":'),
  attemptFailure: linePart('","failure":'),
  trace: linePart('],"traceId":"'),
  traceAfterAttempt: linePart('}],"traceId":"'),
  span: linePart('","spanId":"'),
  parent: linePart('","parentId":"'),
  traceEnd: linePart('"'),
  traceEndLength: linePart('","length":'),
  referer: linePart(',"referer":'),
  userAgent: linePart(',"userAgent":'),
  headers: linePart(',"headers":['),
  firstHeader: linePart('['),
  nextHeader: linePart('],['),
  headerValue: linePart(','),
  headersEnd: linePart(']'),
  end: linePart('}\n'),
};

const noAttempts: Attempt[] = [];

export class Story implements StoryNotes, Told {
  readonly #exchange: Exchange;
  readonly #origin: StoryOrigin;
  readonly #method: string;
  readonly #target: string;
  readonly #host: string;
  readonly #finish: (story: Story) => void;
  #attempts = noAttempts;
  #last: Attempt | undefined;
  #untold = 0;
  #status = 0;
  #headMs = 0;
  #failure: Failure | undefined;
  #length: string | undefined;
  /** Bits of the interests that chose this request by chance alone. */
  readonly chosen: number;

  constructor(exchange: Exchange, origin: StoryOrigin, chosen: number, finish: (story: Story) => void) {
    const { head } = exchange;
    this.#exchange = exchange;
    this.#origin = origin;
    this.#finish = finish;
    this.#method = head.method;
    this.#target = head.target;
    this.#host = head.fields.first(Field.host) ?? '';
    this.chosen = chosen;
  }

  get exchange(): Exchange {
    return this.#exchange;
  }

  tried(at: ToldEndpoint, nowMs: number): void {
    if (this.#attempts.length === ATTEMPTS_MAX) {
      this.#untold++;
      return;
    }
    const { trace } = this.#exchange.context;
    trace.childHi = 0;
    trace.childLo = 0;
    this.#last = {
      at,
      startedMs: nowMs,
      endedMs: -1,
      spanHi: 0,
      spanLo: 0,
      status: 0,
      failure: undefined,
    };
    // One is what nearly all have: an array that grows by one has room for 17.
    if (this.#attempts === noAttempts) this.#attempts = [this.#last];
    else this.#attempts.push(this.#last);
  }

  responded(status: number, nowMs: number): void {
    const attempt = this.#last;
    if (attempt === undefined || attempt.endedMs !== -1) return;
    attempt.status = status;
    this.#endAttempt(attempt, nowMs);
  }

  attemptFailed(failure: FailureKind, nowMs: number): void {
    const attempt = this.#last;
    if (attempt === undefined || attempt.endedMs !== -1) return;
    attempt.failure = failure;
    this.#endAttempt(attempt, nowMs);
  }

  failed(failure: Failure): void {
    this.#failure = failure;
  }

  answered(status: number, fields: Fields, nowMs: number): void {
    this.#status = status;
    this.#headMs = nowMs - this.#exchange.startedMs;
    this.#length = fields.first(Field.contentLength);
  }

  finish(): void {
    this.#finish(this);
  }

  told(field: StoryField): string | number {
    switch (field) {
      case 'router':
        return this.#origin.router;
      case 'server':
        return this.#origin.server;
      case 'peer':
        return this.#exchange.answer.peer;
      case 'method':
        return this.#method;
      case 'host':
        return this.#host;
      case 'target':
        return this.#target;
      case 'path':
        return this.#exchange.service?.name ?? '';
      case 'client':
        return this.#last?.at.client ?? '';
      case 'endpoint':
        return this.#last?.at.endpoint ?? '';
      case 'failure':
        return this.#failure?.kind ?? '';
      case 'tls':
        return String(this.#last?.at.tls !== undefined);
      case 'status':
        return this.#status;
      case 'latency':
        return this.#headMs;
      case 'retries':
        return this.#exchange.retries;
    }
  }

  /** Writes one line of JSON. `nowMs` and `wallMs` are the same moment, that of the end. */
  write(line: LineBytes, nowMs: number, wallMs: number, headers: boolean): void {
    const exchange = this.#exchange;
    const { head } = exchange;
    const durationMs = nowMs - exchange.startedMs;
    line.part(Part.time);
    line.isoTime(wallMs - durationMs);
    line.part(this.#origin.beforePeer);
    line.text(exchange.answer.peer);
    line.part(this.#origin.afterPeer);
    text(line, this.#method);
    textOf(line, Part.host, this.#host);
    textOf(line, Part.target, this.#target);
    if (head.minor === 1) numberOf(line, Part.version11, this.#status);
    else {
      numberOf(line, Part.version, head.minor);
      numberOf(line, Part.status, this.#status);
    }
    this.#writeWhereAndOutcome(line);
    line.ms(this.#headMs);
    line.part(Part.duration);
    line.ms(durationMs);
    const requestBytes = exchange.requestBytes || exchange.body.length;
    if (requestBytes === 0) numberOf(line, Part.bodiless, exchange.responseBytes);
    else {
      numberOf(line, Part.requestBytes, requestBytes);
      numberOf(line, Part.responseBytes, exchange.responseBytes);
    }
    this.#writeAttempts(line);
    this.#writeTrace(line);
    if (this.#length === undefined) line.part(Part.traceEnd);
    else textOf(line, Part.traceEndLength, this.#length);
    const referer = head.fields.named('referer');
    if (referer !== undefined) textOf(line, Part.referer, referer);
    const userAgent = head.fields.named('user-agent');
    if (userAgent !== undefined) textOf(line, Part.userAgent, userAgent);
    if (headers) writeHeaders(line, head.fields);
    line.part(Part.end);
  }

  /** Its span is that which the last attempt was sent with. */
  #endAttempt(attempt: Attempt, nowMs: number): void {
    const { childHi, childLo } = this.#exchange.context.trace;
    attempt.endedMs = nowMs;
    attempt.spanHi = childHi;
    attempt.spanLo = childLo;
  }

  /** Up to the name of the latency. */
  #writeWhereAndOutcome(line: LineBytes): void {
    const { service, context, opaque, routed, responseClass } = this.#exchange;
    const last = this.#last;
    const dtab = context.localDtab.show;
    const answered = this.#status !== 0 && (routed ? responseClass === 'success' : this.#status < 500);
    const success = answered && this.#failure === undefined;
    if (service !== undefined) {
      service.told ??= linePart(`,"path":${headJson(cut(service.name))}`);
      if (success && last !== undefined && dtab === '' && opaque === Opaque.none) {
        const all = last.at.success(service.told, Part.successLatency);
        if (all !== undefined) {
          line.part(all);
          return;
        }
      }
      line.part(service.told);
    }
    if (dtab !== '') textOf(line, Part.dtab, dtab);
    if (last !== undefined) line.part(last.at.place);
    if (opaque !== Opaque.none) line.part(opaque === Opaque.tls ? Part.tunnelOfTls : Part.tunnelOfOther);
    if (success) line.part(Part.successLatency);
    else this.#writeFailure(line, answered);
  }

  #writeFailure(line: LineBytes, answered: boolean): void {
    line.part(this.#status === 0 ? Part.cancelled : answered ? Part.success : Part.failure);
    const failure = this.#failure;
    if (failure !== undefined) {
      line.part(Part.kind);
      line.text(failure.kind);
      textOf(line, Part.message, failure.message);
    }
    line.part(Part.latency);
  }

  /** With the retries, and on to the id of the trace. */
  #writeAttempts(line: LineBytes): void {
    const { retries } = this.#exchange;
    const count = this.#attempts.length + this.#untold;
    const [first] = this.#attempts;
    if (count === 1 && retries === 0 && first !== undefined) {
      line.part(first.at.only);
      this.#writeAttempt(line, first);
    } else {
      numberOf(line, Part.retries, retries);
      numberOf(line, Part.requeues, Math.max(0, count - 1 - retries));
      line.part(Part.attempts);
      for (const attempt of this.#attempts) {
        if (attempt !== first) line.part(Part.nextAttempt);
        line.part(attempt.at.attempt);
        this.#writeAttempt(line, attempt);
      }
    }
    line.part(count > 0 ? Part.traceAfterAttempt : Part.trace);
  }

  /** From its time on, without the brace at the end. */
  #writeAttempt(line: LineBytes, attempt: Attempt): void {
    const { startedMs, endedMs, spanHi, spanLo, status } = attempt;
    const failure = endedMs === -1 ? 'cancelled' : attempt.failure;
    line.ms(startedMs - this.#exchange.startedMs);
    line.part(Part.attemptMs);
    line.ms(endedMs === -1 ? 0 : endedMs - startedMs);
    line.part(Part.attemptSpan);
    if (spanHi !== 0 || spanLo !== 0) line.hex64(spanHi, spanLo);
    if (failure === undefined) numberOf(line, Part.attemptStatus, status);
    else {
      line.part(Part.attemptFailure);
      line.text(failure);
    }
  }

  #writeTrace(line: LineBytes): void {
    const { trace } = this.#exchange.context;
    if (trace.wide) line.hex64(trace.wideHi, trace.wideLo);
    line.hex64(trace.traceHi, trace.traceLo);
    line.part(Part.span);
    line.hex64(trace.spanHi, trace.spanLo);
    if (trace.parentHi !== trace.spanHi || trace.parentLo !== trace.spanLo) {
      line.part(Part.parent);
      line.hex64(trace.parentHi, trace.parentLo);
    }
  }
}

function text(line: LineBytes, value: string): void {
  line.headText(cut(value));
}

function cut(value: string): string {
  return value.length > TEXT_CHARS_MAX ? value.slice(0, TEXT_CHARS_MAX) : value;
}

function textOf(line: LineBytes, key: Uint8Array, value: string): void {
  line.part(key);
  text(line, value);
}

function numberOf(line: LineBytes, key: Uint8Array, value: number): void {
  line.part(key);
  line.int(value);
}

/** As they are when the exchange is over: what the router takes for itself is no longer among them. */
function writeHeaders(line: LineBytes, fields: Fields): void {
  line.part(Part.headers);
  let part = Part.firstHeader;
  for (const [name, value] of fields.pairs()) {
    textOf(line, part, name);
    textOf(line, Part.headerValue, value);
    part = Part.nextHeader;
  }
  if (part === Part.nextHeader) line.part(Part.headersEnd);
  line.part(Part.headersEnd);
}
