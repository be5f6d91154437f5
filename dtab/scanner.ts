/**
 * Characters of a dtab text one by one, with blanks and comments skipped where the grammar allows them, and
 * the line and column of every place. What counts as blank is what Java calls white space: linkerd reads the
 * same texts.
 */
import type { Position } from './names.ts';
import { DtabSyntaxError, quoteCharacter } from './syntax-error.ts';

/**
 * Where a text comes from: `source` names it in errors, `start` is the place of its first character there.
 */
export type Origin = { readonly source?: string; readonly start?: Position };

export const TEXT_LENGTH_MAX = 1024 * 1024;
export const END = -1;

const FIRST: Position = { line: 1, column: 1, offset: 0 };
const HASH = 0x23;

export class Scanner {
  readonly text: string;
  offset = 0;
  readonly #source: string;
  readonly #start: Position;
  /** The line that was asked for last: places are asked for in rising order. */
  #line = 0;
  #lineStart = 0;

  constructor(text: string, origin: Origin = {}) {
    this.text = text;
    this.#source = origin.source ?? 'dtab';
    this.#start = origin.start ?? FIRST;
    if (text.length > TEXT_LENGTH_MAX) {
      this.offset = TEXT_LENGTH_MAX;
      this.fail(`at most ${TEXT_LENGTH_MAX} characters`, `${text.length}`);
    }
  }

  get source(): string {
    return this.#source;
  }

  /** The code of the next character, or END. */
  peek(): number {
    return this.offset < this.text.length ? this.text.charCodeAt(this.offset) : END;
  }

  /** Takes the next character if it is this one. */
  take(code: number): boolean {
    if (this.peek() !== code) return false;
    this.offset++;
    return true;
  }

  expect(code: number, expected: string): void {
    if (!this.take(code)) this.fail(expected);
  }

  skipBlanks(): void {
    for (;;) {
      const code = this.peek();
      if (code === HASH) {
        const newline = this.text.indexOf('\n', this.offset);
        this.offset = newline === -1 ? this.text.length : newline + 1;
      } else if (isBlank(code)) {
        this.offset++;
      } else {
        return;
      }
    }
  }

  expectEnd(expected: string): void {
    this.skipBlanks();
    if (this.peek() !== END) this.fail(expected);
  }

  /**
   * The place of an offset in the source. A text that starts in a column is taken to be indented by that
   * much.
   */
  position(offset: number): Position {
    if (offset < this.#lineStart) {
      this.#line = 0;
      this.#lineStart = 0;
    }
    for (;;) {
      const newline = this.text.indexOf('\n', this.#lineStart);
      if (newline === -1 || newline >= offset) break;
      this.#line++;
      this.#lineStart = newline + 1;
    }
    const indent = this.#start.column - 1;
    return {
      line: this.#start.line + this.#line,
      column: this.#start.column + offset - this.#lineStart,
      offset: this.#start.offset + offset + this.#line * indent,
    };
  }

  fail(expected: string, found: string = this.#found()): never {
    throw new DtabSyntaxError(
      this.text,
      this.offset,
      this.position(this.offset),
      expected,
      found,
      this.#source,
    );
  }

  #found(): string {
    const code = this.peek();
    return code === END ? 'end of input' : quoteCharacter(code);
  }
}

/** The white space of Java's `Character.isWhitespace`: no-break spaces and U+FEFF are not among it. */
function isBlank(code: number): boolean {
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f)) return true;
  if (code < 0x1680) return false;
  if (code >= 0x2000 && code <= 0x200a) return code !== 0x2007;
  return code === 0x1680 || code === 0x2028 || code === 0x2029 || code === 0x205f || code === 0x3000;
}
