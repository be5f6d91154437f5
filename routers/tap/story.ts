/**
 * What happened to one request, noted while somebody listens (request-tap.ts) and told as one line of JSON
 * when the exchange is over. It is made before the stages change the head; most of the rest is read from the
 * exchange at the end.
 */
import type { Failure, FailureKind } from '../../src/base/failure.ts';
import { type Exchange, Opaque, type StoryNotes } from '../exchange.ts';
import { Field, type Fields } from '../fields.ts';
import { hex64 } from '../headers/hex.ts';
import type { StoryField, Told } from './interest.ts';
import { isoTime, jsonBytes, jsonText, rounded } from './json-text.ts';

/** Later attempts of a request are counted and not told. */
const ATTEMPTS_MAX = 32;
/** Of any text that the caller chose. */
const TEXT_CHARS_MAX = 2048;

/** One attempt as it went: `status` is 0 when there was no response. */
type Attempt = {
  readonly client: string;
  readonly endpoint: string;
  /** The name that the endpoint's certificate had to prove; '' for TLS that proves none. */
  readonly tls: string | undefined;
  readonly startedMs: number;
  endedMs: number;
  /** Its own span. */
  spanId: string;
  status: number;
  failure: FailureKind | undefined;
};

export type StoryOrigin = {
  /** Label of the router. */
  readonly router: string;
  /** `ip/port` of the server. */
  readonly server: string;
  /** The caller speaks TLS. */
  readonly secure: boolean;
  readonly chosen: number;
  readonly finish: (story: Story) => void;
};

export class Story implements StoryNotes, Told {
  readonly #exchange: Exchange;
  readonly #router: string;
  readonly #server: string;
  readonly #method: string;
  readonly #target: string;
  readonly #host: string;
  readonly #finish: (story: Story) => void;
  readonly #attempts: Attempt[] = [];
  #untold = 0;
  #status = 0;
  #headMs = 0;
  #failure: Failure | undefined;
  #length: string | undefined;
  readonly #secure: boolean;
  /** Bits of the interests that chose this request by chance alone. */
  readonly chosen: number;

  constructor(exchange: Exchange, { router, server, secure, chosen, finish }: StoryOrigin) {
    const { head } = exchange;
    this.#exchange = exchange;
    this.#router = router;
    this.#server = server;
    this.#secure = secure;
    this.#finish = finish;
    this.#method = head.method;
    this.#target = head.target;
    this.#host = head.fields.first(Field.host) ?? '';
    this.chosen = chosen;
  }

  get exchange(): Exchange {
    return this.#exchange;
  }

