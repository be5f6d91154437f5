/**
 * Refused peers of one listener or client: counted by reason below `tls/refused`, and logged, as often as
 * hostile peers may be allowed to fill a log.
 */
import type { LimitedLog } from '../../src/base/limited-log.ts';
import type { Counter, Scope } from '../../src/base/stats.ts';
import type { Refusal, RefusalReason } from './verification.ts';

export class Refusals {
  readonly #scope: Scope;
  readonly #where: string;
  readonly #log: LimitedLog;
  readonly #counters = new Map<RefusalReason, Counter>();

  /** `scope` is that of the listener or client, `where` names it in the log. */
  constructor(scope: Scope, where: string, log: LimitedLog) {
    this.#scope = scope;
    this.#where = where;
    this.#log = log;
  }

  /** `peer` is its address. */
  refused(peer: string, { reasons, text }: Refusal): void {
    for (const reason of reasons) this.#counter(reason).add(1);
    const key = `${this.#where} ${reasons.join()}`;
    this.#log.warn(key, 'a TLS peer was refused', {
      at: this.#where,
      peer,
      reasons: reasons.join(),
      why: text,
    });
  }

  #counter(reason: RefusalReason): Counter {
    let counter = this.#counters.get(reason);
    if (counter === undefined) {
      counter = this.#scope.counter('tls', 'refused', reason);
      this.#counters.set(reason, counter);
    }
    return counter;
  }
}
