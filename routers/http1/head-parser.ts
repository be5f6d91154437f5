/**
 * Reads the head of an HTTP/1 message (RFC 9112) strictly: a message that two parsers might read
 * differently is refused, never repaired. Lines end in CRLF; names are tokens with nothing before the
 * colon; values hold no control characters but HTAB; folded lines are refused. The head is one string with
 * one character a byte; one pass over its bytes, which are read in 0.6 of the time of characters, checks
 * every one of them and finds the fields.
 */

import { FieldPlaces, Fields } from '../fields.ts';
import type { RequestHead, ResponseHead } from '../head.ts';
import type { HeadLimits } from './limits.ts';

/** Why a head was refused; `status` is what a client gets to see (an upstream's mistake is always 502). */
export class HeadProblem {
  readonly status: 400 | 408 | 413 | 414 | 417 | 431 | 501 | 503 | 505;
  readonly message: string;

  constructor(status: 400 | 408 | 413 | 414 | 417 | 431 | 501 | 503 | 505, message: string) {
    this.status = status;
    this.message = message;
  }
}

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HT = 0x09;
const COLON = 0x3a;

/** Character classes: 1 = token character (RFC 9110 5.6.2), 2 = field value, 4 = request target. */
const TOKEN = 1;
const VALUE = 2;
const TARGET = 4;
const CLASS = new Uint8Array(256);
for (let c = 0x21; c <= 0x7e; c++) CLASS[c] = VALUE | TARGET;
for (let c = 0x80; c <= 0xff; c++) CLASS[c] = VALUE;
CLASS[SP] = VALUE;
CLASS[HT] = VALUE;
for (const c of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  const code = c.charCodeAt(0);
  CLASS[code] = (CLASS[code] as number) | TOKEN;
}

const classOf = (byte: number | undefined): number => CLASS[byte as number] as number;

/** A byte as error messages show it. */
function shown(code: number): string {
  return code > 0x20 && code < 0x7f
    ? `'${String.fromCharCode(code)}'`
    : `0x${code.toString(16).padStart(2, '0')}`;
}

/** Of the head that is being parsed. */
const found = new FieldPlaces();

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

export class HeadParser {
  /** Where the head ended in the text, after a complete parse. */
  end = 0;
  readonly #limits: HeadLimits;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /**
   * Parses a request head that starts at the beginning of `text` and may be followed by other bytes. Answers
   * undefined when it is not complete yet. One empty line before the request line is skipped (RFC 9112 2.2).
   * `bytes` are those that the text was made of, from `base` on.
   */
  request(text: string, bytes: Uint8Array = bytesOf(text), base = 0): RequestHead | HeadProblem | undefined {
    const { length } = text;
    const start = text.charCodeAt(0) === CR && text.charCodeAt(1) === LF ? 2 : 0;
    let at = start;
    while (at < length && (classOf(bytes[base + at]) & TOKEN) !== 0) at++;
    const methodEnd = at;
    if (methodEnd === text.length) return this.#incomplete(text, start);
    if (methodEnd === start || text.charCodeAt(methodEnd) !== SP) {
      return text === '\r' ? undefined : this.#badLine(text, start, methodEnd, 'in the method');
    }
    at++;
    while (at < length && (classOf(bytes[base + at]) & TARGET) !== 0) at++;
    const targetEnd = at;
    if (targetEnd === text.length) return this.#incomplete(text, start);
    if (text.charCodeAt(targetEnd) !== SP || targetEnd === methodEnd + 1) {
      return this.#badLine(text, start, targetEnd, 'in the request target');
    }
    const minor = this.#version(text, targetEnd + 1);
    if (minor === undefined) return this.#incomplete(text, start);
    if (minor instanceof HeadProblem) return minor;
    const lineEnd = targetEnd + 9;
    if (lineEnd - start > this.#limits.initialLineBytes) return this.#lineTooLong();
    const afterLine = this.#lineBreak(text, lineEnd);
    if (afterLine === undefined) return this.#incomplete(text, start);
    if (afterLine < 0) return this.#badLine(text, start, lineEnd, 'after the version');
    const fields = this.#fields(text, bytes, base, afterLine, start);
    if (fields === undefined || fields instanceof HeadProblem) return fields;
    return {
      method: text.slice(start, methodEnd),
      target: text.slice(methodEnd + 1, targetEnd),
      minor,
      fields,
    };
  }

  /**
   * The same for a response head. A missing reason phrase is accepted, with or without the space before it.
   */
  response(
    text: string,
    bytes: Uint8Array = bytesOf(text),
    base = 0,
  ): ResponseHead | HeadProblem | undefined {
    if (text.length < 13) {
      if ('HTTP/1.'.startsWith(text.slice(0, 7))) return undefined;
    }
    const minor = this.#version(text, 0);
    if (minor === undefined) return undefined;
    if (minor instanceof HeadProblem) return minor;
    if (text.length < 13) return undefined;
    if (text.charCodeAt(8) !== SP) return this.#badLine(text, 0, 8, 'after the version');
    let status = 0;
    for (let at = 9; at < 12; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (!(digit >= 0 && digit <= 9)) return this.#badLine(text, 0, at, 'in the status code');
      status = status * 10 + digit;
    }
    if (status < 100) return new HeadProblem(400, `status code ${status} is out of range`);
    let at = 12;
    let reason = '';
    if (text.charCodeAt(at) === SP) {
      at++;
      while (at < text.length && (classOf(bytes[base + at]) & VALUE) !== 0) at++;
      if (at === text.length) return this.#incomplete(text, 0);
      reason = text.slice(13, at);
    }
    if (at > this.#limits.initialLineBytes) return this.#lineTooLong();
    const afterLine = this.#lineBreak(text, at);
    if (afterLine === undefined) return this.#incomplete(text, 0);
    if (afterLine < 0) return this.#badLine(text, 0, at, 'in the status line');
    const fields = this.#fields(text, bytes, base, afterLine, 0);
    if (fields === undefined || fields instanceof HeadProblem) return fields;
    return { status, reason, minor, fields };
  }

  /** A trailer section: field lines up to the empty line. */
  trailers(text: string): Fields | HeadProblem | undefined {
    return this.#fields(text, bytesOf(text), 0, 0, 0);
  }

  /** `HTTP/1.x` at `at`: the minor version, at most 1. */
  #version(text: string, at: number): number | HeadProblem | undefined {
    if (text.length < at + 8) {
      return 'HTTP/1.'.startsWith(text.slice(at, at + 7)) || /^HTTP\/?\d?\.?\d?$/.test(text.slice(at))
        ? undefined
        : new HeadProblem(400, `the version is not HTTP/1.x`);
    }
    if (text.startsWith('HTTP/1.', at)) {
      const minor = text.charCodeAt(at + 7) - 0x30;
      if (minor >= 0 && minor <= 9) return minor > 1 ? 1 : minor;
    }
    return /^HTTP\/\d\.\d$/.test(text.slice(at, at + 8))
      ? new HeadProblem(505, `version ${text.slice(at, at + 8)} is not supported`)
      : new HeadProblem(400, 'the version is not HTTP/1.x');
  }

  /** After a CRLF at `at`; undefined when the text ends before it; -1 when something else is there. */
  #lineBreak(text: string, at: number): number | undefined {
    if (at >= text.length) return undefined;
    if (text.charCodeAt(at) !== CR) return -1;
    if (at + 1 >= text.length) return undefined;
    return text.charCodeAt(at + 1) === LF ? at + 2 : -1;
  }

