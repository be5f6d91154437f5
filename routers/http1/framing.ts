/**
 * How long the body of a message is (RFC 9112 6.3), and the refusal of every message that leaves it in doubt.
 */
import { Field, type Fields } from '../fields.ts';
import { HeadProblem } from './head-parser.ts';

/** Body lengths that are not a number of bytes. */
export const CHUNKED = -1;
export const UNTIL_CLOSE = -2;

const DIGITS_MAX = 15;

/** The number that 1 to 15 digits are, or -1. */
function digits(text: string): number {
  if (text.length === 0 || text.length > DIGITS_MAX) return -1;
  let number = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** The declared length of a message's body: bytes, CHUNKED, or undefined when the head declares none. */
export function declaredLength(fields: Fields, minor: number): number | undefined | HeadProblem {
  const chunked = fields.mayHave(Field.transferEncoding);
  if (!fields.mayHave(Field.contentLength) && !chunked) return undefined;
  if (chunked) {
    if (fields.mayHave(Field.contentLength)) {
      return new HeadProblem(400, 'both Content-Length and Transfer-Encoding (RFC 9112 6.1)');
    }
    if (minor === 0) return new HeadProblem(400, 'Transfer-Encoding in an HTTP/1.0 message (RFC 9112 6.1)');
    const codings = fields.all(Field.transferEncoding);
    if (codings.length !== 1 || codings[0]?.toLowerCase() !== 'chunked') {
      return new HeadProblem(400, 'a Transfer-Encoding other than a single "chunked" (RFC 9112 6.1)');
    }
    return CHUNKED;
  }
  let first: string | undefined;
  let length = 0;
  for (let i = 0; i < fields.ids.length; i++) {
    if (fields.ids[i] !== Field.contentLength) continue;
    const value = fields.values[i] as string;
    length = digits(value);
    if (length < 0) return new HeadProblem(400, 'a Content-Length that is not a number (RFC 9112 6.3)');
    if (first !== undefined && first !== value) {
      return new HeadProblem(400, 'conflicting `Content-Length` headers (RFC 9112 6.3)');
    }
    first = value;
  }
  return length;
}

/**
 * The same for a response; `method` is the request's. Without a declared length the body ends with the
 * connection.
 */
export function responseLength(
  fields: Fields,
  minor: number,
  status: number,
  method: string,
): number | HeadProblem {
  const declared = declaredLength(fields, minor);
  if (declared instanceof HeadProblem) return declared;
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) return 0;
  return declared ?? UNTIL_CLOSE;
}
