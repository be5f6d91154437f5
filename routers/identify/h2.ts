/**
 * The identifiers of HTTP/2 requests, whose head is a list of fields that starts with the pseudo headers.
 *
 *     identifier: {kind: io.l5d.header.path, header: ':path', segments: 1}
 */
import type { Path } from '../../dtab/path.ts';
import { Failure } from '../../src/base/failure.ts';
import type { RequestHead } from '../head.ts';
import { type HeaderLookup, lastValue } from './header-lookup.ts';
import { HeaderTokenIdentifier } from './header-token.ts';
import { type Identifier, Unidentified } from './identifier.ts';
import { joinNames, prefixText } from './name-text.ts';
import { parsePath } from './parse-path.ts';

export type H2IdentifierSpec =
  | { readonly kind: 'io.l5d.header.token'; readonly header: string }
  | { readonly kind: 'io.l5d.header.path'; readonly header: string; readonly segments?: number };

export function makeH2Identifier(spec: H2IdentifierSpec, dstPrefix: Path): Identifier {
  switch (spec.kind) {
    case 'io.l5d.header.token':
      return new HeaderTokenIdentifier(dstPrefix, spec.header, lastValue(spec.header));
    case 'io.l5d.header.path':
      return new HeaderPathIdentifier(dstPrefix, spec.header, spec.segments);
  }
}

/** The first segments of a header that holds a request path (all of them without `segments`) are the name. */
export class HeaderPathIdentifier implements Identifier {
  readonly #prefix: string;
  readonly #header: string;
  readonly #value: HeaderLookup;
  readonly #segments: number | undefined;
  readonly #tooShort: Unidentified;

  constructor(dstPrefix: Path, header: string, segments: number | undefined) {
    if (segments !== undefined && !(Number.isInteger(segments) && segments >= 1)) {
      throw new RangeError(`segments of io.l5d.header.path must be an integer from 1, not ${segments}`);
    }
    this.#prefix = prefixText(dstPrefix);
    this.#header = header;
    this.#value = lastValue(header);
    this.#segments = segments;
    this.#tooShort = new Unidentified(
      segments === undefined ? 'Missing destination path' : `Path must have at least ${segments} segment(s)`,
    );
  }

  identify(head: RequestHead): string | Unidentified | Failure {
    const value = this.#value(head.fields) ?? '';
    const query = value.indexOf('?');
    let text = query === -1 ? value : value.slice(0, query);
    if (text.endsWith('/')) text = text.slice(0, -1);
    if (text === '') return this.#tooShort;
    const path = parsePath(text, this.#header);
    if (typeof path === 'string') return new Failure('naming', path, true);
    if (path.size < (this.#segments ?? 1)) return this.#tooShort;
    return joinNames(this.#prefix, (this.#segments === undefined ? path : path.take(this.#segments)).show);
  }
}
