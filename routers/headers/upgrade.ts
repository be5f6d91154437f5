/**
 * `Upgrade` (RFC 9110 7.8): which other protocols a request may switch to. What is sent on is made of the
 * parsed tokens. `h2c` never passes, also not in a list with others: its frames would carry requests that
 * nobody here reads. A request with a body does not pass it on either, because the end of the body and
 * the begin of the other protocol would have to be agreed on by everybody on the way; neither does a
 * TRACE, whose answer is about the request as it arrived.
 */
import { Field, type Fields } from '../fields.ts';
import type { RequestHead } from '../head.ts';
import { listTokens } from './list-tokens.ts';

/** protocol-name ["/" protocol-version] */
const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;
const NEVER = /^(?:h2c|h2|http\/2(?:\.0)?)$/i;
const PROTOCOLS_MAX = 8;

/** The protocols to ask the next hop for, as a field value; undefined: it is an ordinary request. */
export function upgradeOf(head: RequestHead): string | undefined {
  const { fields, minor, method } = head;
  if (!fields.mayHave(Field.upgrade) || minor !== 1) return undefined;
  if (method === 'TRACE' || method === 'CONNECT') return undefined;
  if (!namesUpgrade(fields) || hasBody(fields)) return undefined;
  const protocols = tokens(fields).filter((each) => PROTOCOL.test(each) && !NEVER.test(each));
  return protocols.length === 0 || protocols.length > PROTOCOLS_MAX ? undefined : protocols.join(', ');
}

/**
 * The protocols that a 101 switches to: undefined unless they are among those asked for and Connection names
 * the field.
 */
export function switchedTo(fields: Fields, asked: string | undefined): string | undefined {
  if (asked === undefined || !namesUpgrade(fields)) return undefined;
  const offered = asked.toLowerCase().split(', ');
  const chosen = tokens(fields);
  if (chosen.length === 0 || !chosen.every((each) => offered.includes(each.toLowerCase()))) return undefined;
  return chosen.join(', ');
}

function tokens(fields: Fields): string[] {
  return fields
    .all(Field.upgrade)
    .flatMap(listTokens)
    .filter((token) => token !== '');
}

function namesUpgrade(fields: Fields): boolean {
  return fields
    .all(Field.connection)
    .some((value) => listTokens(value).some((token) => token.toLowerCase() === 'upgrade'));
}

function hasBody(fields: Fields): boolean {
  if (fields.mayHave(Field.transferEncoding)) return true;
  return fields.all(Field.contentLength).some((value) => Number(value) !== 0);
}
