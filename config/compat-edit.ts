/**
 * Small edits of values for the rewriting of old forms. Every edit answers a new value; what is made anew
 * stands where the old form stood, so that later errors still point into the text.
 */
import type { Diagnostics } from './errors.ts';
import {
  type Entry,
  entryOf,
  get,
  itemsOf,
  type ListValue,
  type ObjectValue,
  textOf,
  toJson,
  type Value,
} from './value.ts';

export function textAt(value: string, at: number): Value {
  return { type: 'string', at, value, contentAt: at };
}

export function boolAt(value: boolean, at: number): Value {
  return { type: 'bool', at, value };
}

export function listAt(items: readonly Value[], at: number): ListValue {
  return { type: 'list', at, items };
}

export function objectAt(entries: Readonly<Record<string, Value>>, at: number): ObjectValue {
  return {
    type: 'object',
    at,
    entries: Object.entries(entries).map(([key, value]) => ({ key, keyAt: at, value })),
  };
}

export function without(object: ObjectValue, ...keys: readonly string[]): ObjectValue {
  return { ...object, entries: object.entries.filter((entry) => !keys.includes(entry.key)) };
}

/** Sets a key, in its place when it is there, else at the end. */
export function withKey(
  object: ObjectValue,
  key: string,
  value: Value,
  keyAt: number = value.at,
): ObjectValue {
  const given = object.entries.some((entry) => entry.key === key);
  if (!given) return { ...object, entries: [...object.entries, { key, keyAt, value }] };
  return {
    ...object,
    entries: object.entries.map((entry) => (entry.key === key ? { ...entry, value } : entry)),
  };
}

/** Edits the value under a key; nothing happens when it is absent. */
export function editKey(object: ObjectValue, key: string, edit: (value: Value) => Value): ObjectValue {
  const value = get(object, key);
  return value === undefined ? object : withKey(object, key, edit(value));
}

export function editObject(value: Value, edit: (object: ObjectValue) => Value): Value {
  return value.type === 'object' ? edit(value) : value;
}

export function editItems(value: Value, edit: (item: ObjectValue, index: number) => Value): Value {
  if (value.type !== 'list') return value;
  return { ...value, items: value.items.map((item, i) => (item.type === 'object' ? edit(item, i) : item)) };
}

/** The objects that hold a section's parameters: itself when global, each of its `configs` when static. */
export function editSection(
  section: Value,
  path: string,
  edit: (params: ObjectValue, path: string) => ObjectValue,
): Value {
  return editObject(section, (object) => {
    if (!isStatic(object)) return edit(object, path);
    return editKey(object, 'configs', (configs) =>
      editItems(configs, (params, i) => edit(params, `${path}.configs[${i}]`)),
    );
  });
}

export function isStatic(section: Value | undefined): boolean {
  return textOf(get(section, 'kind')) === 'io.l5d.static';
}

/** What an old form is read as, one warning an occurrence. */
export class OldForms {
  readonly #diagnostics: Diagnostics;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  readAs(at: number, path: string, what: string, now: string): void {
    this.#diagnostics.warn('old-form', at, path, `old form ${what}, read as ${now}`);
  }

  leftOut(at: number, path: string, what: string, why: string): void {
    this.#diagnostics.warn('old-form', at, path, `old form ${what} is left out: ${why}`);
  }

  conflict(at: number, path: string, message: string): void {
    this.#diagnostics.error('conflict', at, path, message);
  }

  unknownKey(entry: Entry, path: string, known: readonly string[]): void {
    const message = `unknown key ${JSON.stringify(entry.key)}. Known: ${known.join(', ')}`;
    this.#diagnostics.error('unknown-key', entry.keyAt, `${path}.${entry.key}`, message);
  }

  /** Drops a key that has no meaning any more. */
  drop(object: ObjectValue, path: string, key: string, why: string): ObjectValue {
    const entry = entryOf(object, key);
    if (entry === undefined) return object;
    this.leftOut(entry.keyAt, `${path}.${key}`, `"${key}"`, why);
    return without(object, key);
  }

  /** Moves a router's key into its `client` or `service`, for all names. */
  moveToSection(
    router: ObjectValue,
    path: string,
    key: string,
    section: 'client' | 'service',
    as = key,
  ): ObjectValue {
    const entry = entryOf(router, key);
    if (entry === undefined) return router;
    const now = `"${section}: {${as}: ${JSON.stringify(toJson(entry.value))}}"`;
    this.readAs(entry.keyAt, `${path}.${key}`, `"${key}" of a router`, now);
    return this.putInSection(without(router, key), path, section, { ...entry, key: as });
  }

  putInSection(router: ObjectValue, path: string, section: 'client' | 'service', entry: Entry): ObjectValue {
    const current = get(router, section);
    const { key, keyAt, value } = entry;
    if (current === undefined) return withKey(router, section, objectAt({ [key]: value }, keyAt));
    if (current.type !== 'object') return router;
    if (isStatic(current)) {
      const configs = get(current, 'configs');
      const first = objectAt({ prefix: textAt('/', keyAt), [key]: value }, keyAt);
      const all = listAt([first, ...itemsOf(configs)], configs?.at ?? keyAt);
      return withKey(router, section, withKey(current, 'configs', all));
    }
    if (get(current, key) !== undefined) {
      this.conflict(keyAt, path, `the old form and "${section}.${key}" are both set: remove the old one`);
      return router;
    }
    return withKey(router, section, withKey(current, key, value, keyAt));
  }
}
