/**
 * How answers are put on the wire of a caller's connection, one after the other: the framing that this caller
 * understands, and as few writes as possible (the head waits for the first piece of the body).
 */
import { latin1 } from '../../src/base/latin1.ts';
import type { Exchange } from '../exchange.ts';
import { Field, type Fields } from '../fields.ts';
import type { ResponseHead } from '../head.ts';
import { clearResponseContext } from '../headers/clear-context.ts';
import { CODE_FIELD } from '../respond/error-response.ts';
import { reasonPhrase } from '../respond/reason-phrase.ts';
import { refusalCode } from '../respond/refusal-code.ts';
import { CLOSE_ENDING, type ConnectionHost } from './connection-host.ts';
import { CHUNKED, UNTIL_CLOSE } from './framing.ts';
import { informationalText, responseHeadText, switchLines, trailersText } from './serialize.ts';
import type { Transport } from './transport.ts';

/** Answers up to this length leave in one write together with their head. */
const JOINED_BYTES_MAX = 8192;

export class ResponseWriter {
  /** The final head has been made: there can be no other answer. */
  started = false;
  readonly #server: ConnectionHost;
  readonly #transport: Transport;
  /** Text that waits for something to join it with. */
  #text = '';
  #chunked = false;
  #bodyless = false;

  constructor(server: ConnectionHost, transport: Transport) {
    this.#server = server;
    this.#transport = transport;
  }

  /**
   * `length` is that of the body as it was framed upstream. Answers whether the connection can be kept:
   * `keepAlive`, but not when the end of the body has to be told by closing.
   */
  start(exchange: Exchange, response: ResponseHead, length: number, keepAlive: boolean): boolean {
    const { clearContext } = this.#server.spec;
    const { head } = exchange;
    const unframed = length === CHUNKED || length === UNTIL_CLOSE;
    this.started = true;
    this.#bodyless = head.method === 'HEAD' || response.status === 204 || response.status === 304;
    this.#chunked = unframed && head.minor === 1 && !this.#bodyless;
    let framed: number | undefined;
    let kept = keepAlive;
    if (exchange.switched !== undefined) this.#bodyless = true;
    else if (this.#bodyless) framed = keptLength(head.method, response);
    else if (this.#chunked) framed = CHUNKED;
    else if (unframed) kept = false;
    else framed = length;
    if (clearContext && clearResponseContext(response.fields)) {
      if (!this.#bodyless) {
        framed = 0;
        kept = keepAlive;
      }
      this.#bodyless = true;
      this.#chunked = false;
    }
    let ending = kept ? this.#server.keepAliveEnding : CLOSE_ENDING;
    if (exchange.switched !== undefined) ending = `${switchLines(exchange.switched)}\r\n`;
    this.#text = responseHeadText(exchange, response, framed, ending, clearContext);
    return kept;
  }

  /** False: the caller does not take it all at once. */
  data(source: Transport | undefined, buffer: Buffer, start: number, end: number): boolean {
    if (this.#bodyless || start === end) return true;
    const before = this.#text;
    this.#text = '';
    const count = end - start;
    this.#server.traffic.sentBytes.add(before.length + count);
    if (this.#chunked) {
      const size = `${count.toString(16)}\r\n`;
      return this.#transport.writeBytes(source, buffer, start, end, before + size, '\r\n');
    }
    if (before !== '' && count <= JOINED_BYTES_MAX) {
      return this.#transport.write(before + latin1(buffer, start, end));
    }
    return this.#transport.writeBytes(source, buffer, start, end, before);
  }

  /** A whole body of ours, one character a byte. */
  body(text: string): void {
    if (!this.#bodyless) this.#text += text;
  }

  flush(): boolean {
    if (this.#text === '') return true;
    const text = this.#text;
    this.#text = '';
    this.#server.traffic.sentBytes.add(text.length);
    return this.#transport.write(text);
  }

  end(trailers: Fields | undefined): boolean {
    if (this.#chunked) this.#text += `0\r\n${trailersText(trailers)}\r\n`;
    return this.flush();
  }

  informational(response: ResponseHead): void {
    if (this.#server.spec.clearContext) clearResponseContext(response.fields);
    const text = informationalText(response);
    this.#server.traffic.sentBytes.add(text.length);
    this.#transport.write(text);
  }
}

/** An answer that ends the connection, to a request that was not looked at further. */
export function refusalText(status: number, why: string): string {
  const body = `${why}\n`;
  const fields = status === 503 ? 'Retry-After: 1\r\n' : '';
  return (
    `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${CODE_FIELD}: ${refusalCode(status)}\r\n` +
    'Content-Type: text/plain\r\n' +
    `Content-Length: ${body.length}\r\n${fields}${CLOSE_ENDING}${body}`
  );
}

/** A response without a body keeps its Content-Length when it describes one that is not sent (HEAD, 304). */
function keptLength(method: string, response: ResponseHead): number | undefined {
  if (method !== 'HEAD' && response.status !== 304) return undefined;
  const length = response.fields.first(Field.contentLength);
  return length === undefined ? undefined : Number(length);
}
