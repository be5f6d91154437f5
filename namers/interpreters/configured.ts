/**
 * The interpreter of a router: binds by an own dtab (that of io.l5d.fs; `default` has none), then the
 * router's and the request's, with the configured namers and the system names, and applies the router's
 * transformers to the outcome. It can show how it comes to an answer: `delegate` for the admin pages,
 * `explain` for a request that is refused.
 */
import { bindByChangingDtab, bindPath } from '../../dtab/bind.ts';
import { delegateNow, delegateSettled } from '../../dtab/delegate.ts';
import type { Delegation } from '../../dtab/delegation.ts';
import type { NamerTable } from '../../dtab/evaluation-nodes.ts';
import { explain } from '../../dtab/explain.ts';
import { concatDtabs } from '../../dtab/lookup.ts';
import type { Bound, Dtab, Interpreter, NameTree } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import { type Activity, mapOk, ok, pending, type State } from '../../src/base/activity.ts';
import { Failure } from '../../src/base/failure.ts';
import { nearestNames } from '../nearest-names.ts';
import { transformAll } from '../transformers/make-transformers.ts';
import type { Transformer } from '../transformers/transform.ts';

export type ConfiguredInterpreterParts = {
  /** Comes before the dtab of every `bind`, so that later entries win over it. */
  readonly dtab: Activity<Dtab> | undefined;
  readonly namers: NamerTable;
  readonly transformers: readonly Transformer[];
};

export class ConfiguredInterpreter implements Interpreter {
  readonly #dtab: Activity<Dtab> | undefined;
  readonly #namers: NamerTable;
  readonly #transformers: readonly Transformer[];

  constructor(parts: ConfiguredInterpreterParts) {
    this.#dtab = parts.dtab;
    this.#namers = parts.namers;
    this.#transformers = parts.transformers;
  }

  bind(dtab: Dtab, path: Path): Activity<NameTree<Bound>> {
    return transformAll(this.#transformers, this.#bind(dtab, path));
  }

  /** Every step of binding, once no answer is pending or `signal` aborts. */
  async delegate(dtab: Dtab, path: Path, signal?: AbortSignal): Promise<Delegation | Failure> {
    const own = await this.ownDtab(signal);
    if (own instanceof Failure) return own;
    const tree = await delegateSettled(this.#inputs(concatDtabs(own, dtab), path), signal);
    const others = new Map<string, Delegation>();
    for (const { path: other } of this.#transformers) {
      if (other === undefined) continue;
      others.set(other.show, shownAt(other, await delegateSettled(this.#inputs([], other), signal)));
    }
    return this.#show(tree, (other) => others.get(other.show) ?? { type: 'pending', path: other });
  }

  /** Why the name is bound to nothing at this moment; undefined when it is bound. */
  explain(dtab: Dtab, path: Path): string | undefined {
    const own = this.#dtabNow();
    if (own.state === 'pending')
      return `${path.show} is not known yet: the dtab of the interpreter is not there`;
    if (own.state === 'failed') return `${path.show} cannot be resolved: ${own.failure.message}`;
    const tree = delegateNow(this.#inputs(concatDtabs(own.value, dtab), path));
    const shown = this.#show(tree, (other) => shownAt(other, delegateNow(this.#inputs([], other))));
    return explain(shown, nearestNames(this.#namers));
  }

  #bind(dtab: Dtab, path: Path): Activity<NameTree<Bound>> {
    if (this.#dtab === undefined) return bindPath(this.#inputs(dtab, path));
    const dtabs = mapOk(this.#dtab, (own) => concatDtabs(own, dtab));
    return bindByChangingDtab(dtabs, { path, namers: this.#namers });
  }

  #inputs(dtab: Dtab, path: Path) {
    return { dtab, path, namers: this.#namers };
  }

  #show(tree: Delegation | Failure, delegated: (path: Path) => Delegation): Delegation | Failure {
    if (tree instanceof Failure) return tree;
    return this.#transformers.reduce((shown, transformer) => transformer.show(shown, delegated), tree);
  }

  #dtabNow(): State<Dtab> {
    let now: State<Dtab> = this.#dtab === undefined ? ok([]) : pending;
    this.#dtab
      ?.observe((state) => {
        now = state;
      })
      .close();
    return now;
  }

  /** What it knows by itself, once that is there or `signal` aborts. */
  ownDtab(signal: AbortSignal | undefined): Promise<Dtab | Failure> {
    const { promise, resolve } = Promise.withResolvers<Dtab | Failure>();
    if (this.#dtab === undefined) return Promise.resolve([]);
    const waiting = this.#dtab.observe((state) => {
      if (state.state === 'ok') resolve(state.value);
      if (state.state === 'failed') resolve(state.failure);
    });
    const aborted = (): void =>
      resolve(new Failure('naming', 'the dtab of the interpreter is not there yet'));
    if (signal?.aborted === true) aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    return promise.finally(() => {
      waiting.close();
      signal?.removeEventListener('abort', aborted);
    });
  }
}

function shownAt(path: Path, tree: Delegation | Failure): Delegation {
  return tree instanceof Failure ? { type: 'exception', path, failure: tree } : tree;
}
