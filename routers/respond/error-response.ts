/**
 * Responses that a router makes up: what a caller sees when a request fails. The first lines keep linkerd's
 * text, so that those who look for it find it; then come a stable code and, if known, why: the dtab entry
 * that decided, what the namer answered, names that exist, and a command that shows the whole resolution.
 */
import type { Failure } from '../../src/base/failure.ts';
import { formEncode } from './form-encode.ts';
import { statusOf } from './status-of.ts';

/** Field values are ASCII; the writer adds what frames the message (Content-Length, Connection). */
export type GeneratedResponse = {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** To be sent as UTF-8. */
  readonly body: string;
};

export type ErrorLimits = {
  /** Cap of the encoded `l5d-err` value. */
  readonly headerChars: number;
  readonly bodyChars: number;
};

/** What else fits into a head of `maxHeadersBytes` beside `l5d-err`: the status line and our other fields. */
const OTHER_FIELDS_BYTES = 1024;

/**
 * The limits of a router. The head as a whole has to stay below its limit, because another router in front of
 * us has the same one and would refuse a longer head, and with it our explanation.
 */
export function errorLimits(maxHeadersBytes: number, maxErrResponseChars: number): ErrorLimits {
  return {
    headerChars: Math.max(Math.floor(maxHeadersBytes / 2), maxHeadersBytes - OTHER_FIELDS_BYTES),
    bodyChars: maxErrResponseChars,
  };
}

export function errorResponse(
  status: number,
  message: string,
  limits: ErrorLimits,
  retryable?: boolean,
): GeneratedResponse {
  const fields: [string, string][] = [
    ['l5d-err', formEncode(message, limits.headerChars)],
    ['Content-Type', 'text/plain'],
  ];
  if (retryable !== undefined) fields.push(['l5d-retryable', String(retryable)]);
  return { status, fields, body: message.slice(0, limits.bodyChars) };
}

/** All that is known about why; every part may be missing. Texts are as they are to be read. */
export type Explanation = {
  readonly router?: string;
  /** Printed service name. */
  readonly service?: string;
  readonly localDtab?: string;
  /** URL of the admin server, e.g. `http://localhost:9990`. */
  readonly admin?: string;
};

function explain(failure: Failure, about: Explanation): string {
  let text = `code: ${failure.kind}\n`;
  if (about.admin !== undefined && about.service !== undefined) text += `explain: ${explainCommand(about)}\n`;
  return text;
}

/** A line for a shell: percent-encoding leaves nothing in the URL that a quoted word could end with. */
function explainCommand(about: Explanation): string {
  const parameters: [string, string | undefined][] = [
    ['namespace', about.router],
    // The router's own dtab may be long; the admin server knows it.
    ['base', '1'],
    ['path', about.service],
    ['dtab', about.localDtab || undefined],
  ];
  const query = parameters.flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encoded(value)}`],
  );
  const curl = about.admin?.startsWith('https:') ? 'curl -sk' : 'curl -s';
  return `${curl} '${about.admin}/delegator.json?${query.join('&')}'`;
}

function encoded(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll("'", '%27').replaceAll('%2F', '/');
}

/** The field that has the code, in every response that a router makes up; docs/errors.md explains each. */
export const CODE_FIELD = 'turnout-err';

/**
 * Refused before anything was done: what finagle clients take as a reason to try elsewhere. Not an error of
 * ours.
 */
const overloaded: GeneratedResponse = {
  status: 503,
  fields: [
    [CODE_FIELD, 'overloaded'],
    ['finagle-http-nack', 'true'],
    ['Retry-After', '0'],
    ['Content-Type', 'text/plain'],
  ],
  body:
    'Request was not processed by the server due to an error and is safe to retry\n\n' +
    'maxConcurrentRequests of the server, or the share of them that one address gets, are under way, or ' +
    'its event loop is late (maxLoopDelayMs)\n\ncode: overloaded\n',
};

/** The answer to a failure; `exhausted`: after as many retries as the budget allowed. */
export function failureResponse(
  failure: Failure,
  limits: ErrorLimits,
  about: Explanation = {},
  exhausted = false,
): GeneratedResponse {
  if (failure.kind === 'overloaded') return overloaded;
  const gist = failure.message === '' ? failure.kind : failure.message;
  const message = `${gist}${gist.endsWith('\n') ? '' : '\n'}\n${explain(failure, about)}`;
  const retryable = isRetryable(failure) ? true : undefined;
  const made = errorResponse(statusOf(failure.kind), message, limits, exhausted ? false : retryable);
  const wait: [string, string][] = failure.kind === 'no-descriptors' ? [['Retry-After', '1']] : [];
  return { ...made, fields: [[CODE_FIELD, failure.kind], ...made.fields, ...wait] };
}

/**
 * As in linkerd, the failures that have a text block of their own do not carry the mark, nor do the caller's
 * mistakes.
 */
function isRetryable(failure: Failure): boolean {
  if (!failure.undelivered) return false;
  return failure.kind !== 'connect' && failure.kind !== 'no-endpoints' && statusOf(failure.kind) >= 500;
}
