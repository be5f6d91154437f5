/**
 * Per-request overrides: `l5d-ctx-dtab` (from another router), then `l5d-dtab` (from the user, so its entries
 * win), each possibly repeated. The same override comes again and again, so that parsed ones are kept, in
 * bounded number and size.
 */
import type { Dtab } from '../../dtab/names.ts';
import { Failure } from '../../src/base/failure.ts';
import { Field, type Fields } from '../fields.ts';
import { parseOverride, showOverride } from './parse-override.ts';

/**
 * `show` is the printed table: a part of the path cache's key, and the value of the outgoing `l5d-ctx-dtab`.
 */
export type LocalDtab = { readonly dtab: Dtab; readonly show: string };

export const noOverride: LocalDtab = Object.freeze({ dtab: Object.freeze([]), show: '' });

/** Each of two generations holds this many: what was not asked for during one generation is forgotten. */
const ENTRIES_MAX = 256;
const CACHED_LENGTH_MAX = 2048;

/** One a router. */
export class LocalDtabs {
  #recent = new Map<string, LocalDtab>();
  #older = new Map<string, LocalDtab>();

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  /**
   * Reads and removes both headers. They are removed even when they are bad, so that nothing of them is sent
   * on.
   */
  take(fields: Fields): LocalDtab | Failure {
    if (!fields.mayHave(Field.l5dDtab) && !fields.mayHave(Field.l5dCtxDtab)) return noOverride;
    const key = joined(fields);
    fields.remove(Field.l5dCtxDtab);
    fields.remove(Field.l5dDtab);
    return this.#recent.get(key) ?? this.#find(key);
  }

  #find(key: string): LocalDtab | Failure {
    const older = this.#older.get(key);
    if (older !== undefined) {
      this.#keep(key, older);
      return older;
    }
    const parsed = parseAll(key);
    if (parsed instanceof Failure || key.length > CACHED_LENGTH_MAX) return parsed;
    // The key was cut out of a message head; a copy does not keep the head alive.
    this.#keep(Buffer.from(key, 'latin1').toString('latin1'), parsed);
    return parsed;
  }

  #keep(key: string, value: LocalDtab): void {
    if (this.#recent.size >= ENTRIES_MAX) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }
}

/** Stand before each value of a key; no table that parses has them in it. */
const CONTEXT = '\0';
const USER = '\x01';
const EACH_VALUE = /(?=[\0\x01])/;

function joined(fields: Fields): string {
  return valuesOf(fields, Field.l5dCtxDtab, CONTEXT) + valuesOf(fields, Field.l5dDtab, USER);
}

function valuesOf(fields: Fields, id: number, mark: string): string {
  if (!fields.mayHave(id)) return '';
  let text = '';
  for (let i = 0; i < fields.ids.length; i++) {
    if (fields.ids[i] === id) text += mark + (fields.values[i] as string);
  }
  return text;
}

function parseAll(key: string): LocalDtab | Failure {
  const dtab: Dtab[number][] = [];
  for (const value of key.split(EACH_VALUE)) {
    const parsed = parseOverride(value.slice(1), value[0] === USER ? 'l5d-dtab' : 'l5d-ctx-dtab');
    if (typeof parsed === 'string') return new Failure('bad-dtab', parsed, true);
    dtab.push(...parsed);
  }
  if (dtab.length === 0) return noOverride;
  return Object.freeze({ dtab: Object.freeze(dtab), show: showOverride(dtab) });
}

/** `shown` is a LocalDtab's `show`: printed labels are plain ASCII, so that it is safe in a field. */
export function appendLocalDtab(out: string, shown: string): string {
  return shown === '' ? out : `${out}l5d-ctx-dtab: ${shown}\r\n`;
}
