/** Reads fields of JSON that came from outside: what is missing or has another type is absent. */
export type JsonObject = { readonly [key: string]: unknown };

export type Labels = { readonly [key: string]: string };

const nothing: JsonObject = Object.freeze({});
const none: readonly never[] = Object.freeze([]);
const noLabels: Labels = Object.freeze({});

export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : nothing;
}

/** What `read` makes of each object of a list; it drops one by answering undefined. */
export function listOf<T>(value: unknown, read: (item: JsonObject) => T | undefined): readonly T[] {
  if (!Array.isArray(value) || value.length === 0) return none;
  const items: T[] = [];
  for (const each of value) {
    const item = read(objectOf(each));
    if (item !== undefined) items.push(item);
  }
  return Object.freeze(items);
}

/** A string that is not empty. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? Object.freeze(value.filter((each) => typeof each === 'string' && each !== ''))
    : none;
}

export const flagOf = (value: unknown): boolean | undefined =>
  typeof value === 'boolean' ? value : undefined;

export const portOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536 ? value : undefined;

/** A port by number or by name, as Kubernetes' IntOrString. */
export const portOrNameOf = (value: unknown): number | string | undefined => portOf(value) ?? textOf(value);

/** Labels or annotations; those of `keep` only, if it is given. */
export function labelsOf(value: unknown, keep?: (key: string) => boolean): Labels {
  let labels: Record<string, string> | undefined;
  for (const [key, text] of Object.entries(objectOf(value))) {
    if (typeof text !== 'string' || keep?.(key) === false) continue;
    // A key as hostile as `__proto__` is a key like any other.
    labels ??= Object.create(null) as Record<string, string>;
    labels[key] = text;
  }
  return labels === undefined ? noLabels : Object.freeze(labels);
}
