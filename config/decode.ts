/**
 * Decoders: pure functions from a value with positions to checked data. A decoder reports every mistake that
 * it finds and then answers `bad`; the others go on, so all mistakes of a text are known at once. Nothing
 * here throws or knows what is being configured.
 *
 *     const server = object({ port: withDefault(port, 4140), ip: required(ip), label: optional(string) });
 */
import { isIP } from 'node:net';
import { type Diagnostics, quote } from './errors.ts';
import { suggest } from './suggest.ts';
import { entryOf, get, type ObjectValue, type Value } from './value.ts';

export const bad: unique symbol = Symbol('bad');
export type Bad = typeof bad;

export type DecodeContext = {
  readonly diagnostics: Diagnostics;
  /** What stands at a path of the file system. */
  readonly readable: (path: string) => 'file' | 'directory' | 'missing';
};

export type Decoder<T> = (value: Value, path: string, context: DecodeContext) => T | Bad;

export type Field<T> =
  | Required<T>
  | Optional<T>
  | { readonly presence: 'default'; readonly decode: Decoder<T>; readonly fallback: T }
  | { readonly presence: 'ignored'; readonly decode: Decoder<T> };
export type Required<T> = {
  readonly presence: 'required';
  readonly decode: Decoder<T>;
  readonly message?: string;
};
export type Optional<T> = { readonly presence: 'optional'; readonly decode: Decoder<T> };
export type Ignored = { readonly presence: 'ignored'; readonly decode: Decoder<unknown> };
export type Defaulted<T> = {
  readonly presence: 'default';
  readonly decode: Decoder<T>;
  readonly fallback: T;
};
export type Fields = Readonly<Record<string, Field<unknown>>>;

type Decodes<F> = F extends { decode: Decoder<infer T> } ? T : never;
/** What an object of these fields decodes to. */
export type Decoded<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Required<unknown> | Defaulted<unknown> ? K : never]: Decodes<F[K]>;
} & {
  readonly [K in keyof F as F[K] extends Optional<unknown> ? K : never]?: Decodes<F[K]>;
};

export function required<T>(decode: Decoder<T>, message?: string): Required<T> {
  return message === undefined ? { presence: 'required', decode } : { presence: 'required', decode, message };
}

export function optional<T>(decode: Decoder<T>): Optional<T> {
  return { presence: 'optional', decode };
}

export function withDefault<T>(decode: Decoder<T>, fallback: NoInfer<T>): Defaulted<T> {
  return { presence: 'default', decode, fallback };
}

/** A known key that is checked and has no effect. */
export function ignored(decode: Decoder<unknown>): Ignored {
  return { presence: 'ignored', decode };
}

/** A check of several fields together. It sees the object as written and what could be decoded of it. */
export type Together<F extends Fields> = (
  value: ObjectValue,
  decoded: Partial<Decoded<F>>,
  path: string,
  context: DecodeContext,
) => void;

export function object<F extends Fields>(fields: F, together?: Together<F>): Decoder<Decoded<F>> {
  const known = Object.keys(fields);
  return (value, path, context) => {
    const { diagnostics } = context;
    if (value.type !== 'object') return wrong(value, path, context, 'an object');
    for (const entry of value.entries) {
      if (Object.hasOwn(fields, entry.key)) continue;
      if (diagnostics.full) break;
      const message = `unknown key ${quote(entry.key)}.${hint(entry.key, known)}`;
      diagnostics.error('unknown-key', entry.keyAt, below(path, entry.key), message);
    }
    let complete = true;
    const decoded: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(fields)) {
      const result = decodeField(field, key, value, path, context);
      if (result === bad) complete = false;
      else if (result !== undefined && field.presence !== 'ignored') decoded[key] = result;
    }
    const partial = decoded as Partial<Decoded<F>>;
    if (together !== undefined) together(value, partial, path, context);
    return complete ? (partial as Decoded<F>) : bad;
  };
}

function decodeField(
  field: Field<unknown>,
  key: string,
  value: ObjectValue,
  path: string,
  context: DecodeContext,
): unknown {
  const entry = entryOf(value, key);
  if (entry !== undefined && entry.value.type !== 'null') {
    return field.decode(entry.value, below(path, key), context);
  }
  if (field.presence === 'default') return field.fallback;
  if (field.presence !== 'required') return undefined;
  const message = field.message ?? `${quote(key)} is required`;
  context.diagnostics.error('missing', entry?.keyAt ?? value.at, path, message);
  return bad;
}

