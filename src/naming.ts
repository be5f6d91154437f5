/**
 * The control side of naming: the interpreters of all routers, as data threads and the admin server ask them.
 */
import { dtabOf } from '../config/name-decoders.ts';
import type { LinkerSpec } from '../config/spec.ts';
import { concatDtabs } from '../dtab/lookup.ts';
import type { Bound, Dtab, NameTree } from '../dtab/names.ts';
import { readDtab, readPath } from '../dtab/parse.ts';
import type { Path } from '../dtab/path.ts';
import { DtabSyntaxError } from '../dtab/syntax-error.ts';
import { makeInterpreter, makeNamers, type Namers, type NamersDeps } from '../namers/index.ts';
import type { ConfiguredInterpreter } from '../namers/interpreters/configured.ts';
import type { IngressRules } from '../routers/identify/ingress-rules.ts';
import type { DelegateAnswer } from './admin/sources.ts';
import type { Activity } from './base/activity.ts';
import { assert } from './base/assert.ts';
import { Failure } from './base/failure.ts';
import { ingressTable } from './ingress-table.ts';

const DELEGATE_LIMIT_MS = 1500;

type RouterNaming = {
  readonly label: string;
  readonly dtab: Dtab;
  readonly interpreter: ConfiguredInterpreter;
  /** Of its identifiers, in their order. */
  readonly ingress: readonly (Activity<IngressRules> | undefined)[];
};

export class Naming {
  readonly #routers: readonly RouterNaming[];
  readonly #namers: Namers;

  /** The environment has been checked. */
  constructor({ namers, routers }: Pick<LinkerSpec, 'namers' | 'routers'>, deps: NamersDeps) {
    this.#namers = makeNamers(namers, deps);
    this.#routers = routers.map((spec) => ({
      label: spec.label,
      dtab: dtabOf(spec.dtab),
      interpreter: makeInterpreter(spec.interpreter, this.#namers, deps),
      ingress: spec.identifiers.map((identifier) =>
        identifier.kind === 'io.l5d.ingress'
          ? ingressTable(deps.kube(identifier.api), identifier, deps.log)
          : undefined,
      ),
    }));
  }

  /** What the Ingress objects say to the identifier at that place of the router's list. */
  ingress(router: number, identifier: number): Activity<IngressRules> {
    const table = this.#router(router).ingress[identifier];
    assert(table !== undefined, `identifier ${identifier} of router ${router} is not io.l5d.ingress`);
    return table;
  }

  bind(router: number, local: Dtab, path: Path): Activity<NameTree<Bound>> {
    const { dtab, interpreter } = this.#router(router);
    return interpreter.bind(concatDtabs(dtab, local), path);
  }

  /** Why a name is bound to nothing. */
  explain(router: number, local: Dtab, path: Path): string {
    const { dtab, interpreter } = this.#router(router);
    return interpreter.explain(concatDtabs(dtab, local), path) ?? '';
  }

  /**
   * `dtab` comes after what the interpreter knows by itself, and after the router's only with `withBase`.
   */
  async delegate(
    label: string | undefined,
    dtab: string,
    path: string,
    withBase: boolean,
  ): Promise<DelegateAnswer> {
    const router = this.#routers.find((each) => each.label === label);
    if (router === undefined) return { type: 'cannot' };
    const table = parsed(() => readDtab(dtab, { source: 'dtab' }));
    if (typeof table === 'string') return { type: 'bad-dtab', message: table };
    const name = parsed(() => readPath(path));
    if (typeof name === 'string') return { type: 'bad-path', message: name };
    const whole = withBase ? concatDtabs(router.dtab, table) : table;
    const delegation = await router.interpreter.delegate(whole, name, AbortSignal.timeout(DELEGATE_LIMIT_MS));
    if (delegation instanceof Failure) {
      return { type: 'ok', delegation: { type: 'exception', path: name, failure: delegation } };
    }
    return { type: 'ok', delegation };
  }

  async boundNames(): Promise<readonly string[]> {
    const names = await Promise.all(
      this.#namers.configured.map(async ({ prefix, namer }) =>
        ((await namer.names?.()) ?? []).map((name) => prefix.concat(name).show),
      ),
    );
    return names.flat();
  }

  #router(index: number): RouterNaming {
    const router = this.#routers[index];
    assert(router !== undefined, `there is no router ${index}`);
    return router;
  }
}

function parsed<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof DtabSyntaxError) return error.message;
    throw error;
  }
}
