/**
 * `io.l5d.methodAndHost`: version, method and lower-case host, e.g. `/svc/1.1/GET/web:8080`; for HTTP/1.0
 * without the host. With `httpUriInDst` the request path follows, which then has to be a path of the naming
 * language.
 *
 *     identifier: {kind: io.l5d.methodAndHost, httpUriInDst: true}
 */
import type { Path } from '../../dtab/path.ts';
import { Failure } from '../../src/base/failure.ts';
import { Field } from '../fields.ts';
import type { RequestHead } from '../head.ts';
import { type Identifier, Unidentified } from './identifier.ts';
import { NameMemo } from './name-memo.ts';
import { joinNames, labelText, prefixText } from './name-text.ts';
import { parsePath } from './parse-path.ts';

const noHost = new Unidentified('HTTP/1.1 request missing hostname');

export class MethodAndHostIdentifier implements Identifier {
  readonly #prefix: string;
  readonly #uriInDst: boolean;
  /** From Host to its label. */
  readonly #labels = new NameMemo();

  constructor(dstPrefix: Path, httpUriInDst: boolean) {
    this.#prefix = prefixText(dstPrefix);
    this.#uriInDst = httpUriInDst;
  }

  identify(head: RequestHead): string | Unidentified | Failure {
    let name: string;
    if (head.minor === 0) {
      name = `${this.#prefix}/1.0/${labelText(head.method)}`;
    } else {
      const host = head.fields.first(Field.host);
      if (host === undefined || host === '') return noHost;
      const label = this.#labels.get(host) ?? this.#labels.set(host, labelText(lowerCase(host)));
      name = `${this.#prefix}/1.1/${labelText(head.method)}/${label}`;
    }
    if (!this.#uriInDst) return name;
    const query = head.target.indexOf('?');
    const path = parsePath(query === -1 ? head.target : head.target.slice(0, query), 'request path');
    // The kind gives 502, as in linkerd.
    if (typeof path === 'string') return new Failure('naming', path, true);
    return joinNames(name, path.show);
  }
}

/** Lower case of ASCII letters only: the other characters stand for single bytes, which have no case. */
function lowerCase(host: string): string {
  const lower = host.toLowerCase();
  for (let i = 0; i < host.length; i++) {
    if (host.charCodeAt(i) > 0x7f) return host.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  }
  return lower;
}
