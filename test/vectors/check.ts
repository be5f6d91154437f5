/**
 * Runs vectors: finds the op of a vector, and compares what it gives with what is expected, by the rules of
 * README.md. An op that is not known, or that breaks, is a failure of the vector.
 */
import { AssertionError } from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DtabSyntaxError } from '../../dtab/syntax-error.ts';

export type Vector = {
  readonly name: string;
  readonly op: string;
  readonly expect: Readonly<Record<string, unknown>>;
};

export type Problem = { readonly expected: unknown; readonly got: unknown };

type Op = (vector: never) => unknown;
type Ops = Readonly<Record<string, Op>>;

const AREAS = [
  'path',
  'nametree',
  'dtab',
  'delegation',
  'rewriting-namers',
  'path-matcher',
  'identifiers',
  'tls-common-name',
  'headers',
];

/** The vectors of every *.json of a folder, by file name. */
export function loadVectors(directory: string): Map<string, readonly Vector[]> {
  const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
  return new Map(
    files.sort().map((file) => {
      const vectors: unknown = JSON.parse(readFileSync(join(directory, file), 'utf8'));
      if (!Array.isArray(vectors)) throw new Error(`${file}: not an array of vectors`);
      return [file, vectors];
    }),
  );
}

/**
 * The ops of a file of vectors, by the area that its name says (the longest, so that path-matcher is not
 * path).
 */
export async function opsFor(file: string): Promise<Ops> {
  const name = basename(file, '.json');
  const [area] = AREAS.filter((each) => name.includes(each)).sort((a, b) => b.length - a.length);
  const module = new URL(`./ops/${area}.ts`, import.meta.url);
  if (area === undefined || !existsSync(module)) return {};
  const { ops } = (await import(module.href)) as { ops: Ops };
  return ops;
}

/** Undefined when the vector passes. */
export async function check(vector: Vector, ops: Ops): Promise<Problem | undefined> {
  const op = Object.hasOwn(ops, vector.op) ? ops[vector.op] : undefined;
  if (op === undefined) return { expected: vector.expect, got: `no such op: ${vector.op}` };
  const got = await outcomeOf(op, vector);
  return matches(vector.expect, got) ? undefined : { expected: vector.expect, got };
}

async function outcomeOf(op: Op, vector: Vector): Promise<unknown> {
  try {
    return await op(vector as never);
  } catch (error) {
    const broken =
      error instanceof TypeError ||
      error instanceof ReferenceError ||
      error instanceof RangeError ||
      error instanceof AssertionError;
    if (broken) return `broken: ${error.stack}`;
    const at = error instanceof DtabSyntaxError ? { at: error.offset } : {};
    return { error: true, message: String(error), ...at };
  }
}

function matches(expected: Readonly<Record<string, unknown>>, got: unknown): boolean {
  if (Array.isArray(expected['anyOf'])) return expected['anyOf'].some((each) => matches(each, got));
  if (typeof got !== 'object' || got === null) return false;
  const actual = got as Readonly<Record<string, unknown>>;
  if (expected['error'] !== true && actual['error'] === true) return false;
  return Object.entries(expected).every(([key, value]) => matchesAt(key, value, actual));
}

function matchesAt(key: string, expected: unknown, actual: Readonly<Record<string, unknown>>): boolean {
  const got = actual[key];
  switch (key) {
    case 'at':
      return got === undefined || got === expected;
    case 'eval':
      return equal(sorted(expected), sorted(got), 0);
    case 'fractions':
      return equalFractions(expected as Fractions, got as Fractions);
    case 'rate':
      return equal(expected, got, 1e-6);
    case 'labelPattern':
      return new RegExp(`^(?:${expected})$`).test(String(actual['label']));
    case 'when':
      // Only where the op says when; what may be found when the client is made may also be found earlier.
      return got === undefined || got === expected || (expected === 'client' && got === 'config');
    default:
      return equal(expected, got, 1e-9);
  }
}

type Fractions = Readonly<Record<string, number>>;

function equalFractions(expected: Fractions, got: Fractions): boolean {
  const keys = new Set([...Object.keys(expected), ...Object.keys(got)]);
  return [...keys].every((key) => equal(expected[key] ?? 0, got[key] ?? 0, 1e-6));
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? [...new Set(value)].sort() : value;
}

function equal(a: unknown, b: unknown, tolerance: number): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a));
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((value, i) => equal(value, b[i], tolerance));
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const own = (value: object) => Object.keys(value).sort();
  return (
    !Array.isArray(b) &&
    equal(own(a), own(b), 0) &&
    Object.entries(a).every(([key, value]) => equal(value, (b as Record<string, unknown>)[key], tolerance))
  );
}
