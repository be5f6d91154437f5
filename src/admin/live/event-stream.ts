/**
 * A live answer: text that goes to one client for as long as it listens, as server-sent events or as lines.
 * Nobody waits for a client: what it has not taken beyond a bound is dropped, and it is told how much.
 */
import type { Clock } from '../../base/clock.ts';
import { type Closable, nothingToClose } from '../../base/closable.ts';
import { type Loan, notLent } from '../../base/loans.ts';
import { type AdminAnswer, type BodySink, type LiveBody, text } from '../page.ts';

const STREAMS_MAX = 200;
const BACKLOG_MAX = 4 * 1024 * 1024;
/** Proxies on the way, and our own idle limit, end what is silent for longer. */
const KEEP_ALIVE_MS = 15_000;

export class EventStream implements Closable, LiveBody {
  readonly #onClose: () => void;
  #sink: BodySink | undefined;
  #waiting: Piece[] = [];
  /** Being written. */
  #under: readonly Piece[] = [];
  /** Of both: characters of texts, bytes of others. */
  #length = 0;
  #ended = false;
  /** Called once, when the client has left or the stream is closed. */
  closed: () => void = () => {};

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  /** False: the client is too slow, and this is dropped. */
  send(piece: string | Buffer, loan: Loan = notLent): boolean {
    if (this.#ended || this.#length + piece.length > BACKLOG_MAX) return false;
    loan.keep();
    this.#waiting.push({ piece, loan });
    this.#length += piece.length;
    this.#flow();
    return true;
  }

  /** True while the client has taken all there was. */
  get idle(): boolean {
    return this.#length === 0;
  }

  flowTo(sink: BodySink): void {
    this.#sink = sink;
    this.#flow();
  }

  /** What waits is still written. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#flow();
    this.#onClose();
    this.closed();
  }

  #flow(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#under.length > 0) return;
    const pieces = this.#waiting;
    if (pieces.length === 0) {
      if (this.#ended) sink.end();
      return;
    }
    this.#waiting = [];
    this.#under = pieces;
    const last = pieces.length - 1;
    for (const [i, { piece }] of pieces.entries()) sink.write(piece, i === last ? this.#written : nothing);
  }

  readonly #written = (): void => {
    for (const { piece, loan } of this.#under) {
      this.#length -= piece.length;
      loan.release();
    }
    this.#under = [];
    this.#flow();
  };
}

type Piece = { readonly piece: string | Buffer; readonly loan: Loan };

const nothing = (): void => {};

export function event(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`;
}

/** All live answers of a server. */
export class EventStreams implements Closable {
  readonly #clock: Clock;
  readonly #open = new Set<EventStream>();
  #timer: Closable = nothingToClose;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `join` is given the stream; it may refuse with a text. `silence` is what keeps the connection open. */
  answer(type: string, silence: string, join: (stream: EventStream) => string | undefined): AdminAnswer {
    if (this.#open.size >= STREAMS_MAX) return text(503, `There are ${STREAMS_MAX} live views already.`);
    const stream = new EventStream(() => {
      this.#open.delete(stream);
      if (this.#open.size === 0) this.#timer.close();
    });
    const refused = join(stream);
    if (refused !== undefined) return text(503, refused);
    if (this.#open.size === 0) this.#keepAlive();
    this.#open.add(stream);
    stream.send(silence);
    this.#silences.set(stream, silence);
    return {
      status: 200,
      type,
      headers: { 'x-accel-buffering': 'no' },
      body: stream,
      sent: () => stream.close(),
    };
  }

  readonly #silences = new WeakMap<EventStream, string>();

  #keepAlive(): void {
    this.#timer = this.#clock.after(KEEP_ALIVE_MS, () => {
      for (const stream of this.#open) if (stream.idle) stream.send(this.#silences.get(stream) ?? '');
      this.#keepAlive();
    });
  }

  close(): void {
    for (const stream of [...this.#open]) stream.close();
    this.#timer.close();
  }
}

export const EVENTS_TYPE = 'text/event-stream;charset=UTF-8';
export const LINES_TYPE = 'application/x-ndjson;charset=UTF-8';
