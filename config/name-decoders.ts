/** Names in a configuration: paths, dtabs and the prefix patterns of client and service sections. */
import type { Dtab, Position } from '../dtab/names.ts';
import { readDtab, readPath } from '../dtab/parse.ts';
import { DtabSyntaxError } from '../dtab/syntax-error.ts';
import {
  type Bad,
  bad,
  checked,
  type DecodeContext,
  type Decoder,
  fails,
  nonEmpty,
  string,
} from './decode.ts';
import { quote } from './errors.ts';
import { PathMatcher } from './path-matcher.ts';
import type { DtabSpec } from './spec.ts';
import { offsetsWithin, type Value } from './value.ts';

/** A path, in its printed form. */
export const path: Decoder<string> = (value, at, context) => {
  const text = string(value, at, context);
  if (text === bad) return bad;
  const parsed = read(text, value, at, context, readPath);
  return parsed === bad ? bad : parsed.show;
};

/**
 * A dtab: its text, and where each entry stands in the configuration. An error points at the character in
 * question.
 */
export const dtab: Decoder<DtabSpec> = (value, at, context) => {
  const text = string(value, at, context);
  if (text === bad) return bad;
  const parsed = read(text, value, at, context, readDtab);
  if (parsed === bad) return bad;
  const { diagnostics } = context;
  const starts = parsed.map((dentry) => dentry.position?.offset ?? 0);
  return {
    text,
    source: diagnostics.source,
    start: diagnostics.position(offsetsIn(value, [0], context)[0] ?? value.at),
    entries: offsetsIn(value, starts, context).map((offset) => diagnostics.position(offset)),
  };
};

export function emptyDtab(source: string): DtabSpec {
  return { text: '', source, start: { line: 1, column: 1, offset: 0 }, entries: [] };
}

/** The table of a checked spec; every entry knows where it stands in the configuration. */
export function dtabOf(spec: DtabSpec): Dtab {
  return readDtab(spec.text).map((dentry, i) => {
    const position: Position = spec.entries[i] ?? spec.start;
    return { ...dentry, position: { ...position, source: spec.source } };
  });
}

/** A prefix pattern, as written: its captures are substituted by name. */
export const pattern: Decoder<string> = checked(nonEmpty, (text) => {
  try {
    new PathMatcher(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
});

const PLACEHOLDER = /\{[^/{}]*\}/g;

/**
 * Why a path template cannot become a path with these captures, if so. What is captured is itself a piece of
 * a label.
 */
export function templateProblem(template: string, captures: readonly string[]): string | undefined {
  const unknown = (template.match(PLACEHOLDER) ?? []).find((name) => !captures.includes(name.slice(1, -1)));
  if (unknown !== undefined) return `${unknown} is not captured by the pattern`;
  try {
    readPath(template.replace(PLACEHOLDER, 'x'));
    return undefined;
  } catch (error) {
    if (!(error instanceof DtabSyntaxError)) throw error;
    return `${quote(template)} is not a path: expected ${error.expected}, found ${error.found}`;
  }
}

function read<T>(
  text: string,
  value: Value,
  at: string,
  context: DecodeContext,
  parse: (text: string) => T,
): T | Bad {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof DtabSyntaxError)) throw error;
    const place = offsetsIn(value, [error.offset], context)[0] ?? value.at;
    return fails(
      context,
      'type',
      { ...value, at: place },
      at,
      `expected ${error.expected}, found ${error.found}`,
    );
  }
}

function offsetsIn(value: Value, indexes: readonly number[], context: DecodeContext): readonly number[] {
  if (value.type !== 'string') return indexes.map(() => value.at);
  return offsetsWithin(context.diagnostics.text, value, indexes);
}
