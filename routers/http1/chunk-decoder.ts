/**
 * Takes a chunked body apart (RFC 9112 7.1), byte by byte where it must and in whole pieces where it can. Any
 * split of the input gives the same result. Extensions are read over within a bound and never forwarded;
 * trailers are kept when they are well-formed fields, except those that would change framing or routing (RFC
 * 9110 6.5.1).
 */
import { latin1 } from '../../src/base/latin1.ts';
import { Field, type Fields } from '../fields.ts';
import { HeadParser, HeadProblem } from './head-parser.ts';
import {
  CHUNK_EXTENSION_BYTES_MAX,
  CHUNK_LINE_BYTES_MAX,
  TRAILER_BYTES_MAX,
  TRAILER_LINES_MAX,
} from './limits.ts';

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const SIZE_DIGITS_MAX = 12;

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'done';

const trailerParser = new HeadParser({
  initialLineBytes: TRAILER_BYTES_MAX,
  headBytes: TRAILER_BYTES_MAX,
  lines: TRAILER_LINES_MAX,
});

/** The value of a hexadecimal digit, or -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Fields without an id that frame, route, authenticate or change the meaning of a message, or say whom it is
 * from (RFC 9110 6.5.1). All fields with an id are of this sort.
 */
const FORBIDDEN = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expires',
  'forwarded',
  'pragma',
  'range',
  'set-cookie',
  'vary',
  'warning',
  'www-authenticate',
  'x-real-ip',
]);
const FORBIDDEN_KIND = /^(?:if-|proxy-|x-forwarded-|x-http-method|x-original-|x-rewrite-)/;

/** Takes the fields out that are not accepted as trailers. */
function withoutForbidden(trailers: Fields): Fields {
  for (let i = 0; i < trailers.ids.length; i++) {
    const name = (trailers.names[i] as string).toLowerCase();
    if (trailers.ids[i] !== Field.other || FORBIDDEN.has(name) || FORBIDDEN_KIND.test(name)) {
      trailers.removeAt(i);
    }
  }
  return trailers;
}

export class ChunkDecoder {
  /** The trailer section, once `done`; undefined when it was empty. */
  trailers: Fields | undefined;
  #state: State = 'size';
  #size = 0;
  #digits = 0;
  #lineBytes = 0;
  #extensionBytes = 0;
  #trailerText = '';

  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * Reads `buffer` from `start` and hands every piece of data to `data(from, to)`. Answers where it stopped:
   * `end`, or earlier when the body is complete; or the problem.
   */
  decode(
    buffer: Buffer,
    start: number,
    end: number,
    data: (from: number, to: number) => void,
  ): number | HeadProblem {
    let at = start;
    while (at < end) {
      if (this.#state === 'data') {
        const to = Math.min(end, at + this.#size);
        data(at, to);
        this.#size -= to - at;
        at = to;
        if (this.#size === 0) this.#state = 'data-cr';
        continue;
      }
      if (this.#state === 'trailers') return this.#readTrailers(buffer, at, end);
      if (this.#state === 'done') return at;
      const problem = this.#step(buffer[at] as number);
      if (problem !== undefined) return problem;
      at++;
    }
    return at;
  }

  #step(code: number): HeadProblem | undefined {
    switch (this.#state) {
      case 'size':
        return this.#sizeDigit(code);
      case 'extension':
        if (code === CR) this.#state = 'size-lf';
        else if ((code < 0x20 && code !== 0x09) || code === 0x7f)
          return new HeadProblem(400, 'a control byte in a chunk extension');
        else if (
          ++this.#lineBytes > CHUNK_LINE_BYTES_MAX ||
          ++this.#extensionBytes > CHUNK_EXTENSION_BYTES_MAX
        ) {
          return new HeadProblem(400, 'chunk extensions are too long');
        }
        return undefined;
      case 'size-lf':
        if (code !== LF) return new HeadProblem(400, 'a chunk size line that does not end in CRLF');
        this.#state = this.#size === 0 ? 'trailers' : 'data';
        this.#digits = 0;
        this.#lineBytes = 0;
        return undefined;
      case 'data-cr':
        if (code !== CR) return new HeadProblem(400, 'chunk data that is longer than its size');
        this.#state = 'data-lf';
        return undefined;
      case 'data-lf':
        if (code !== LF) return new HeadProblem(400, 'chunk data that does not end in CRLF');
        this.#state = 'size';
        return undefined;
      default:
        return undefined;
    }
  }

  #sizeDigit(code: number): HeadProblem | undefined {
    const digit = hexDigit(code);
    if (digit !== -1) {
      if (++this.#digits > SIZE_DIGITS_MAX) return new HeadProblem(400, 'a chunk size with too many digits');
      this.#size = this.#size * 16 + digit;
      return undefined;
    }
    if (this.#digits === 0) return new HeadProblem(400, 'a chunk without a size');
    if (code === CR) this.#state = 'size-lf';
    else if (code === SEMICOLON) this.#state = 'extension';
    else return new HeadProblem(400, 'a chunk size that is not hexadecimal');
    return undefined;
  }

  #readTrailers(buffer: Buffer, at: number, end: number): number | HeadProblem {
    const before = this.#trailerText.length;
    const room = Math.min(end, at + TRAILER_BYTES_MAX + 2 - before);
    this.#trailerText += latin1(buffer, at, room);
    const fields = trailerParser.trailers(this.#trailerText);
    if (fields instanceof HeadProblem) return new HeadProblem(400, `bad trailer: ${fields.message}`);
    if (fields === undefined) {
      return room < end ? new HeadProblem(400, 'the trailer section is too long') : end;
    }
    this.#state = 'done';
    if (fields.names.length > 0) this.trailers = withoutForbidden(fields);
    const consumed = trailerParser.end - before;
    this.#trailerText = '';
    return at + consumed;
  }
}
