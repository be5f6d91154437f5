/**
 * Requests to a proxy carry the whole URI: `GET http://web/path?q HTTP/1.1`. The authority becomes the Host,
 * whatever Host said (RFC 9112 3.2.2), and the rest becomes the target, byte for byte. Only the scheme is
 * dropped: names do not depend on it, so an `https://` URI in plain text is routed like `http://`.
 */
import { Failure } from '../../src/base/failure.ts';
import { Field } from '../fields.ts';
import type { RequestHead } from '../head.ts';

export type AbsoluteForm = { readonly scheme: string; readonly authority: string; readonly rest: string };

const SLASH = 0x2f;
const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)/;

/** Undefined when the target is not in absolute form. `rest` is empty for `http://web`. */
export function splitAbsoluteForm(target: string): AbsoluteForm | undefined {
  if (target.charCodeAt(0) === SLASH) return undefined;
  const match = ABSOLUTE.exec(target);
  if (match === null) return undefined;
  const [whole, scheme, authority] = match as unknown as [string, string, string];
  return { scheme, authority, rest: target.slice(whole.length) };
}

/** Characters of userinfo, host and port (RFC 3986 3.2), those that java.net.URI lets through included. */
const AUTHORITY = /^[A-Za-z0-9\-._~%!$&'()*+,;=:@[\]]+$/;

/**
 * Rewrites the head in place; returns the scheme when the target was absolute. A request line needs a target,
 * so that an empty rest is sent as `/`.
 */
export function rewriteAbsoluteForm(head: RequestHead): string | undefined | Failure {
  if (head.target.charCodeAt(0) === SLASH) return undefined;
  const absolute = splitAbsoluteForm(head.target);
  if (absolute === undefined) return undefined;
  if (!AUTHORITY.test(absolute.authority)) {
    return new Failure(
      'unidentified',
      `the request target ${JSON.stringify(head.target)} has no valid host`,
      true,
    );
  }
  const { rest } = absolute;
  head.target = targetOf(head.method, rest);
  setHost(head, absolute.authority);
  return absolute.scheme;
}

/** RFC 9112 3.2.4: OPTIONS of a URI without path and query asks about the server itself. */
function targetOf(method: string, rest: string): string {
  if (rest.charCodeAt(0) === SLASH) return rest;
  return rest === '' && method === 'OPTIONS' ? '*' : `/${rest}`;
}

export function setHost(head: RequestHead, host: string): void {
  const at = head.fields.mayHave(Field.host) ? head.fields.ids.indexOf(Field.host) : -1;
  if (at === -1) head.fields.add('Host', host, Field.host);
  else head.fields.values[at] = host;
}
