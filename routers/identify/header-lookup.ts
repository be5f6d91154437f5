/** Prepared access to the value of one header, for identifiers whose header is a matter of configuration. */
import { Field, type Fields, fieldId } from '../fields.ts';

export type HeaderLookup = (fields: Fields) => string | undefined;

/** Ids that several names share: the name has to be compared as well. */
const SHARED: ReadonlySet<number> = new Set([
  Field.l5dDst,
  Field.l5dOther,
  Field.nack,
  Field.location,
  Field.b3,
]);

/** The first field of that name; an empty value counts as absent. */
export function firstValue(header: string): HeaderLookup {
  const lower = header.toLowerCase();
  const id = fieldId(header);
  if (id === Field.other) return (fields) => fields.named(lower) || undefined;
  if (SHARED.has(id)) return (fields) => (fields.mayHave(id) ? fields.named(lower) || undefined : undefined);
  return (fields) => fields.first(id) || undefined;
}

/** The last field of that name, which is the one that counts in HTTP/2. */
export function lastValue(header: string): HeaderLookup {
  const lower = header.toLowerCase();
  return (fields) => {
    for (let i = fields.names.length - 1; i >= 0; i--) {
      if (fields.ids[i] !== Field.removed && fields.names[i]?.toLowerCase() === lower) {
        return fields.values[i] || undefined;
      }
    }
    return undefined;
  };
}
