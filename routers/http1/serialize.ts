/**
 * Writes heads. Every head is made of parsed fields, never of bytes that were received; framing and
 * connection headers are ours. Texts have one character a byte.
 */
import { BodyKind, type Exchange } from '../exchange.ts';
import { Field, type Fields } from '../fields.ts';
import type { ResponseHead } from '../head.ts';
import type { Deadline } from '../headers/deadline.ts';
import { appendRequestFields, appendResponseFields, RETRYABLE_REQUEST } from '../headers/emit.ts';
import { stripHopByHop } from '../headers/hop-by-hop.ts';
import { CHUNKED } from './framing.ts';

const OK_LINE = 'HTTP/1.1 200 OK\r\n';
const CHUNKED_LINE = 'Transfer-Encoding: chunked\r\n';

function appendFields(out: string, fields: Fields, host: string | undefined): string {
  const { names, values, ids } = fields;
  let text = out;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    if (id === Field.removed || id === Field.contentLength || id === Field.transferEncoding) continue;
    if (id === Field.host && host !== undefined) text += `${names[i]}: ${host}\r\n`;
    else text += `${names[i]}: ${values[i]}\r\n`;
  }
  return text;
}

/**
 * The head of one attempt. `exchange.clientFields` and `propagator` have been set by the stages; `deadline`
 * is the strictest of those in force.
 */
export function requestHeadText(exchange: Exchange, deadline: Deadline | undefined): string {
  const { head, context, clientFields, propagator, bodyKind } = exchange;
  if (clientFields === undefined || propagator === undefined)
    throw new TypeError('an exchange without stages');
  let text = appendFields(
    `${head.method} ${head.target}${head.minor === 1 ? ' HTTP/1.1\r\n' : ' HTTP/1.0\r\n'}`,
    head.fields,
    exchange.authority,
  );
  if (bodyKind === BodyKind.streamed) {
    text += exchange.bodyLength === CHUNKED ? CHUNKED_LINE : `Content-Length: ${exchange.bodyLength}\r\n`;
  } else if (bodyKind === BodyKind.buffered) {
    text += `Content-Length: ${exchange.body.length}\r\n${RETRYABLE_REQUEST}`;
  } else if (head.fields.mayHave(Field.contentLength) || head.fields.mayHave(Field.transferEncoding)) {
    text += 'Content-Length: 0\r\n';
  }
  if (context.upgrade !== undefined) text += switchLines(context.upgrade);
  return `${appendRequestFields(
    text,
    context,
    head.minor,
    clientFields,
    propagator,
    deadline,
    exchange.answer.presentedCert,
  )}\r\n`;
}

/**
 * `framed`: bytes, CHUNKED, or undefined when the response carries no framing header. `ending` is the
 * connection's.
 */
export function responseHeadText(
  exchange: Exchange,
  response: ResponseHead,
  framed: number | undefined,
  ending: string,
  clearContext: boolean,
): string {
  const { fields, status, reason } = response;
  let text = appendFields(statusLine(status, reason), fields, undefined);
  if (framed === CHUNKED) text += CHUNKED_LINE;
  else if (framed !== undefined) text += `Content-Length: ${framed}\r\n`;
  if (exchange.routed) {
    const { responseVia, responseClass } = exchange;
    text = appendResponseFields(text, responseVia, response.minor, clearContext ? undefined : responseClass);
  }
  return text + ending;
}

/** Most answers have the same one: 70 ns less, its flattening included. */
function statusLine(status: number, reason: string): string {
  return reason === 'OK' && status === 200 ? OK_LINE : `HTTP/1.1 ${status} ${reason}\r\n`;
}

/** What asks for other protocols, or agrees to one: parsed tokens. */
export function switchLines(protocols: string): string {
  return `Connection: Upgrade\r\nUpgrade: ${protocols}\r\n`;
}

/** A response with a status 1xx: nothing of the connection, nothing of framing. */
export function informationalText(response: ResponseHead): string {
  const { fields, status, reason } = response;
  stripHopByHop(fields);
  fields.remove(Field.keepAlive);
  fields.remove(Field.proxyConnection);
  return `${appendFields(`HTTP/1.1 ${status} ${reason}\r\n`, fields, undefined)}\r\n`;
}

export function trailersText(trailers: Fields | undefined): string {
  return trailers === undefined ? '' : appendFields('', trailers, undefined);
}
