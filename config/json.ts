/**
 * A strict JSON parser (RFC 8259) that keeps positions, for configurations that begin with `{`. Stops at the
 * first syntax error; duplicate keys are reported and reading goes on. Depth is limited as for YAML.
 */
import { type Diagnostics, quote } from './errors.ts';
import type { Entry, Value } from './value.ts';

export const DEPTH_MAX = 64;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

class JsonSyntaxError extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

export function parseJson(diagnostics: Diagnostics): Value | undefined {
  try {
    return new JsonReader(diagnostics).document();
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const hint = 'A configuration that begins with "{" is read as strict JSON.';
    diagnostics.error('syntax', error.at, '', `${error.message}. ${hint}`);
    return undefined;
  }
}

class JsonReader {
  readonly #diagnostics: Diagnostics;
  readonly #text: string;
  #at = 0;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
    this.#text = diagnostics.text;
  }

  document(): Value {
    // A byte order mark is no part of JSON, but editors write it; it is skipped like white space.
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1;
    const value = this.#value('', 0);
    this.#space();
    if (this.#at < this.#text.length) this.#fail('expected the end of the text');
    return value;
  }

  #value(path: string, depth: number): Value {
    if (depth > DEPTH_MAX) throw new JsonSyntaxError(this.#at, `nested deeper than ${DEPTH_MAX} levels`);
    this.#space();
    const at = this.#at;
    const character = this.#text[at];
    if (character === '{') return this.#object(path, depth);
    if (character === '[') return this.#list(path, depth);
    if (character === '"') return { type: 'string', at, value: this.#string(), contentAt: at + 1 };
    if (this.#take('true')) return { type: 'bool', at, value: true };
    if (this.#take('false')) return { type: 'bool', at, value: false };
    if (this.#take('null')) return { type: 'null', at };
    const text = this.#match(NUMBER);
    if (text === undefined) this.#fail('expected a value');
    return { type: 'number', at, value: Number(text), text };
  }

  #object(path: string, depth: number): Value {
    const at = this.#at;
    const entries: Entry[] = [];
    const seen = new Set<string>();
    this.#expect('{');
    this.#space();
    if (this.#take('}')) return { type: 'object', at, entries };
    do {
      this.#space();
      const keyAt = this.#at;
      const key = this.#string();
      const below = path === '' ? key : `${path}.${key}`;
      if (seen.has(key))
        this.#diagnostics.error('duplicate-key', keyAt, below, `duplicate key ${quote(key)}`);
      seen.add(key);
      this.#space();
      this.#expect(':');
      entries.push({ key, keyAt, value: this.#value(below, depth + 1) });
      this.#space();
    } while (this.#take(','));
    this.#expect('}');
    return { type: 'object', at, entries };
  }

  #list(path: string, depth: number): Value {
    const at = this.#at;
    const items: Value[] = [];
    this.#expect('[');
    this.#space();
    if (this.#take(']')) return { type: 'list', at, items };
    do {
      items.push(this.#value(`${path}[${items.length}]`, depth + 1));
      this.#space();
    } while (this.#take(','));
    this.#expect(']');
    return { type: 'list', at, items };
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') this.#fail('expected a quoted key');
    const at = this.#at;
    let end = at + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    try {
      const value: unknown = JSON.parse(this.#text.slice(at, end + 1));
      this.#at = end + 1;
      return String(value);
    } catch {
      throw new JsonSyntaxError(at, 'unfinished or malformed string');
    }
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '-')) this.#at += 1;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) this.#fail(`expected "${token}"`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(expected: string): never {
    const found = this.#text[this.#at];
    throw new JsonSyntaxError(
      this.#at,
      `${expected}, found ${found === undefined ? 'the end' : quote(found)}`,
    );
  }
}
