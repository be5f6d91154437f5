/**
 * The control side of naming: the interpreters of all routers, as data threads and the admin server ask them.
 */
import { isDeepStrictEqual } from 'node:util';
import { interpreterDefault } from '../config/interpreter-spec.ts';
import { dtabOf } from '../config/name-decoders.ts';
import type { LinkerSpec, NamerSpec, RouterSpec } from '../config/spec.ts';
import { concatDtabs } from '../dtab/lookup.ts';
import type { Bound, Dtab, NameTree } from '../dtab/names.ts';
import { readDtab, readPath } from '../dtab/parse.ts';
import type { Path } from '../dtab/path.ts';
import { showDentry } from '../dtab/show.ts';
import { DtabSyntaxError } from '../dtab/syntax-error.ts';
import { makeInterpreter, makeNamers, type Namers, type NamersDeps } from '../namers/index.ts';
import type { ConfiguredInterpreter } from '../namers/interpreters/configured.ts';
import type { IngressRules } from '../routers/identify/ingress-rules.ts';
import type { DelegateAnswer, InterpreterState } from './admin/sources.ts';
import { type Activity, failedActivity } from './base/activity.ts';
import { Failure } from './base/failure.ts';
import { Cell, flatMap } from './base/var.ts';
import { ingressTable } from './ingress-table.ts';

const DELEGATE_LIMIT_MS = 1500;

type RouterNaming = {
  readonly label: string;
  readonly dtab: Dtab;
  readonly interpreter: ConfiguredInterpreter;
  /** Of its identifiers, in their order. */
  readonly ingress: readonly (Activity<IngressRules> | undefined)[];
};

type Known = { readonly cell: Cell<RouterNaming>; spec: RouterSpec };

const RETIRED_MAX = 20;

export class Naming {
  readonly #deps: NamersDeps;
  readonly #routers = new Map<number, Known>();
  /** No part of the configuration any more; their last requests are still to be named. */
  readonly #retired: number[] = [];
  #specs: readonly NamerSpec[];
  #namers: Namers;

  /** The environment has been checked. */
  constructor({ namers, routers }: Pick<LinkerSpec, 'namers' | 'routers'>, deps: NamersDeps) {
    this.#deps = deps;
    this.#specs = namers;
    this.#namers = makeNamers(namers, deps);
    for (const [id, spec] of routers.entries()) this.introduce(id, spec);
  }

  /** A router that is to be started. Known ones are left as they are. */
  introduce(id: number, spec: RouterSpec): void {
    if (!this.#routers.has(id)) this.#routers.set(id, { cell: new Cell(this.#make(spec)), spec });
  }

  /**
   * Another configuration, routers by their number. Namers that are configured as before stay, with what they
   * watch; every name that is bound is bound anew where something differs, and keeps what it has until then.
   */
  reconfigure(namers: readonly NamerSpec[], routers: ReadonlyMap<number, RouterSpec>): void {
    const same = isDeepStrictEqual(namers, this.#specs);
    if (!same) this.#namers = makeNamers(namers, this.#deps, this.#namers);
    this.#specs = namers;
    for (const [id, known] of this.#routers) {
      const spec = routers.get(id);
      if (spec === undefined) this.#retire(id);
      else if (!same || !isDeepStrictEqual(namingPart(spec), namingPart(known.spec))) {
        known.cell.set(this.#make(spec));
        known.spec = spec;
      }
    }
  }

  #retire(id: number): void {
    if (this.#retired.includes(id)) return;
    this.#retired.push(id);
    const oldest = this.#retired.length > RETIRED_MAX ? this.#retired.shift() : undefined;
    if (oldest !== undefined) this.#routers.delete(oldest);
  }

  #make(spec: RouterSpec): RouterNaming {
    const { log, kube } = this.#deps;
    return {
      label: spec.label,
      dtab: dtabOf(spec.dtab),
      interpreter: makeInterpreter(spec.interpreter, this.#namers, this.#deps),
      ingress: spec.identifiers.map((identifier) =>
        identifier.kind === 'io.l5d.ingress'
          ? ingressTable(kube(identifier.api), identifier, log)
          : undefined,
      ),
    };
  }

  /** What the Ingress objects say to the identifier at that place of the router's list. */
  ingress(router: number, identifier: number): Activity<IngressRules> {
    return this.#following(router, ({ ingress }) => ingress[identifier] ?? gone);
  }

  bind(router: number, local: Dtab, path: Path): Activity<NameTree<Bound>> {
    return this.#following(router, ({ dtab, interpreter }) =>
      interpreter.bind(concatDtabs(dtab, local), path),
    );
  }

  /** By the namers alone: no dtab, no transformers. */
  bindPlainly(path: Path): Activity<NameTree<Bound>> {
    return makeInterpreter(interpreterDefault, this.#namers, this.#deps).bind([], path);
  }

  /** Why a name is bound to nothing. */
  explain(router: number, local: Dtab, path: Path): string {
    const naming = this.#routers.get(router)?.cell.current;
    return naming?.interpreter.explain(concatDtabs(naming.dtab, local), path) ?? '';
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
    const router = this.#named(label);
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

  /** What the router's interpreter knows by itself; undefined when there is no router of this label. */
  async interpreterState(label: string): Promise<InterpreterState | undefined> {
    const own = await this.#named(label)?.interpreter.ownDtab(AbortSignal.timeout(DELEGATE_LIMIT_MS));
    if (own instanceof Failure) return { state: `failed: ${own.message}` };
    return own === undefined ? undefined : { state: { dtab: own.map(showDentry).join(';') } };
  }

  #named(label: string | undefined): RouterNaming | undefined {
    const known = [...this.#routers].find(
      ([id, { spec }]) => spec.label === label && !this.#retired.includes(id),
    );
    return known?.[1].cell.current;
  }

  async boundNames(): Promise<readonly string[]> {
    const names = await Promise.all(
      this.#namers.configured.map(async ({ prefix, namer }) =>
        ((await namer.names?.()) ?? []).map((name) => prefix.concat(name).show),
      ),
    );
    return names.flat();
  }

  /** A router that is no part of the configuration any more binds nothing new. */
  #following<T>(router: number, of: (naming: RouterNaming) => Activity<T>): Activity<T> {
    const known = this.#routers.get(router);
    return known === undefined ? gone : flatMap(known.cell, of);
  }
}

const gone = failedActivity(new Failure('naming', 'the router is no part of the configuration any more'));

/** What of a router decides how its names are bound. */
function namingPart({ dtab, interpreter, identifiers }: RouterSpec): unknown {
  return [dtab, interpreter, identifiers];
}

function parsed<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof DtabSyntaxError) return error.message;
    throw error;
  }
}