  tried(client: string, endpoint: string, tls: string | undefined, nowMs: number): void {
    if (this.#attempts.length === ATTEMPTS_MAX) {
      this.#untold++;
      return;
    }
    const { trace } = this.#exchange.context;
    trace.childHi = 0;
    trace.childLo = 0;
    this.#attempts.push({
      client,
      endpoint,
      tls,
      startedMs: nowMs,
      endedMs: -1,
      spanId: '',
      status: 0,
      failure: undefined,
    });
  }

  responded(status: number, nowMs: number): void {
    const attempt = this.#attempts.at(-1);
    if (attempt === undefined || attempt.endedMs !== -1) return;
    attempt.status = status;
    attempt.endedMs = nowMs;
    attempt.spanId = this.#childSpan();
  }

  attemptFailed(failure: FailureKind, nowMs: number): void {
    const attempt = this.#attempts.at(-1);
    if (attempt === undefined || attempt.endedMs !== -1) return;
    attempt.failure = failure;
    attempt.endedMs = nowMs;
    attempt.spanId = this.#childSpan();
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
        return this.#router;
      case 'server':
        return this.#server;
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
        return this.#attempts.at(-1)?.client ?? '';
      case 'endpoint':
        return this.#attempts.at(-1)?.endpoint ?? '';
      case 'failure':
        return this.#failure?.kind ?? '';
      case 'status':
        return this.#status;
      case 'latency':
        return this.#headMs;
      case 'retries':
        return this.#exchange.retries;
    }
  }

  /** One line of JSON without its end. `nowMs` and `wallMs` are the same moment, that of the end. */
  show(nowMs: number, wallMs: number, headers: boolean): string {
    const exchange = this.#exchange;
    const { head, context, service } = exchange;
    const durationMs = nowMs - exchange.startedMs;
    const last = this.#attempts.at(-1);
    let out = `{"time":"${isoTime(wallMs - durationMs)}","router":${jsonText(this.#router)}`;
    out += `,"server":"${this.#server}","peer":${jsonText(exchange.answer.peer)}`;
    out += `,"tls":${this.#secure},"method":${text(this.#method)},"host":${text(this.#host)}`;
    out += `,"target":${text(this.#target)},"version":"1.${head.minor}","status":${this.#status}`;
    if (service !== undefined) out += `,"path":${text(service.name)}`;
    if (context.localDtab.show !== '') out += `,"dtab":${text(context.localDtab.show)}`;
    if (last !== undefined) {
      out += `,"client":${jsonText(last.client)},"endpoint":${jsonText(last.endpoint)}`;
      if (last.tls !== undefined) out += `,"endpointTls":${jsonText(last.tls)}`;
    }
    if (exchange.opaque !== Opaque.none)
      out += `,"tunnel":"${exchange.opaque === Opaque.tls ? 'tls' : 'other'}"`;
    out += `,"class":"${this.#class()}"`;
    if (this.#failure !== undefined) {
      out += `,"failure":"${this.#failure.kind}","message":${text(this.#failure.message)}`;
    }
    out += `,"latencyMs":${rounded(this.#headMs)},"durationMs":${rounded(durationMs)}`;
    out += `,"requestBytes":${exchange.requestBytes || exchange.body.length}`;
    out += `,"responseBytes":${exchange.responseBytes}`;
    out += `,"retries":${exchange.retries},"requeues":${Math.max(0, this.#count - 1 - exchange.retries)}`;
    out += `,"attempts":[${this.#attempts.map((each) => this.#showAttempt(each)).join(',')}]`;
    out += this.#showTrace();
    out += optional('length', this.#length) + optional('referer', head.fields.named('referer'));
    out += optional('userAgent', head.fields.named('user-agent'));
    if (headers) out += `,"headers":${showHeaders(head.fields)}`;
    return `${out}}`;
  }

  get #count(): number {
    return this.#attempts.length + this.#untold;
  }

  /** The span that the last attempt was sent with. */
  #childSpan(): string {
    const { childHi, childLo } = this.#exchange.context.trace;
    return childHi === 0 && childLo === 0 ? '' : hex64(childHi, childLo);
  }

  #class(): string {
    if (this.#status === 0) return 'cancelled';
    if (this.#exchange.routed) return this.#exchange.responseClass === 'success' ? 'success' : 'failure';
    return this.#status < 500 ? 'success' : 'failure';
  }

  #showAttempt({ client, endpoint, tls, startedMs, endedMs, spanId, status, failure }: Attempt): string {
    const result =
      endedMs === -1
        ? '"failure":"cancelled"'
        : status === 0
          ? `"failure":"${failure}"`
          : `"status":${status}`;
    const ms = endedMs === -1 ? 0 : endedMs - startedMs;
    const secure = tls === undefined ? '' : `,"tls":${jsonText(tls)}`;
    const at = rounded(startedMs - this.#exchange.startedMs);
    const where = `"client":${jsonText(client)},"endpoint":${jsonText(endpoint)}${secure}`;
    return `{${where},"atMs":${at},"ms":${rounded(ms)},"spanId":"${spanId}",${result}}`;
  }

  #showTrace(): string {
    const { trace } = this.#exchange.context;
    const wide = trace.wide ? hex64(trace.wideHi, trace.wideLo) : '';
    const parent =
      trace.parentHi === trace.spanHi && trace.parentLo === trace.spanLo
        ? ''
        : `,"parentId":"${hex64(trace.parentHi, trace.parentLo)}"`;
    const span = hex64(trace.spanHi, trace.spanLo);
    return `,"traceId":"${wide}${hex64(trace.traceHi, trace.traceLo)}","spanId":"${span}"${parent}`;
  }
}

function text(value: string): string {
  return jsonBytes(value.length > TEXT_CHARS_MAX ? value.slice(0, TEXT_CHARS_MAX) : value);
}

function optional(key: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${key}":${text(value)}`;
}

/** As they are when the exchange is over: what the router takes for itself is no longer among them. */
function showHeaders(fields: Fields): string {
  return `[${fields
    .pairs()
    .map(([name, value]) => `[${text(name)},${text(value)}]`)
    .join(',')}]`;
}