/** Every item is decoded, also after a bad one. */
export function list<T>(item: Decoder<T>, emptyMessage?: string): Decoder<readonly T[]> {
  return (value, path, context) => {
    if (value.type !== 'list') return wrong(value, path, context, 'a list');
    if (value.items.length === 0 && emptyMessage !== undefined) {
      context.diagnostics.error('missing', value.at, path, emptyMessage);
      return bad;
    }
    const decoded: T[] = [];
    let complete = true;
    for (const [i, element] of value.items.entries()) {
      const result = item(element, `${path}[${i}]`, context);
      if (result === bad) complete = false;
      else decoded.push(result);
    }
    return complete ? decoded : bad;
  };
}

/** A list, or one object for a list of one. */
export function oneOrMore<T>(item: Decoder<T>, emptyMessage: string): Decoder<readonly T[]> {
  const many = list(item, emptyMessage);
  return (value, path, context) => {
    if (value.type === 'list') return many(value, path, context);
    const one = item(value, path, context);
    return one === bad ? bad : [one];
  };
}

/** Text. A number or a boolean that stands where text belongs is taken as it is written. */
export const string: Decoder<string> = (value, path, context) => {
  if (value.type === 'string') return value.value;
  if (value.type === 'number') return value.text;
  if (value.type === 'bool') return String(value.value);
  return wrong(value, path, context, 'text');
};

export const nonEmpty: Decoder<string> = (value, path, context) => {
  const text = string(value, path, context);
  if (text !== '') return text;
  return fails(context, 'range', value, path, 'must not be empty');
};

export const bool: Decoder<boolean> = (value, path, context) => {
  if (value.type === 'bool') return value.value;
  if (value.type === 'string' && /^(true|false)$/i.test(value.value))
    return value.value.toLowerCase() === 'true';
  const yamlOneOne = value.type === 'string' && /^(yes|no|on|off)$/i.test(value.value);
  return wrong(
    value,
    path,
    context,
    yamlOneOne ? 'true or false (YAML 1.2 has no yes, no, on, off)' : 'true or false',
  );
};

const INT_MAX = 2_147_483_647;
const INTEGER_TEXT = /^[+-]?[0-9]{1,16}$/;

/** An integer within bounds, both included. A quoted integer is accepted. */
export function int(min = -INT_MAX, max = INT_MAX): Decoder<number> {
  return (value, path, context) => {
    const quoted =
      value.type === 'string' && INTEGER_TEXT.test(value.value) ? Number(value.value) : undefined;
    const number = value.type === 'number' ? value.value : quoted;
    if (number === undefined || !Number.isInteger(number)) return wrong(value, path, context, 'an integer');
    return within(number, min, max, value, path, context);
  };
}

export function decimal(min: number, max: number): Decoder<number> {
  return (value, path, context) => {
    const quoted = value.type === 'string' && value.value.trim() !== '' ? Number(value.value) : Number.NaN;
    const number = value.type === 'number' ? value.value : quoted;
    if (Number.isNaN(number)) return wrong(value, path, context, 'a number');
    return within(number, min, max, value, path, context);
  };
}

function within(
  number: number,
  min: number,
  max: number,
  value: Value,
  path: string,
  context: DecodeContext,
): number | Bad {
  if (number >= min && number <= max) return number;
  const range = max >= INT_MAX ? `at least ${min}` : `between ${min} and ${max}`;
  return fails(context, 'range', value, path, `must be ${range}, got ${number}`);
}

/** A port must be a number, not quoted text. */
export const port: Decoder<number> = (value, path, context) => {
  if (value.type !== 'number' || !Number.isInteger(value.value)) {
    return wrong(value, path, context, 'a port number (without quotes)');
  }
  if (value.value >= 0 && value.value <= 65535) return value.value;
  return fails(context, 'range', value, path, `${value.value} outside valid range for ports (0 to 65535)`);
};

