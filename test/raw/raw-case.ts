/**
 * What one raw case is: the bytes that a caller sends, what the endpoint does, and what both must have seen at
 * the end. Strings have one character a byte.
 */
import type { Framing } from './strict-reader.ts';

/**
 * What the endpoint does for one request: `connect`, as soon as there is a connection; `head`, when it has the
 * head of the request; `request`, when it has all of it. Several texts are written one by one.
 */
export type UpstreamStep = {
  readonly on?: 'connect' | 'head' | 'request';
  readonly afterMs?: number;
  readonly write?: string | readonly string[];
  readonly finish?: 'end' | 'reset';
};

/** A request as the endpoint must get it, unambiguous and whole; what is not named is not looked at. */
export type ExpectedRequest = {
  readonly line: string;
  readonly framing?: Framing;
  readonly body?: string;
  /** By lower-case name; undefined: there is no such field. Several values are joined by ` | `. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly trailers?: readonly string[];
};

export type ExpectedAnswer = {
  readonly status: number | readonly number[];
  /** It answers a HEAD. */
  readonly head?: boolean;
  readonly framing?: Framing;
  readonly body?: string | RegExp;
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly trailers?: readonly string[];
  /** It begins and is cut, in a way that nobody can take for its end. */
  readonly cut?: boolean;
};

/** plain: bodies from 5 KiB on and chunked ones are streamed. buffered: none is. slow: small time limits. */
export type LaneKind = 'plain' | 'buffered' | 'slow';

export type RawCase = {
  readonly title: string;
  /** Several texts are sent one by one, each when the one before has been taken in. */
  readonly send: string | readonly string[];
  /** What the caller does after the last byte, when its request has been taken in. */
  readonly hangUp?: 'end' | 'reset';
  /** For the first requests; all others are answered with an echo. */
  readonly upstream?: readonly UpstreamStep[];
  /** The endpoint has an idle connection that has been used; otherwise it has none if `upstream` is set. */
  readonly warm?: boolean;
  readonly expectUpstream: readonly (string | ExpectedRequest)[];
  /** A beginning of a request may have been forwarded, and must be cut before its end. */
  readonly partial?: boolean;
  /** A number is a status. A 200 without a body here is the echo of its own request. */
  readonly expectClient: readonly (number | ExpectedAnswer)[];
  /** Whether the router ends the connection afterwards. */
  readonly closed: boolean;
  readonly lanes?: readonly LaneKind[];
};

export const GET = 'GET /x HTTP/1.1\r\nHost: web\r\n\r\n';
/** Follows what is refused: it must never come through. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n';
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A GET with these header lines, each without its CRLF. */
export function get(...lines: readonly string[]): string {
  return `GET /x HTTP/1.1\r\nHost: web\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** A POST with these header lines and this body. */
export function post(lines: string | readonly string[], body = ''): string {
  return `POST /x HTTP/1.1\r\nHost: web\r\n${[lines].flat().join('\r\n')}\r\n\r\n${body}`;
}

/** A POST with a chunked body, given as it stands on the wire. */
export function chunked(wire: string, ...lines: readonly string[]): string {
  return post(['Transfer-Encoding: chunked', ...lines], wire);
}

/** A response with these header lines and this body. */
export function reply(lines: string | readonly string[], body = '', statusLine = 'HTTP/1.1 200 OK'): string {
  return `${[statusLine, ...[lines].flat()].join('\r\n')}\r\n\r\n${body}`;
}

/** Refused at once, with everything behind it: nothing arrives upstream. */
export function refused(title: string, send: string | readonly string[], status = 400): RawCase {
  return { title, send, expectUpstream: [], expectClient: [status], closed: true };
}

/** Forwarded, and answered with its own echo. */
export function passes(
  title: string,
  send: string | readonly string[],
  expected: string | ExpectedRequest = 'GET /x HTTP/1.1',
): RawCase {
  return { title, send, expectUpstream: [expected], expectClient: [200], closed: false };
}

/** A GET whose answer is this; what the caller gets, and whether the router keeps the connection. */
export function answered(
  title: string,
  write: string | readonly string[],
  expected: number | ExpectedAnswer,
  step: UpstreamStep = {},
  closed = false,
): RawCase {
  return {
    title,
    send: GET,
    upstream: [{ write, ...step }],
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [expected],
    closed,
  };
}
