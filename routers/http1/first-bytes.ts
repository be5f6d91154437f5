/**
 * What a caller speaks inside a CONNECT tunnel, told by its first bytes. Every split of the same bytes
 * gives the same verdict, and a verdict never changes when more bytes come. Whatever may be an HTTP/1
 * request is taken for one, so that a request line that is only nearly right is refused by the parser and
 * not passed on unread.
 */

/** opaque: bytes of neither kind, carried as they are. */
export type FirstBytes = 'http' | 'tls' | 'opaque';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;

/** Methods after which nothing else is asked for; no other protocol begins with one of these and a blank. */
const METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'CONNECT',
];
/** A first line of this length has a verdict: what may be a request is left to the parser and its limits. */
const LINE_MAX = 4096;
/** More than this need not be looked at: the line, with an empty one before it. */
export const FIRST_TEXT_MAX = LINE_MAX + 2;

const VERSION = 'HTTP/1.';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Undefined: it takes more bytes to tell. `text` has one character a byte. */
export function classifyFirstBytes(text: string): FirstBytes | undefined {
  if (text === '') return undefined;
  if (text.charCodeAt(0) === TLS_HANDSHAKE) {
    if (text.length === 1) return undefined;
    return text.charCodeAt(1) === TLS_MAJOR ? 'tls' : 'opaque';
  }
  // One empty line before a request is skipped (RFC 9112 2.2).
  if (text.charCodeAt(0) === CR) {
    if (text.length === 1) return undefined;
    if (text.charCodeAt(1) !== LF) return 'opaque';
    return text.length === 2 ? undefined : classifyLine(text.slice(2));
  }
  return classifyLine(text);
}

/**
 * The verdict when no more bytes come: the beginning of a well-known method is somebody who types slowly, and
 * anything else waits for the other side to speak.
 */
export function classifyAtRest(text: string): FirstBytes {
  const known = classifyFirstBytes(text);
  if (known !== undefined) return known;
  const line = text.startsWith('\r\n') ? text.slice(2) : text;
  return line !== '' && METHODS.some((method) => method.startsWith(line)) ? 'http' : 'opaque';
}

function classifyLine(line: string): FirstBytes | undefined {
  const methodEnd = line.indexOf(' ');
  const method = methodEnd === -1 ? line : line.slice(0, methodEnd);
  if (!TOKEN.test(method)) return 'opaque';
  if (methodEnd === -1) return line.length >= LINE_MAX ? 'opaque' : undefined;
  if (METHODS.includes(method)) return 'http';
  return classifyTarget(line, methodEnd + 1);
}

/** After a token that may be a method: a target, a blank and the version. */
function classifyTarget(line: string, start: number): FirstBytes | undefined {
  let at = start;
  while (at < line.length && line.charCodeAt(at) > SP && line.charCodeAt(at) < 0x7f) at++;
  if (at === line.length) return at >= LINE_MAX ? 'http' : undefined;
  if (at === start || line.charCodeAt(at) !== SP) return 'opaque';
  const version = line.slice(at + 1, at + 1 + VERSION.length);
  if (version === VERSION) return 'http';
  return VERSION.startsWith(version) ? undefined : 'opaque';
}