/** An IPv4 or IPv6 literal. */
export const ip: Decoder<string> = (value, path, context) => {
  const text = string(value, path, context);
  if (text === bad || isIP(text) !== 0) return text;
  const example = text === 'localhost' ? ': write 127.0.0.1' : '';
  return fails(context, 'type', value, path, `${quote(text)} is not an IP address literal${example}`);
};

export function oneOf<const T extends string>(known: readonly T[]): Decoder<T> {
  return (value, path, context) => {
    const text = string(value, path, context);
    if (text === bad) return bad;
    const found = known.find((candidate) => candidate === text);
    if (found !== undefined) return found;
    return fails(context, 'range', value, path, `unknown value ${quote(text)}.${hint(text, known)}`);
  };
}

/** A path of the file system at which a file or a directory must stand. */
export function existing(what: 'file' | 'directory'): Decoder<string> {
  return (value, path, context) => {
    const text = nonEmpty(value, path, context);
    if (text === bad) return bad;
    const found = context.readable(text);
    if (found === what) return text;
    const why = found === 'missing' ? 'does not exist' : `is a ${found}`;
    return fails(context, 'file', value, path, `${quote(text)} is not a ${what} (it ${why})`);
  };
}

export function map<A, B>(decode: Decoder<A>, to: (decoded: A, context: DecodeContext) => B): Decoder<B> {
  return (value, path, context) => {
    const decoded = decode(value, path, context);
    return decoded === bad ? bad : to(decoded, context);
  };
}

/** A further check of what was decoded: a message when it is wrong. */
export function checked<T>(decode: Decoder<T>, check: (decoded: T) => string | undefined): Decoder<T> {
  return (value, path, context) => {
    const decoded = decode(value, path, context);
    if (decoded === bad) return bad;
    const message = check(decoded);
    return message === undefined ? decoded : fails(context, 'range', value, path, message);
  };
}

/**
 * An object in which one key chooses the decoder: `kind`, unless another is named. `family` is for messages,
 * like `namer`; `absent` is the kind that an object without the key has.
 */
export function kinds<T>(
  family: string,
  table: Readonly<Record<string, Decoder<T>>>,
  absent?: string,
  key = 'kind',
): Decoder<T> {
  const known = Object.keys(table);
  return (value, path, context) => {
    if (value.type !== 'object') return wrong(value, path, context, `an object with a "${key}" (${family})`);
    const given = get(value, key);
    const kind = given === undefined ? absent : string(given, below(path, key), context);
    if (kind === undefined) {
      const message = `"${key}" is required (${family}). Known: ${known.join(', ')}`;
      context.diagnostics.error('missing', value.at, path, message);
      return bad;
    }
    if (kind === bad) return bad;
    const decode = Object.hasOwn(table, kind) ? table[kind] : undefined;
    if (decode !== undefined) return decode(value, path, context);
    const message = `unknown ${key} ${quote(kind)}.${hint(kind, known)}`;
    return fails(context, 'unknown-kind', given ?? value, below(path, key), message);
  };
}

/** An object of one kind: the `kind` key itself is known. */
export function ofKind<F extends Fields>(fields: F, together?: Together<F>): Decoder<Decoded<F>> {
  return object({ kind: ignored(string), ...fields }, together as Together<Fields> | undefined) as Decoder<
    Decoded<F>
  >;
}

/** Reports a mistake at the value and answers `bad`. */
export function fails(
  context: DecodeContext,
  code: 'type' | 'range' | 'file' | 'unknown-kind' | 'not-supported',
  value: Value,
  path: string,
  message: string,
): Bad {
  context.diagnostics.error(code, value.at, path, message);
  return bad;
}

/** The path of a key below `path`. */
export function below(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function wrong(value: Value, path: string, context: DecodeContext, expected: string): Bad {
  return fails(context, 'type', value, path, `expected ${expected}, got ${describe(value)}`);
}

function describe(value: Value): string {
  switch (value.type) {
    case 'null':
      return 'nothing';
    case 'bool':
      return String(value.value);
    case 'number':
      return quote(value.text).slice(1, -1);
    case 'string':
      return `the text ${quote(value.value)}`;
    case 'list':
      return 'a list';
    case 'object':
      return 'an object';
  }
}

function hint(word: string, known: readonly string[]): string {
  const near = suggest(word, known);
  return `${near === undefined ? '' : ` Did you mean ${quote(near)}?`} Known: ${known.join(', ')}`;
}
