/**
 * `io.l5d.ingress`: the Kubernetes Ingress objects name the request, by its host and path:
 * `/svc/<namespace>/<port>/<service>`. The table of their rules comes from the control thread and is replaced
 * when they change; requests that come before the first one wait.
 *
 *     identifier: {kind: io.l5d.ingress}
 */
import type { Path } from '../../dtab/path.ts';
import type { Activity, State } from '../../src/base/activity.ts';
import type { Closable } from '../../src/base/closable.ts';
import { Failure } from '../../src/base/failure.ts';
import { Field } from '../fields.ts';
import type { RequestHead } from '../head.ts';
import { type Identifier, NotYet, Unidentified } from './identifier.ts';
import { IngressMatcher, type IngressRules } from './ingress-rules.ts';
import { labelText, prefixText } from './name-text.ts';

const noRule = new Unidentified('no ingress rule matches');
const notRead = new NotYet('the Ingress objects of the cluster have not been read yet');

export class IngressIdentifier implements Identifier {
  readonly #prefix: string;
  readonly #observation: Closable;
  readonly #changed: () => void;
  #matcher: IngressMatcher<string> | undefined;
  #failure: Failure = notRead;

  /** `changed` is called when a request that had to wait may have a name now. */
  constructor(dstPrefix: Path, table: Activity<IngressRules>, changed: () => void) {
    this.#prefix = prefixText(dstPrefix);
    this.#changed = changed;
    this.#observation = table.observe((state) => this.#update(state));
  }

  identify(head: RequestHead): string | Unidentified | Failure {
    if (this.#matcher === undefined) return this.#failure;
    const host = head.fields.first(Field.host) ?? '';
    const query = head.target.indexOf('?');
    const path = query === -1 ? head.target : head.target.slice(0, query);
    return this.#matcher.match(hostName(host), path) ?? noRule;
  }

  close(): void {
    this.#observation.close();
  }

  /** The last good table stays. */
  #update(state: State<IngressRules>): void {
    if (state.state === 'ok') {
      this.#matcher = new IngressMatcher(
        state.value,
        (backend) => `${this.#prefix}/${backend.map(labelText).join('/')}`,
      );
    } else {
      this.#failure =
        state.state === 'pending' ? notRead : new Failure('naming', state.failure.message, true);
    }
    if (this.#failure !== notRead || this.#matcher !== undefined) this.#changed();
  }
}

/** A Host in lower case, without its port and the dot of the root. */
function hostName(host: string): string {
  const colon = host.startsWith('[') ? host.indexOf(':', host.indexOf(']')) : host.indexOf(':');
  const end = colon === -1 ? host.length : colon;
  return host.slice(0, host[end - 1] === '.' ? end - 1 : end).toLowerCase();
}
