/**
 * The part of kustomize that the manifests of this project use: resources, components, and JSON patches
 * (RFC 6902: add, remove, replace) with a target of kind and name. Anything else in a kustomization is an
 * error, never ignored; a test compares the result with that of kubectl.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Manifest = { [key: string]: Json };

type Patch = { readonly path: string; readonly target: { readonly kind: string; readonly name: string } };
type Operation = { readonly op: string; readonly path: string; readonly value?: Json };

const KNOWN: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'resources', 'components', 'patches']);

/** All objects of a folder with a kustomization. Throws an Error when it asks for what is not built. */
export function build(folder: string): Manifest[] {
  return extend(folder, []);
}

function extend(folder: string, before: readonly Manifest[]): Manifest[] {
  const file = join(folder, 'kustomization.yaml');
  const kustomization: Record<string, unknown> = parse(readFileSync(file, 'utf8'));
  for (const key of Object.keys(kustomization)) {
    if (!KNOWN.has(key)) throw new Error(`${file}: ${key} is not built`);
  }
  let objects = [...before];
  for (const name of listOf<string>(kustomization['resources'])) {
    const path = join(folder, name);
    objects.push(...(statSync(path).isDirectory() ? build(path) : readObjects(path)));
  }
  for (const name of listOf<string>(kustomization['components']))
    objects = extend(join(folder, name), objects);
  for (const { path, target } of listOf<Patch>(kustomization['patches'])) {
    const at = objects.find((object) => isTarget(object, target));
    if (at === undefined) throw new Error(`${file}: there is no ${target.kind} ${target.name} to patch`);
    const operations: readonly Operation[] = parse(readFileSync(join(folder, path), 'utf8'));
    for (const operation of operations) apply(at, operation, join(folder, path));
  }
  return objects;
}

function readObjects(path: string): Manifest[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS());
}

function isTarget(object: Manifest, { kind, name }: Patch['target']): boolean {
  const metadata = object['metadata'];
  return object['kind'] === kind && isObject(metadata) && metadata['name'] === name;
}

function apply(object: Manifest, { op, path, value = null }: Operation, file: string): void {
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop() ?? '';
  let at: unknown = object;
  for (const key of keys) at = isObject(at) ? at[key] : undefined;
  if (!isObject(at)) throw new Error(`${file}: there is no ${dirname(path)}`);
  if (op !== 'add' && !(last in at)) throw new Error(`${file}: there is no ${path}`);
  if (Array.isArray(at) && op === 'add') at.splice(last === '-' ? at.length : Number(last), 0, value);
  else if (Array.isArray(at) && op === 'remove') at.splice(Number(last), 1);
  else if (op === 'remove') delete at[last];
  else if (op === 'add' || op === 'replace') at[last] = value;
  else throw new Error(`${file}: the operation ${op} is not built`);
}

/** An object or an array, by whose keys a pointer goes on. */
function isObject(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null;
}

function listOf<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? value : [];
}
