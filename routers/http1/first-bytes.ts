/**
 * What a caller speaks inside a CONNECT tunnel, told by its first bytes. Every split of the same bytes
 * gives the same verdict, and a verdict never changes when more bytes come. Whatever may be an HTTP/1
 * request is taken for one, so that a request line that is only nearly right is refused by the parser and
 * not passed on unread.
 */

/** opaque: bytes of neither kind, carried as they are. */
export type FirstBytes = 'http' | 'tls' | 'opaque';

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;

/**
 * Methods after which nothing else is asked for but a blank, or what servers have taken for one (RFC 9112 3);
 * no other protocol begins so.
 */
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
/** So many bytes have a verdict: what may be a request is left to the parser and its limits. */
export const FIRST_TEXT_MAX = 4096;

const VERSION = 'HTTP/1.';
/** How much of a text is a token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*/;
const BLANK = /[ \t\v\f\r\n]/;
/** Blanks within a line. */
const GAP = /[ \t\v\f]/;
/** Servers skip empty lines before a request, many of them any number and in any form (RFC 9112 2.2). */
const EMPTY_LINES = /^[\r\n]*/;

/** Undefined: it takes more bytes to tell. `text` has one character a byte. */
export function classifyFirstBytes(text: string): FirstBytes | undefined {
  if (text === '') return undefined;
  if (text.charCodeAt(0) === TLS_HANDSHAKE) {
    if (text.length === 1) return undefined;
    return text.charCodeAt(1) === TLS_MAJOR ? 'tls' : 'opaque';
  }
  const line = text.replace(EMPTY_LINES, '');
  const full = text.length >= FIRST_TEXT_MAX;
  const found = line === '' ? undefined : classifyLine(line, full);
  return found ?? (full ? 'http' : undefined);
}

/**
 * The verdict when no more bytes come: the beginning of a well-known method is somebody who types slowly, and
 * anything else waits for the other side to speak.
 */
export function classifyAtRest(text: string): FirstBytes {
  const known = classifyFirstBytes(text);
  if (known !== undefined) return known;
  const line = text.replace(EMPTY_LINES, '');
  return line !== '' && METHODS.some((method) => method.startsWith(line)) ? 'http' : 'opaque';
}

/** `full`: no more of it will be looked at, and a word without an end is no method. */
function classifyLine(line: string, full: boolean): FirstBytes | undefined {
  const [method = ''] = TOKEN.exec(line) ?? [];
  if (method === line) return full ? 'opaque' : undefined;
  const next = line.charAt(method.length);
  if (METHODS.includes(method)) return BLANK.test(next) ? 'http' : 'opaque';
  return method !== '' && GAP.test(next) ? classifyTarget(line, method.length + 1) : 'opaque';
}

/** After a token that may be a method: a target, whatever is in it, a blank and the version. */
function classifyTarget(line: string, start: number): FirstBytes | undefined {
  let at = start;
  while (at < line.length && !BLANK.test(line.charAt(at))) at++;
  if (at === line.length) return undefined;
  if (at === start || !GAP.test(line.charAt(at))) return 'opaque';
  const version = line.slice(at + 1, at + 1 + VERSION.length);
  if (version === VERSION) return 'http';
  return VERSION.startsWith(version) ? undefined : 'opaque';
}
