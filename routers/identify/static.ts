/**
 * `io.l5d.static`: every request has the same name. Useful as the last of a list.
 *
 *     identifier: {kind: io.l5d.static, path: /web}
 */
import type { Path } from '../../dtab/path.ts';
import type { Identifier } from './identifier.ts';

export class StaticIdentifier implements Identifier {
  readonly #name: string;

  constructor(dstPrefix: Path, path: Path) {
    this.#name = dstPrefix.concat(path).show;
  }

  identify(): string {
    return this.#name;
  }
}
