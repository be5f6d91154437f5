/**
 * A mistake in the text of a path, prefix, tree, dentry or dtab. It knows where it is, what was expected and
 * what was found, and can show itself in three ways: `message` (one line with the position), `render()` (with
 * the source line and a caret, for terminals) and `summary` (one line in linkerd's form, for the body of a
 * 400).
 */
import type { Position } from './names.ts';

const SHOWN_LINE_MAX = 100;
const SUMMARY_CONTEXT_MAX = 200;

export class DtabSyntaxError extends Error {
  override readonly name = 'DtabSyntaxError';
  /** Zero-based place in the text that was read; the length of the text stands for its end. */
  readonly offset: number;
  /** Line and column in the source, which the text may be a part of. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  readonly found: string;
  readonly source: string;
  readonly #text: string;

  constructor(text: string, offset: number, at: Position, expected: string, found: string, source: string) {
    super(`${source}:${at.line}:${at.column}: expected ${expected}, found ${found}`);
    this.#text = text;
    this.offset = offset;
    this.line = at.line;
    this.column = at.column;
    this.expected = expected;
    this.found = found;
    this.source = source;
  }

  /**
   * For the body of a 400: `<what> expected but <found> found at '<text with the offending character
   * bracketed>'`.
   */
  get summary(): string {
    const from = Math.max(0, this.offset - SUMMARY_CONTEXT_MAX);
    const to = Math.min(this.#text.length, this.offset + 1 + SUMMARY_CONTEXT_MAX);
    const before = (from > 0 ? '...' : '') + this.#text.slice(from, this.offset);
    const after = this.#text.slice(this.offset + 1, to) + (to < this.#text.length ? '...' : '');
    const bracketed = `${before}[${this.#text.charAt(this.offset)}]${after}`;
    return `${this.expected} expected but ${this.found} found at '${oneLine(bracketed)}'`;
  }

  /** The message, the source line and a caret under the offending character. */
  render(): string {
    const start = this.#text.lastIndexOf('\n', this.offset - 1) + 1;
    const newline = this.#text.indexOf('\n', this.offset);
    const end = newline === -1 ? this.#text.length : newline;
    // A window of a long line, with some text before the caret.
    const from = Math.max(start, Math.min(this.offset - SHOWN_LINE_MAX / 2, end - SHOWN_LINE_MAX));
    const shown = oneLine(this.#text.slice(from, Math.min(end, from + SHOWN_LINE_MAX)));
    const margin = `  ${this.line} | `;
    const gap = ' '.repeat(margin.length - 2);
    const indent = ' '.repeat(oneLine(this.#text.slice(from, this.offset)).length);
    return `${this.message}\n${margin}${shown}\n${gap}| ${indent}^`;
  }
}

/** `text` with every control character as one blank, so that it stays on a line and columns stay in place. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
}

/** A character as an error names it: quoted, and escaped unless it is printable ASCII. */
export function quoteCharacter(code: number): string {
  if (code >= 0x20 && code < 0x7f) return `'${String.fromCharCode(code)}'`;
  return code < 0x100 ? `'\\x${code.toString(16).padStart(2, '0')}'` : `'\\u{${code.toString(16)}}'`;
}
