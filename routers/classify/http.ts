/**
 * Classes of HTTP/1 outcomes: what counts as success, and what may be tried again. Order of evaluation: the
 * configured kind; then a failure that the next router marked `l5d-retryable: true` becomes retryable,
 * whatever the method, and one marked `false` (it has tried until its budget was spent) is not, so that
 * retries do not multiply from hop to hop; then a streamed request, which cannot be sent twice, is never
 * retryable.
 */
import type { ClassifierKind } from '../../config/spec.ts';
import { never } from '../../src/base/assert.ts';
import { Failure } from '../../src/base/failure.ts';
import { Field, type Fields } from '../fields.ts';
import type { ResponseHead } from '../head.ts';

/** ignorable: the caller went away, so that the outcome says nothing about the service; it is not counted. */
export type ResponseClass = 'success' | 'retryable' | 'failure' | 'ignorable';

export interface HttpClassifier {
  /** `streamed`: the request's body was not buffered whole. */
  classify(method: string, streamed: boolean, outcome: ResponseHead | Failure): ResponseClass;
}

const READ = 1;
const IDEMPOTENT = 2;
const ALL = 4;

/** The sets that a method is in; a method that is not listed (CONNECT, extensions) is in none. */
const METHOD_SETS = new Map<string, number>([
  ['GET', READ | IDEMPOTENT | ALL],
  ['HEAD', READ | IDEMPOTENT | ALL],
  ['OPTIONS', READ | IDEMPOTENT | ALL],
  ['TRACE', READ | IDEMPOTENT | ALL],
  ['PUT', IDEMPOTENT | ALL],
  ['DELETE', IDEMPOTENT | ALL],
  ['POST', ALL],
  ['PATCH', ALL],
]);

export function makeHttpClassifier(kind: ClassifierKind): HttpClassifier {
  switch (kind) {
    case 'io.l5d.http.nonRetryable5XX':
      return new ServerErrorClassifier(0);
    case 'io.l5d.http.retryableRead5XX':
      return new ServerErrorClassifier(READ);
    case 'io.l5d.http.retryableIdempotent5XX':
      return new ServerErrorClassifier(IDEMPOTENT);
    case 'io.l5d.http.retryableAll5XX':
      return new ServerErrorClassifier(ALL);
    case 'io.l5d.http.allSuccessful':
      return allSuccessful;
    default:
      return never(kind);
  }
}

const allSuccessful: HttpClassifier = {
  classify(_method, _streamed, outcome) {
    if (!(outcome instanceof Failure)) return 'success';
    return outcome.kind === 'cancelled' ? 'ignorable' : 'failure';
  },
};

class ServerErrorClassifier implements HttpClassifier {
  readonly #methods: number;

  constructor(methods: number) {
    this.#methods = methods;
  }

  classify(method: string, streamed: boolean, outcome: ResponseHead | Failure): ResponseClass {
    if (outcome instanceof Failure) {
      if (outcome.kind === 'cancelled') return 'ignorable';
      return !streamed && this.#repeats(method) && mayRepeat(outcome) ? 'retryable' : 'failure';
    }
    const { status, fields } = outcome;
    if (status < 500 || status > 599) return 'success';
    if (streamed) return 'failure';
    const mark = fields.first(Field.l5dRetryable)?.toLowerCase();
    if (mark === 'false') return 'failure';
    return mark === 'true' || this.#repeats(method) || isNack(status, fields) ? 'retryable' : 'failure';
  }

  #repeats(method: string): boolean {
    return ((METHOD_SETS.get(method) ?? 0) & this.#methods) !== 0;
  }
}

/** Failures after which a request of a fitting method may be sent again. */
function mayRepeat(failure: Failure): boolean {
  if (failure.undelivered) return true;
  switch (failure.kind) {
    case 'attempt-timeout':
    case 'binding-timeout':
    case 'upstream-closed':
    case 'bad-response':
      return true;
    default:
      return false;
  }
}

/** A 503 by which the other side says that it has done nothing. */
export function isNack(status: number, fields: Fields): boolean {
  if (status !== 503) return false;
  if (fields.first(Field.retryAfter) === '0') return true;
  return fields.mayHave(Field.nack) && fields.named('finagle-http-nack') !== undefined;
}

/** A 503 that says that the request was refused and must not be sent again. */
export function isNonRetryableNack(status: number, fields: Fields): boolean {
  return (
    status === 503 &&
    fields.mayHave(Field.nack) &&
    fields.named('finagle-http-nonretryable-nack') !== undefined
  );
}
