/**
 * `io.l5d.header`: the value of a header (`l5d-name`) is a path. A value that is not one is an error, not a
 * reason to ask the next identifier: a caller who names its destination must not silently get another.
 *
 *     identifier: {kind: io.l5d.header, header: x-path}
 */
import type { Path } from '../../dtab/path.ts';
import { Failure } from '../../src/base/failure.ts';
import type { RequestHead } from '../head.ts';
import { firstValue, type HeaderLookup } from './header-lookup.ts';
import { type Identifier, Unidentified } from './identifier.ts';
import { NameMemo } from './name-memo.ts';
import { joinNames, prefixText } from './name-text.ts';
import { parsePath } from './parse-path.ts';

export class HeaderIdentifier implements Identifier {
  readonly #header: string;
  readonly #value: HeaderLookup;
  readonly #prefix: string;
  readonly #absent: Unidentified;
  readonly #memo = new NameMemo();

  constructor(dstPrefix: Path, header: string) {
    this.#header = header;
    this.#value = firstValue(header);
    this.#prefix = prefixText(dstPrefix);
    this.#absent = new Unidentified(`${header} header is absent`);
  }

  identify(head: RequestHead): string | Unidentified | Failure {
    const value = this.#value(head.fields);
    if (value === undefined) return this.#absent;
    const known = this.#memo.get(value);
    if (known !== undefined) return known;
    const path = parsePath(value, this.#header);
    if (typeof path === 'string') return new Failure('unidentified', path, true);
    return this.#memo.set(value, joinNames(this.#prefix, path.show));
  }
}