  #fields(
    text: string,
    bytes: Uint8Array,
    base: number,
    from: number,
    start: number,
  ): Fields | HeadProblem | undefined {
    const { headBytes, lines } = this.#limits;
    const { length } = text;
    found.count = 0;
    let at = from;
    for (let count = 0; ; count++) {
      if (text.charCodeAt(at) === CR) {
        if (text.charCodeAt(at + 1) === LF) {
          this.end = at + 2;
          if (this.end - start > headBytes) return this.#headTooLong();
          return Fields.cut(text, bytes, base, found);
        }
        if (at + 1 < text.length) return new HeadProblem(400, 'a CR that is not followed by LF');
      }
      if (count >= lines) return new HeadProblem(431, `more than ${lines} header lines`);
      const nameStart = at;
      while (at < length && (classOf(bytes[base + at]) & TOKEN) !== 0) at++;
      const nameEnd = at;
      if (nameEnd >= text.length) return this.#incomplete(text, start);
      if (nameEnd === nameStart || text.charCodeAt(nameEnd) !== COLON) {
        return this.#badName(text, nameStart, nameEnd, start);
      }
      at++;
      let code = text.charCodeAt(at);
      while (code === SP || code === HT) code = text.charCodeAt(++at);
      const valueStart = at;
      while (at < length && (classOf(bytes[base + at]) & VALUE) !== 0) at++;
      code = text.charCodeAt(at);
      if (at >= text.length) return this.#incomplete(text, start);
      if (code !== CR || text.charCodeAt(at + 1) !== LF) {
        if (code === CR && at + 1 >= text.length) return this.#incomplete(text, start);
        const name = text.slice(nameStart, nameEnd);
        return new HeadProblem(400, `byte ${shown(code)} in the value of header ${name}`);
      }
      let valueEnd = at;
      while (valueEnd > valueStart) {
        const last = text.charCodeAt(valueEnd - 1);
        if (last !== SP && last !== HT) break;
        valueEnd--;
      }
      found.add(nameStart, nameEnd, valueStart, valueEnd);
      at += 2;
      if (at - start > headBytes) return this.#headTooLong();
    }
  }

  #badName(text: string, from: number, at: number, start: number): HeadProblem | undefined {
    const code = text.charCodeAt(at);
    if (code === CR && at === from && at + 1 >= text.length) return this.#incomplete(text, start);
    if (at === from && (code === SP || code === HT))
      return new HeadProblem(400, 'a folded header line (obs-fold)');
    if (at === from && code === COLON) return new HeadProblem(400, 'a header line without a name');
    if (code === SP || code === HT) {
      return new HeadProblem(400, `blank between the header name ${text.slice(from, at)} and the colon`);
    }
    return new HeadProblem(400, `byte ${shown(code)} in a header name`);
  }

  #badLine(text: string, start: number, at: number, where: string): HeadProblem {
    if (at - start > this.#limits.initialLineBytes) return this.#lineTooLong();
    return new HeadProblem(400, `byte ${shown(text.charCodeAt(at))} ${where}`);
  }

  /** What is there is well-formed as far as it goes: it must only not be too long already. */
  #incomplete(text: string, start: number): HeadProblem | undefined {
    const length = text.length - start;
    if (length > this.#limits.initialLineBytes) {
      const lineEnd = text.indexOf('\r\n', start);
      if (lineEnd === -1 || lineEnd - start > this.#limits.initialLineBytes) return this.#lineTooLong();
    }
    return length > this.#limits.headBytes ? this.#headTooLong() : undefined;
  }

  #lineTooLong(): HeadProblem {
    const { initialLineBytes } = this.#limits;
    return new HeadProblem(
      414,
      `the initial line is longer than ${initialLineBytes} bytes (maxInitialLineKB)`,
    );
  }

  #headTooLong(): HeadProblem {
    return new HeadProblem(431, `the head is longer than ${this.#limits.headBytes} bytes (maxHeadersKB)`);
  }
}
