/** The one place where a failure gets a status code. A new kind does not compile until it has one. */
import { never } from '../../src/base/assert.ts';
import type { FailureKind } from '../../src/base/failure.ts';

export function statusOf(kind: FailureKind): number {
  switch (kind) {
    case 'unidentified':
    case 'bad-dtab':
    case 'call-depth':
    case 'bad-max-forwards':
      return 400;
    // Only a request body that stalls comes to an answer: a response that stalls has begun and is cut.
    case 'body-timeout':
      return 408;
    case 'internal':
      return 500;
    case 'no-endpoints':
    case 'naming':
    case 'binding-timeout':
    case 'connect':
    case 'marked-down':
    case 'tls':
    case 'bad-response':
    case 'upstream-closed':
    case 'nacked':
    case 'too-many-waiters':
    case 'cancelled': // nobody is there to read it
      return 502;
    case 'attempt-timeout':
    case 'total-timeout':
    case 'server-timeout':
    case 'deadline':
    case 'no-descriptors':
    case 'overloaded':
      return 503;
    default:
      return never(kind);
  }
}
