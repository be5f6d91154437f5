/**
 * Patterns of paths, as in `client` and `service` sections and the rewrite namer:
 * `/#/io.l5d.k8s/{ns}/http/{svc}` matches the beginning of a path and captures parts of its segments.
 * Segments are compared in their printed form.
 *
 * linkerd turns a segment with captures into a regular expression that may match anywhere in the segment. The
 * same is done here without one, in time linear in the segment: a capture takes as much as it can, and the
 * text between captures is literal, apart from `^` in front and `$` at the end, which tie the match to that
 * end of the segment.
 */
import { type Path, showLabel } from '../dtab/path.ts';

const PATTERN_LENGTH_MAX = 10_000;
const CAPTURES_PER_SEGMENT_MAX = 16;

const CAPTURE = /\{([a-zA-Z0-9.:-_]+)\}/g;
/** Characters that mean something else in linkerd's expression, and that no printed segment contains. */
const SPECIAL = /[$^*+?()|[{]|\\(?!x[0-9a-fA-F]{2})/;

export type Variables = Readonly<Record<string, string>>;

/** A pattern that cannot be used; the message says why. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

type Segment =
  | { readonly type: 'any' }
  | { readonly type: 'literal'; readonly text: string }
  | {
      readonly type: 'captures';
      readonly names: readonly string[];
      /** The text before, between and after the captures: one more than there are names. */
      readonly literals: readonly string[];
      readonly fromStart: boolean;
      readonly toEnd: boolean;
    };

export class PathMatcher {
  readonly pattern: string;
  readonly #segments: readonly Segment[];

  /** Throws PatternError. */
  constructor(pattern: string) {
    if (pattern.length > PATTERN_LENGTH_MAX) {
      throw new PatternError(
        `a pattern may have ${PATTERN_LENGTH_MAX} characters, this one has ${pattern.length}`,
      );
    }
    this.pattern = pattern;
    this.#segments = splitPattern(pattern).map(compileSegment);
  }

  /** Names of the captures, in the order in which they stand. */
  get names(): readonly string[] {
    return this.#segments.flatMap((segment) => (segment.type === 'captures' ? segment.names : []));
  }

  /**
   * What the captures took, or undefined when the path does not match. Further segments of the path do not
   * matter.
   */
  extract(path: Path): Variables | undefined {
    if (path.size < this.#segments.length) return undefined;
    const captured: [string, string][] = [];
    for (const [i, segment] of this.#segments.entries()) {
      if (segment.type === 'any') continue;
      const shown = showLabel(path.segments[i] ?? '');
      if (segment.type === 'literal') {
        if (segment.text !== shown) return undefined;
      } else if (!capture(segment, shown, captured)) {
        return undefined;
      }
    }
    return Object.fromEntries(captured);
  }
}

/** Replaces every `{name}` that has a value; others stay as they are. Values are not looked at again. */
export function substitute(variables: Variables, template: string): string {
  return template.replace(/{([^{}]*)}/g, (whole, name: string) =>
    Object.hasOwn(variables, name) ? (variables[name] ?? whole) : whole,
  );
}

function splitPattern(pattern: string): readonly string[] {
  const segments = pattern.split('/');
  while (segments.at(-1) === '') segments.pop();
  const first = segments.findIndex((segment) => segment !== '');
  return first === -1 ? [] : segments.slice(first);
}

function compileSegment(text: string): Segment {
  if (text === '*') return { type: 'any' };
  const names = [...text.matchAll(CAPTURE)].map(([, name = '']) => name);
  if (names.length === 0) return { type: 'literal', text };
  if (names.length > CAPTURES_PER_SEGMENT_MAX) {
    throw new PatternError(`${text}: at most ${CAPTURES_PER_SEGMENT_MAX} captures in a segment`);
  }
  const literals = text.replace(CAPTURE, '/').split('/');
  const fromStart = literals[0]?.startsWith('^') === true;
  const toEnd = literals.at(-1)?.endsWith('$') === true;
  if (fromStart) literals[0] = literals[0]?.slice(1) ?? '';
  if (toEnd) literals[literals.length - 1] = literals.at(-1)?.slice(0, -1) ?? '';
  for (const literal of literals) {
    const special = SPECIAL.exec(literal);
    if (special === null) continue;
    throw new PatternError(
      `${text}: '${special[0]}' has no place beside a capture; a name is made of letters, digits and . : _`,
    );
  }
  return { type: 'captures', names, literals, fromStart, toEnd };
}

/**
 * The leftmost match with the longest captures, the first one first. Going backwards, each literal is put as
 * far to the right as those after it allow, which gives every capture before it the most that it can have.
 */
function capture(
  { names, literals, fromStart, toEnd }: Extract<Segment, { readonly type: 'captures' }>,
  text: string,
  captured: [string, string][],
): boolean {
  const ends: number[] = [];
  let limit = text.length;
  for (let i = names.length; i >= 1; i--) {
    const literal = literals[i] ?? '';
    if (limit < literal.length) return false;
    const at =
      toEnd && i === names.length
        ? limit - literal.length
        : text.lastIndexOf(literal, limit - literal.length);
    if (at === -1 || !text.startsWith(literal, at)) return false;
    ends[i - 1] = at;
    limit = at;
  }
  const first = literals[0] ?? '';
  const start = fromStart ? (text.startsWith(first) ? 0 : -1) : text.indexOf(first);
  if (start === -1 || start + first.length > limit) return false;
  let from = start + first.length;
  names.forEach((name, i) => {
    const end = ends[i] ?? from;
    captured.push([name, text.slice(from, end)]);
    from = end + (literals[i + 1] ?? '').length;
  });
  return true;
}

export type PatternedParams<P> = { readonly prefix: PathMatcher; readonly params: P };

export type MergedParams<P> = {
  /** Each parameter from the last matching entry that has it. */
  readonly params: Partial<P>;
  /** The captures of the entry that `key` was taken from; none when no matching entry has it. */
  variablesOf(key: keyof P): Variables;
};

/**
 * The parameters in force for a path: every entry that matches applies, parameter by parameter, the last one
 * wins.
 */
export function mergeConfigs<P extends object>(
  configs: readonly PatternedParams<P>[],
  path: Path,
): MergedParams<P> {
  const params: Partial<P> = {};
  const origins = new Map<PropertyKey, Variables>();
  for (const config of configs) {
    const variables = config.prefix.extract(path);
    if (variables === undefined) continue;
    for (const key of Object.keys(config.params) as (keyof P)[]) {
      const value = config.params[key];
      if (value === undefined) continue;
      params[key] = value;
      origins.set(key, variables);
    }
  }
  return { params, variablesOf: (key) => origins.get(key) ?? {} };
}
