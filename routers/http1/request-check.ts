/** What a request line and its Host must agree on before the request means anything (RFC 9112 3.2, 3.3). */

import { Field } from '../fields.ts';
import type { RequestHead } from '../head.ts';
import { HeadProblem } from './head-parser.ts';

const SLASH = 0x2f;
/**
 * `uri-host [":" port]` (RFC 3986 3.2.2), or nothing: nothing that a URI made of it would take for something
 * else.
 */
const HOST = /^(?:(?:\[[0-9A-Fa-f:.]+\]|(?:[\w\-.~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?)?$/;
const CONTINUE = /^100-continue$/i;
const ABSOLUTE = /^https?:\/\/([^/?#]+)/i;

/** An http URI with a host and without userinfo, an error in what comes from afar (RFC 9110 4.2.4). */
function isAbsolute(target: string): boolean {
  const authority = ABSOLUTE.exec(target)?.[1];
  return authority !== undefined && HOST.test(authority);
}

export function checkRequest(head: RequestHead): HeadProblem | undefined {
  const { fields, method, target } = head;
  const hosts = fields.mayHave(Field.host) ? countOf(fields.ids) : 0;
  if (hosts > 1) return new HeadProblem(400, 'more than one Host header (RFC 9112 3.2)');
  const origin = target.charCodeAt(0) === SLASH;
  // An absolute target says itself which host it means.
  if (hosts === 0 && head.minor === 1 && (origin || !isAbsolute(target))) {
    return new HeadProblem(400, 'an HTTP/1.1 request without a Host header (RFC 9112 3.2)');
  }
  if (hosts === 1 && !HOST.test(fields.first(Field.host) ?? '')) {
    return new HeadProblem(400, 'a Host header that is not a host (RFC 9112 3.2)');
  }
  if (fields.mayHave(Field.expect) && fields.all(Field.expect).some((each) => !CONTINUE.test(each))) {
    return new HeadProblem(417, 'an Expect other than 100-continue (RFC 9110 10.1.1)');
  }
  // Its target is looked at by connectTarget.
  if (method === 'CONNECT') return undefined;
  if (origin || isAbsolute(target) || (target === '*' && method === 'OPTIONS')) return undefined;
  return new HeadProblem(400, 'a request target that is neither a path nor an http URI (RFC 9112 3.2)');
}

function countOf(ids: readonly number[]): number {
  let count = 0;
  for (let i = 0; i < ids.length; i++) if (ids[i] === Field.host) count++;
  return count;
}
