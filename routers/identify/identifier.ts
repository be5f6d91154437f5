/**
 * An identifier names a request. The answer is the printed name, e.g. `/svc/web:8080`: that text is the key
 * of the path cache, so that a `Path` is built only for a name that was not met before.
 */
import { Failure } from '../../src/base/failure.ts';
import type { RequestHead } from '../head.ts';

/**
 * This identifier has nothing to say about the request; the next one of the list is asked. Made once, not per
 * request.
 */
export class Unidentified {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** What names the request is not known yet: it may wait. */
export class NotYet extends Failure {
  constructor(message: string) {
    super('binding-timeout', message, true);
  }
}

export interface Identifier {
  /**
   * A Failure ends the search. Only an identifier that consumes changes the head, and only when it names the
   * request.
   */
  identify(head: RequestHead): string | Unidentified | Failure;
  close?(): void;
}
