/**
 * A configuration before it is checked: values that know where they stand in the text. Offsets count from 0
 * in UTF-16 units. Values are immutable and may be shared (YAML aliases), so nothing may walk them without
 * the node limit that config/yaml enforces.
 */
export type NullValue = { readonly type: 'null'; readonly at: number };
export type BoolValue = { readonly type: 'bool'; readonly at: number; readonly value: boolean };
/** `text` is the number as written, for the places where a name was meant. */
export type NumberValue = {
  readonly type: 'number';
  readonly at: number;
  readonly value: number;
  readonly text: string;
};
/**
 * `contentAt` is where to start looking for the content: after the quote, or after the header of a block.
 */
export type StringValue = {
  readonly type: 'string';
  readonly at: number;
  readonly value: string;
  readonly contentAt: number;
};
export type ListValue = { readonly type: 'list'; readonly at: number; readonly items: readonly Value[] };
export type Entry = { readonly key: string; readonly keyAt: number; readonly value: Value };
export type ObjectValue = {
  readonly type: 'object';
  readonly at: number;
  readonly entries: readonly Entry[];
};
export type Value = NullValue | BoolValue | NumberValue | StringValue | ListValue | ObjectValue;

export function entryOf(value: Value | undefined, key: string): Entry | undefined {
  return value?.type === 'object' ? value.entries.find((entry) => entry.key === key) : undefined;
}

/** The value under a key; undefined when it is absent, null, or `value` is no object. */
export function get(value: Value | undefined, key: string): Value | undefined {
  const found = entryOf(value, key)?.value;
  return found?.type === 'null' ? undefined : found;
}

export function itemsOf(value: Value | undefined): readonly Value[] {
  return value?.type === 'list' ? value.items : [];
}

/** The text of a scalar, undefined for anything else. */
export function textOf(value: Value | undefined): string | undefined {
  if (value?.type === 'string') return value.value;
  if (value?.type === 'number') return value.text;
  return value?.type === 'bool' ? String(value.value) : undefined;
}

/**
 * The same data without positions, as JSON would hold it. Absent optionals and nulls in objects are left out.
 */
export function toJson(value: Value): unknown {
  switch (value.type) {
    case 'null':
      return null;
    case 'list':
      return value.items.map(toJson);
    case 'object':
      return Object.fromEntries(
        value.entries
          .filter((entry) => entry.value.type !== 'null')
          .map((entry) => [entry.key, toJson(entry.value)]),
      );
    default:
      return value.value;
  }
}

/**
 * Where the characters at some indexes of a string (ascending) stand in the text. Quoting, folding and
 * indentation change only white space and escapes, so the characters are found by walking both in step; what
 * cannot be found ends the walk at the last character that could.
 */
export function offsetsWithin(
  text: string,
  value: StringValue,
  indexes: readonly number[],
): readonly number[] {
  const offsets: number[] = [];
  let next = value.contentAt;
  let last = value.contentAt;
  for (let i = 0; i < value.value.length && offsets.length < indexes.length; i++) {
    const character = value.value[i] ?? '';
    if (character.trim() !== '') {
      const found = text.indexOf(character, next);
      if (found < 0) break;
      last = found;
      next = found + 1;
    }
    while (indexes[offsets.length] === i) offsets.push(last);
  }
  // An index behind the last character is the place where something is missing.
  const end = value.value.trim() === '' ? last : next;
  while (offsets.length < indexes.length) offsets.push(end);
  return offsets;
}
