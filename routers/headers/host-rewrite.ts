/**
 * An address set may ask for another Host than the caller's (consul `setHost`). Services that build redirects
 * from it would then send callers to a name that they may not know: it is mapped back in `Location` and
 * `Refresh`.
 */
import { Field, type Fields } from '../fields.ts';
import { isFieldText } from './field-text.ts';

/** The Host to send, or undefined to leave it: no authority, or one that must not stand in a field. */
export function authorityHost(authority: string | undefined): string | undefined {
  return authority === undefined || authority === '' || !isFieldText(authority) ? undefined : authority;
}

/** `originalHost` is what the caller sent; without it there is nothing to map to. */
export function restoreHost(fields: Fields, authority: string, originalHost: string | undefined): void {
  if (!fields.mayHave(Field.location) || originalHost === undefined || originalHost === '') return;
  for (let i = 0; i < fields.ids.length; i++) {
    if (fields.ids[i] !== Field.location) continue;
    fields.values[i] = (fields.values[i] as string).replaceAll(authority, () => originalHost);
  }
}
