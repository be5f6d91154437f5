/**
 * The fields that a router writes, appended to the text of a head. All of it is safe to write: names print as
 * ASCII, numbers are numbers, and what was received has been through the head parser.
 */
import type { ResponseClass } from '../classify/http.ts';
import { appendClientCert } from './client-cert.ts';
import { appendDeadline, type Deadline } from './deadline.ts';
import { appendLocalDtab } from './local-dtab.ts';
import type { RequestContext } from './request-context.ts';
import type { TracePropagator } from './trace.ts';
import { appendVia } from './via.ts';

/** Tells finagle services that the request may be sent again; on buffered requests with a body. */
export const RETRYABLE_REQUEST = 'finagle-http-retryable-request: \r\n';

/** What the chosen client adds to a request; made once per service path and client. */
export type ClientFields = {
  /** `dstServiceBlock` and `dstClientBlock`. */
  readonly dst: string;
  readonly forwardClientCert: boolean;
};

/**
 * One attempt. `deadline` is the strictest of the context's and of the timeouts in force; `presentedCert` is
 * the value for the certificate of the caller's connection.
 */
export function appendRequestFields(
  out: string,
  context: RequestContext,
  minor: number,
  client: ClientFields,
  propagator: TracePropagator,
  deadline: Deadline | undefined,
  presentedCert: string | undefined,
): string {
  let text = appendVia(out, context.via, minor) + client.dst;
  if (deadline !== undefined) text = appendDeadline(text, deadline);
  if (context.localDtab.show !== '') text = appendLocalDtab(text, context.localDtab.show);
  if (client.forwardClientCert) {
    text = appendClientCert(text, true, context.forwardedClientCert, presentedCert);
  }
  return propagator.append(text, context.trace);
}

const SUCCESS = 'l5d-success-class: 1.0\r\n';
const FAILURE = 'l5d-success-class: 0.0\r\n';

/**
 * On every routed response; not on generated errors. Without a class (`clearContext`) nothing is said of it.
 */
export function appendResponseFields(
  out: string,
  via: string | undefined,
  minor: number,
  responseClass: ResponseClass | undefined,
): string {
  const text = appendVia(out, via, minor);
  return responseClass === undefined ? text : text + (responseClass === 'success' ? SUCCESS : FAILURE);
}
