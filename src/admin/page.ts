/** A page of the admin server, free of any HTTP library: a request in, an answer out. */
import type { Clock } from '../base/clock.ts';
import type { Closable } from '../base/closable.ts';

export type AdminRequest = {
  readonly method: string;
  /** Address of the caller. */
  readonly peer: string;
  readonly uri: string;
  readonly version: string;
  readonly query: URLSearchParams;
  /** Without parameters, in lower case; empty when there is none. */
  readonly contentType: string;
  /** Name and value in turn, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
};

export type AdminAnswer = {
  readonly status: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<string | Buffer> | LiveBody;
  /** Called when the answer has been sent, or cannot be any more. */
  readonly sent?: () => void;
};

/** A body that goes on for as long as somebody listens. */
export interface LiveBody {
  flowTo(sink: BodySink): void;
}

/** What takes a body: `done` is called when a piece has been written, or cannot be any more. */
export type BodySink = {
  write(piece: string | Buffer, done: () => void): unknown;
  end(): unknown;
};

export type Page = {
  readonly path: string;
  /** HEAD goes wherever GET goes. Other methods are answered 405. */
  readonly methods: readonly string[] | 'any';
  answer(request: AdminRequest): AdminAnswer | Promise<AdminAnswer>;
};

export const TEXT = 'text/plain;charset=UTF-8';
export const JSON_TYPE = 'application/json;charset=UTF-8';

export function text(status: number, body: string): AdminAnswer {
  return { status, type: TEXT, body };
}

export function json(value: unknown): AdminAnswer {
  return { status: 200, type: JSON_TYPE, body: JSON.stringify(value) ?? 'null' };
}

export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value === '1' || value === 'true' || value === 't';
}

/** The first field of this name, in lower case here; '' when there is none. */
export function headerOf({ rawHeaders }: AdminRequest, name: string): string {
  const at = rawHeaders.findIndex((each, i) => i % 2 === 0 && each.toLowerCase() === name);
  return at === -1 ? '' : (rawHeaders[at + 1] ?? '');
}

/** What others are asked for must come within this time. */
export const ANSWER_LIMIT_MS = 2000;

export const timedOut: AdminAnswer = text(503, 'Request timed out.');

/** The promise's value, or undefined when it takes too long. */
export function within<T>(clock: Clock, limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer: Closable = clock.after(limitMs, () => resolve(undefined));
    promise.then(resolve, reject).finally(() => timer.close());
  });
}
