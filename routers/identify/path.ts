/**
 * `io.l5d.path`: the first segments of the request path are the name. With `consume` they are taken off the
 * request target; what is left is sent on, and the query always stays.
 *
 *     identifier: {kind: io.l5d.path, segments: 2, consume: true}
 */
import type { Path } from '../../dtab/path.ts';
import { Failure } from '../../src/base/failure.ts';
import type { RequestHead } from '../head.ts';
import { type Identifier, Unidentified } from './identifier.ts';
import { joinNames, labelText, prefixText } from './name-text.ts';

const tooFew = new Unidentified('not enough segments in path');

export class PathIdentifier implements Identifier {
  readonly #prefix: string;
  readonly #segments: number;
  readonly #consume: boolean;

  constructor(dstPrefix: Path, segments: number, consume: boolean) {
    this.#prefix = prefixText(dstPrefix);
    this.#segments = segments;
    this.#consume = consume;
  }

  identify(head: RequestHead): string | Unidentified | Failure {
    const target = head.target;
    const query = target.indexOf('?');
    let end = query === -1 ? target.length : query;
    const trailingSlash = end > 0 && target[end - 1] === '/';
    // Empty pieces at the end are no segments.
    while (end > 0 && target[end - 1] === '/') end--;

    let name = '';
    // Whatever stands before the first slash (nothing, in an origin-form target) is not a segment.
    let slash = target.indexOf('/');
    if (slash === -1 || slash > end) slash = end;
    for (let taken = 0; taken < this.#segments; taken++) {
      if (slash >= end) return tooFew;
      let next = target.indexOf('/', slash + 1);
      if (next === -1 || next > end) next = end;
      if (next === slash + 1) return emptySegment(target);
      name += `/${labelText(target.slice(slash + 1, next))}`;
      slash = next;
    }
    if (this.#consume) {
      const rest = slash >= end ? '/' : target.slice(slash, end) + (trailingSlash ? '/' : '');
      head.target = query === -1 ? rest : rest + target.slice(query);
    }
    return joinNames(this.#prefix, name === '' ? '/' : name);
  }
}

/**
 * The kind gives 502, as in linkerd: the request can be identified by path, but the name would be malformed.
 */
function emptySegment(target: string): Failure {
  return new Failure(
    'naming',
    `an empty segment in the request path ${JSON.stringify(target)} names nothing`,
    true,
  );
}
