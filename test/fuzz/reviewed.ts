/**
 * Where the router and node:http with http-proxy understand bytes differently, and why that is right. A
 * difference that is not here is a failure. The list in words: docs/security.md.
 */
import type { Difference } from './differential.ts';

export type Reviewed = {
  readonly of: 'requests' | 'response' | 'both';
  readonly kind: Difference['kind'];
  readonly why: RegExp;
  /** Only for inputs like this. */
  readonly when?: RegExp;
  readonly reason: string;
};

const ABSOLUTE = /\shttps?:\/\//i;
/** At least two request lines: the second one may be damaged. */
const SEVERAL = /HTTP\/1[\s\S]*\r\n[\s\S]* [\s\S]*HTTP\/?/;
const stricter = (why: RegExp, reason: string, of: Reviewed['of'] = 'both'): Reviewed => ({
  of,
  kind: 'router refuses',
  why,
  reason,
});

export const reviewed: readonly Reviewed[] = [
  stricter(
    /^byte \S+ (?:in the request target|after the version|in a header name)$|^blank between the header name/,
    'RFC 9112 3, 5.1: the reference takes several blanks, odd bytes, and a request line without a version (HTTP/0.9)',
    'requests',
  ),
  stricter(/folded header line/, 'RFC 9112 5.2: refused in requests'),
  stricter(
    /Transfer-Encoding in an HTTP\/1\.0 message/,
    'RFC 9112 6.1: the framing is faulty; the reference reads the chunks',
  ),
  stricter(
    /a Transfer-Encoding other than a single "chunked"/,
    'RFC 9112 6.1: a coding that we do not undo would be forwarded undecoded',
  ),
  stricter(
    /both Content-Length and Transfer-Encoding/,
    'RFC 9112 6.3: may be refused, and is how smuggling begins',
  ),
  stricter(/a Content-Length that is not a number/, 'RFC 9112 6.3: the reference drops what it cannot read'),
  stricter(/conflicting `Content-Length` headers/, 'RFC 9112 6.3'),
  stricter(
    /neither a path nor an http URI/,
    'RFC 9112 3.2: the reference takes any word, any scheme and userinfo',
    'requests',
  ),
  stricter(
    /a Host header that is not a host/,
    'RFC 9112 3.2: the reference does not look at the value',
    'requests',
  ),
  stricter(/more than one Host header/, 'RFC 9112 3.2: the reference keeps the first', 'requests'),
  stricter(
    /without a Host header/,
    'RFC 9112 3.2: the reference answers 400 as well, and then goes on with the next request',
    'requests',
  ),
  stricter(
    /an Expect other than 100-continue/,
    'RFC 9110 10.1.1: the reference looks for the words anywhere',
    'requests',
  ),
  stricter(
    /^byte 0x0[ad] in the method$/,
    'RFC 9112 2.2 lets a server skip one CRLF; the reference skips any CR and LF',
    'requests',
  ),
  stricter(
    /bad trailer: /,
    'trailers are checked like headers; the reference takes a bare CR or any byte there',
  ),
  stricter(
    /^nothing said$/,
    'the caller ended inside of a message: nothing is left to answer to',
    'requests',
  ),
  stricter(
    /the version is not HTTP\/1\.x|status code|in the status/,
    'RFC 9112 4: the reference skips what is before the status line, and reads odd codes',
    'response',
  ),
  stricter(
    /version HTTP\/\d\.\d is not supported|the version is not HTTP\/1\.x/,
    'RFC 9112 2.3: the reference takes versions 0.9 and 2.0 for its own',
  ),
  stricter(/chunk/, 'RFC 9112 7.1: sizes are digits and nothing else, within bounds'),
  stricter(
    /byte 0x\w\w in the value of header|a CR that is not followed by LF/,
    'RFC 9110 5.5: no control bytes in values',
  ),
  stricter(
    /^the head is longer|^the initial line is longer|more than \d+ header lines/,
    'our limits are lower than 16 KB',
    'both',
  ),
  {
    of: 'both',
    kind: 'reference refuses',
    why: /^HPE_UNEXPECTED_CONTENT_LENGTH$/,
    when: /content-length:[\s\S]*content-length:/i,
    reason: 'RFC 9112 6.3 allows several equal lengths to become one, which is what is sent on',
  },
  {
    of: 'requests',
    kind: 'reference refuses',
    why: /^HPE_INVALID_METHOD$/,
    reason: 'RFC 9110 9.1: a method is any token; the reference has a list',
  },
  {
    of: 'requests',
    kind: 'reference refuses',
    why: /^(?:HPE_|ECONNRESET|nothing said|socket hang up)/,
    when: SEVERAL,
    reason: 'the reference parses ahead and, when a later request is bad, drops the good ones before it',
  },
  {
    of: 'requests',
    kind: 'target',
    why: /^\* \/ \/$/,
    when: ABSOLUTE,
    reason: 'RFC 9112 3.2.4: OPTIONS of a URI without a path becomes OPTIONS *; http-proxy makes / of it',
  },
  {
    of: 'requests',
    kind: 'target',
    why: /^\/\/\S* \/ \/\S*$/,
    reason: 'http-proxy makes one slash of two at the beginning; we change no byte',
  },
  {
    of: 'response',
    kind: 'reference refuses',
    why: /^HPE_(?:INVALID_CONSTANT|CLOSED_CONNECTION)$/,
    reason:
      'bytes after the end of an answer: the answer is whole and is delivered, and the connection is closed',
  },
  { of: 'requests', kind: 'target', why: /#/, reason: 'http-proxy drops a fragment; we change no byte' },
  { of: 'requests', kind: 'target', why: /^\* \/ \/\*$/, reason: 'http-proxy makes a path of *' },
  {
    of: 'requests',
    kind: 'target',
    why: /^\S* \/ \S*%\S*$/,
    reason: 'http-proxy escapes bytes such as " < > { | } \\ ^ `; we change no byte',
  },
  {
    of: 'requests',
    kind: 'host',
    why: / \/ 127\.0\.0\.1:\d+$/,
    reason: 'http-proxy makes up a Host where there is none or an empty one',
  },
  {
    of: 'requests',
    kind: 'host',
    why: /./,
    when: ABSOLUTE,
    reason: 'RFC 9112 3.2.2: an absolute target wins over Host; http-proxy forwards Host',
  },
  {
    of: 'requests',
    kind: 'body',
    why: /^(?:DELETE|OPTIONS) [\s\S]* \/ $/,
    reason: 'http-proxy throws the chunked bodies of DELETE and OPTIONS away',
  },
  {
    of: 'both',
    kind: 'fields',
    why: /./,
    when: /connection:[\s\S]*x-/i,
    reason: 'RFC 9110 7.6.1: fields that Connection names end here; http-proxy forwards them',
  },
];

export function isReviewed(of: 'requests' | 'response', input: string, { kind, why }: Difference): boolean {
  return reviewed.some(
    (each) =>
      (each.of === 'both' || each.of === of) &&
      each.kind === kind &&
      each.why.test(why) &&
      (each.when === undefined || each.when.test(input)),
  );
}
