/** What a request line and its Host must agree on before the request means anything (RFC 9112 3.2, 3.3). */

import { Field } from '../fields.ts';
import type { RequestHead } from '../head.ts';
import { HeadProblem } from './head-parser.ts';

const SLASH = 0x2f;
/** `uri-host [":" port]` (RFC 3986 3.2.2): nothing that a URI made of it would take for something else. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[\w\-.~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?$/;
const ABSOLUTE = /^https?:\/\/[^/?#]/i;

export function checkRequest(head: RequestHead): HeadProblem | undefined {
  const { fields, method, target } = head;
  const hosts = fields.mayHave(Field.host) ? countOf(fields.ids) : 0;
  if (hosts > 1) return new HeadProblem(400, 'more than one Host header (RFC 9112 3.2)');
  const origin = target.charCodeAt(0) === SLASH;
  // An absolute target says itself which host it means.
  if (hosts === 0 && head.minor === 1 && (origin || !ABSOLUTE.test(target))) {
    return new HeadProblem(400, 'an HTTP/1.1 request without a Host header (RFC 9112 3.2)');
  }
  if (hosts === 1 && !HOST.test(fields.first(Field.host) ?? '')) {
    return new HeadProblem(400, 'a Host header that is not a host (RFC 9112 3.2)');
  }
  if (fields.mayHave(Field.expect) && fields.first(Field.expect)?.toLowerCase() !== '100-continue') {
    return new HeadProblem(417, 'an Expect other than 100-continue (RFC 9110 10.1.1)');
  }
  if (origin || ABSOLUTE.test(target) || (target === '*' && method === 'OPTIONS')) return undefined;
  if (method === 'CONNECT') return new HeadProblem(501, 'CONNECT is not supported');
  return new HeadProblem(400, 'a request target that is neither a path nor an http URI (RFC 9112 3.2)');
}

function countOf(ids: readonly number[]): number {
  let count = 0;
  for (const id of ids) if (id === Field.host) count++;
  return count;
}
