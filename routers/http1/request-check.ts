/** What a request line and its Host must agree on before the request means anything (RFC 9112 3.2, 3.3). */

import { isIPv6 } from 'node:net';
import { Field } from '../fields.ts';
import type { RequestHead } from '../head.ts';
import { HeadProblem } from './head-parser.ts';

const SLASH = 0x2f;
const BRACKET = 0x5b;
/**
 * `uri-host [":" port]` (RFC 3986 3.2.2), or nothing: nothing that a URI made of it would take for something
 * else.
 */
const HOST = /^(?:(?:\[[0-9A-Fa-f:.]+\]|(?:[\w\-.~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?)?$/;
const CONTINUE = /^100-continue$/i;
const ABSOLUTE = /^https?:\/\/([^/?#]+)/i;

/** What is in brackets must be an address as well. */
export function isHost(text: string): boolean {
  return HOST.test(text) && (text.charCodeAt(0) !== BRACKET || isIPv6(text.slice(1, text.lastIndexOf(']'))));
}

/** An http URI with a host and without userinfo, an error in what comes from afar (RFC 9110 4.2.4). */
function isAbsolute(target: string): boolean {
  const authority = ABSOLUTE.exec(target)?.[1];
  return authority !== undefined && isHost(authority);
}

export function checkRequest(head: RequestHead): HeadProblem | undefined {
  const { fields, method, target } = head;
  const hosts = fields.mayHave(Field.host) ? countOf(fields.ids) : 0;
  if (hosts > 1) return new HeadProblem(400, 'more than one Host header (RFC 9112 3.2)');
  if (hosts === 0 && head.minor === 1) {
    return new HeadProblem(400, 'an HTTP/1.1 request without a Host header (RFC 9112 3.2)');
  }
  if (hosts === 1 && !isHost(fields.first(Field.host) ?? '')) {
    return new HeadProblem(400, 'a Host header that is not a host (RFC 9112 3.2)');
  }
  if (fields.mayHave(Field.expect) && fields.all(Field.expect).some((each) => !CONTINUE.test(each))) {
    return new HeadProblem(417, 'an Expect other than 100-continue (RFC 9110 10.1.1)');
  }
  // Its target is looked at by connectTarget.
  if (method === 'CONNECT') return undefined;
  if (target.charCodeAt(0) === SLASH || isAbsolute(target) || (target === '*' && method === 'OPTIONS'))
    return undefined;
  return new HeadProblem(400, 'a request target that is neither a path nor an http URI (RFC 9112 3.2)');
}

function countOf(ids: readonly number[]): number {
  let count = 0;
  for (let i = 0; i < ids.length; i++) if (ids[i] === Field.host) count++;
  return count;
}
