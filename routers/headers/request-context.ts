/** What the header stages learn about one request; one object an exchange, filled anew for each request. */
import type { Deadline } from './deadline.ts';
import { type LocalDtab, noOverride } from './local-dtab.ts';
import { TraceId } from './trace-id.ts';

export class RequestContext {
  localDtab: LocalDtab = noOverride;
  deadline: Deadline | undefined = undefined;
  /** The deadline that the caller has set, as a date; Infinity without one. */
  deadlineMs = Number.POSITIVE_INFINITY;
  /** The span of this router; attempts are its children. */
  readonly trace = new TraceId();
  /** Values of fields that are taken out of the head and written by us. */
  via: string | undefined = undefined;
  forwardedClientCert: string | undefined = undefined;
  /** TRACE or OPTIONS with Max-Forwards 0: to be answered here, after routing. */
  answerHere = false;
  /** Protocols that the request asks to switch to, as the value of Upgrade. */
  upgrade: string | undefined = undefined;
  /** The answer gets routing details appended. */
  addContext = false;
}
