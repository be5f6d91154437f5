/**
 * `io.l5d.header.token`, the default: the value of a header (`Host`) is one label, as received, port
 * included.
 *
 *     identifier: {kind: io.l5d.header.token, header: x-service}
 */
import type { Path } from '../../dtab/path.ts';
import type { RequestHead } from '../head.ts';
import { firstValue, type HeaderLookup } from './header-lookup.ts';
import { type Identifier, Unidentified } from './identifier.ts';
import { NameMemo } from './name-memo.ts';
import { labelText, prefixText } from './name-text.ts';

export class HeaderTokenIdentifier implements Identifier {
  readonly #value: HeaderLookup;
  readonly #before: string;
  readonly #absent: Unidentified;
  readonly #memo = new NameMemo();

  constructor(dstPrefix: Path, header: string, lookup: HeaderLookup = firstValue(header)) {
    this.#value = lookup;
    this.#before = `${prefixText(dstPrefix)}/`;
    this.#absent = new Unidentified(`${header} header is absent`);
  }

  identify(head: RequestHead): string | Unidentified {
    const value = this.#value(head.fields);
    if (value === undefined) return this.#absent;
    return this.#memo.get(value) ?? this.#memo.set(value, this.#before + labelText(value));
  }
}
