/**
 * What differs between two configurations, in the words of the configuration: routers by label, servers by
 * address, entries of sections by prefix, a dtab entry by entry. Pure; lines for people, in a fixed order.
 */
import { isDeepStrictEqual } from 'node:util';
import { showPrefix, showTree } from '../dtab/show.ts';
import { dtabOf } from './name-decoders.ts';
import type { DtabSpec, LinkerSpec } from './spec.ts';

/** `line` begins with + (new), - (gone) or ~ (another value). */
export type Change = {
  readonly line: string;
  /** It takes effect when the process is started anew. */
  readonly restart: boolean;
};

const VALUE_LENGTH_MAX = 200;
/** Not what somebody has written. */
const PASSED_OVER = new Set(['source', 'json']);
const AFTER_RESTART = [
  /^admin\b/,
  /^telemetry\b/,
  /\.accessLog\b/,
  /\.socketOptions\.(reusePort|backlog|noDelay|keepAlive)$/,
];

export function diffSpecs(before: LinkerSpec, after: LinkerSpec): readonly Change[] {
  const lines: { path: string; line: string }[] = [];
  compare('', before, after, (path, line) => lines.push({ path, line }));
  return lines.map(({ path, line }) => ({
    line,
    // A server that is new has its socket as it says.
    restart: !line.startsWith('+ routers') && AFTER_RESTART.some((pattern) => pattern.test(path)),
  }));
}

type Tell = (path: string, line: string) => void;

function compare(path: string, before: unknown, after: unknown, tell: Tell): void {
  if (isDeepStrictEqual(before, after)) return;
  if (/\.dtab$/.test(path)) compareDtabs(path, before as DtabSpec, after as DtabSpec, tell);
  else if (before === undefined) tell(path, `+ ${path}: ${shown(after)}`);
  else if (after === undefined) tell(path, `- ${path}: ${shown(before)}`);
  else if (Array.isArray(before) && Array.isArray(after)) compareLists(path, before, after, tell);
  else if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const key of keys) {
      if (path === '' && PASSED_OVER.has(key)) continue;
      compare(path === '' ? key : `${path}.${key}`, before[key], after[key], tell);
    }
  } else tell(path, `~ ${path}: ${shown(before)} -> ${shown(after)}`);
}

function compareLists(path: string, before: readonly unknown[], after: readonly unknown[], tell: Tell): void {
  const [from, to] = [named(before), named(after)];
  const missing = [...from.keys()].filter((name) => !to.has(name));
  for (const name of missing) tell(path, `- ${path}[${name}]`);
  for (const [name, value] of to) {
    if (from.has(name)) compare(`${path}[${name}]`, from.get(name), value, tell);
    else tell(path, `+ ${path}[${name}]`);
  }
  const order = (names: Iterable<string>): string[] =>
    [...names].filter((name) => from.has(name) && to.has(name));
  if (!isDeepStrictEqual(order(from.keys()), order(to.keys()))) {
    tell(path, `~ ${path}: the order is ${[...to.keys()].join(', ')}`);
  }
}

/** The members of a list by what tells them apart. */
function named(list: readonly unknown[]): Map<string, unknown> {
  const names = new Map<string, unknown>();
  list.forEach((value, i) => {
    const name = nameOf(value) ?? String(i);
    names.set(names.has(name) ? `${name} (${i})` : name, value);
  });
  return names;
}

function nameOf(value: unknown): string | undefined {
  if (!isObject(value)) return typeof value === 'string' ? value : undefined;
  const { protocol, label, ip, port, prefix, kind } = value;
  if (protocol !== undefined) return String(label);
  if (ip !== undefined && port !== undefined) return `${String(ip)}:${String(port)}`;
  return prefix === undefined ? (kind === undefined ? undefined : String(kind)) : String(prefix);
}

function compareDtabs(path: string, before: DtabSpec, after: DtabSpec, tell: Tell): void {
  const entries = (spec: DtabSpec): string[] =>
    dtabOf(spec).map(({ prefix, dst }) => `${showPrefix(prefix)} => ${showTree(dst)}`);
  const [from, to] = [entries(before), entries(after)];
  const gone = from.filter((entry) => !to.includes(entry));
  const added = to.filter((entry) => !from.includes(entry));
  for (const entry of gone) tell(path, `- ${path}: ${entry}`);
  for (const entry of added) tell(path, `+ ${path}: ${entry}`);
  if (gone.length + added.length === 0 && !isDeepStrictEqual(from, to)) {
    tell(path, `~ ${path}: the order is ${to.join('; ')}`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = value === Number.POSITIVE_INFINITY ? 'unlimited' : (JSON.stringify(value) ?? 'none');
  return text.length <= VALUE_LENGTH_MAX ? text : `${text.slice(0, VALUE_LENGTH_MAX)}...`;
}
