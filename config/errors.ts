/**
 * Mistakes in a configuration: collected, never thrown, all shown at once, each with its place, the line of
 * the source and a caret. `Diagnostics` belongs to one text. What it prints is safe for a terminal: control
 * characters of the text are replaced and long lines are cut around the caret.
 */
import type { Position } from '../dtab/names.ts';

export type DiagnosticCode =
  | 'syntax' // not YAML, not JSON, or beyond the limits on size, depth and nodes
  | 'duplicate-key'
  | 'unknown-key'
  | 'unknown-kind'
  | 'missing'
  | 'type'
  | 'range'
  | 'file' // a file or directory that must exist
  | 'conflict' // values that are fine alone and wrong together
  | 'experimental'
  | 'not-supported'
  | 'old-form' // warning: a form of an older linkerd, rewritten
  | 'doubtful'; // warning: accepted, but perhaps not what was meant

export type Diagnostic = {
  readonly code: DiagnosticCode;
  readonly source: string;
  readonly line: number;
  readonly column: number;
  /** Like `routers[0].servers[1].port`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The line of the source, cut to a printable length, and how far into it the caret stands. */
  readonly excerpt: { readonly text: string; readonly caret: number };
};

const COUNT_MAX = 500;
const EXCERPT_WIDTH_MAX = 100;
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

export class Diagnostics {
  readonly source: string;
  readonly text: string;
  readonly #lineStarts: number[] = [0];
  readonly #errors: Diagnostic[] = [];
  readonly #warnings: Diagnostic[] = [];
  readonly #warned = new Set<string>();

  constructor(source: string, text: string) {
    this.source = source;
    this.text = text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1);
  }

  get failed(): boolean {
    return this.#errors.length > 0;
  }

  has(code: DiagnosticCode): boolean {
    return this.#errors.some((error) => error.code === code);
  }

  /** Nobody reads more errors than this: whoever produces them at some cost may stop. */
  get full(): boolean {
    return this.#errors.length >= COUNT_MAX;
  }

  error(code: DiagnosticCode, at: number, path: string, message: string): void {
    if (this.#errors.length < COUNT_MAX) this.#errors.push(this.#diagnostic(code, at, path, message));
  }

  /** One place says the same thing once, also when it concerns several parts of the configuration. */
  warn(code: DiagnosticCode, at: number, path: string, message: string): void {
    const said = `${at} ${message}`;
    if (this.#warned.has(said) || this.#warnings.length >= COUNT_MAX) return;
    this.#warned.add(said);
    this.#warnings.push(this.#diagnostic(code, at, path, message));
  }

  /** Errors in the order of the text. */
  errors(): readonly Diagnostic[] {
    return inOrder(this.#errors);
  }

  warnings(): readonly Diagnostic[] {
    return inOrder(this.#warnings);
  }

  position(offset: number): Position {
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1, offset };
  }

  #diagnostic(code: DiagnosticCode, at: number, path: string, message: string): Diagnostic {
    const { line, column } = this.position(Math.min(Math.max(at, 0), this.text.length));
    const start = this.#lineStarts[line - 1] ?? 0;
    const end = this.#lineStarts[line] ?? this.text.length + 1;
    const excerpt = cut(this.text.slice(start, Math.max(start, end - 1)), column - 1);
    return { code, source: this.source, line, column, path, message, excerpt };
  }
}

function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort((a, b) => a.line - b.line || a.column - b.column);
}

function cut(line: string, caret: number): { text: string; caret: number } {
  const whole = line.replace(/\r$/, '');
  if (whole.length <= EXCERPT_WIDTH_MAX) return { text: printable(whole), caret };
  const from = Math.max(0, Math.min(caret - EXCERPT_WIDTH_MAX / 2, whole.length - EXCERPT_WIDTH_MAX));
  const lead = from > 0 ? '...' : '';
  const tail = from + EXCERPT_WIDTH_MAX < whole.length ? '...' : '';
  const text = `${lead}${printable(whole.slice(from, from + EXCERPT_WIDTH_MAX))}${tail}`;
  return { text, caret: caret - from + lead.length };
}

function printable(text: string): string {
  return text.replace(CONTROL, '?');
}

/** The form that people see and paste: where, what, the line, the caret. */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  const { source, line, column, path, message, excerpt } = diagnostic;
  const place = `${source}:${line}:${column}`;
  const head = printable(`${place}${path === '' ? '' : ` ${path}`}: ${message}`);
  if (excerpt.text.trim() === '') return head;
  const gutter = `  ${line} | `;
  const lead = excerpt.text.slice(0, excerpt.caret).replace(/[^\t]/g, ' ');
  return `${head}\n${gutter}${excerpt.text}\n${' '.repeat(gutter.length - 2)}| ${lead}^`;
}

const QUOTE_LENGTH_MAX = 80;

/** A piece of the text inside a message: quoted, and short. */
export function quote(text: string): string {
  return JSON.stringify(text.length <= QUOTE_LENGTH_MAX ? text : `${text.slice(0, QUOTE_LENGTH_MAX)}...`);
}
