/**
 * The list of namers and interpreters: from the checked configuration to running ones. Nothing is opened
 * here.
 */
import type { InterpreterSpec, NamerSpec } from '../config/spec.ts';
import { bindPath } from '../dtab/bind.ts';
import type { NamerEntry, NamerTable } from '../dtab/evaluation-nodes.ts';
import type { Namer } from '../dtab/names.ts';
import { readPath } from '../dtab/parse.ts';
import { Path } from '../dtab/path.ts';
import { assert, never } from '../src/base/assert.ts';
import type { Clock } from '../src/base/clock.ts';
import type { Log } from '../src/base/log.ts';
import type { Scope } from '../src/base/stats.ts';
import { type Environment, present } from './environment.ts';
import { FsNamer } from './fs.ts';
import { HostResolver } from './host-resolver.ts';
import { ConfiguredInterpreter } from './interpreters/configured.ts';
import { fileDtab } from './interpreters/fs.ts';
import { ExternalNamer } from './k8s/external.ts';
import { K8sNamer } from './k8s/k8s-namer.ts';
import type { MakeKubeApi } from './k8s/make-kube-api.ts';
import { RewriteNamer } from './rewrite.ts';
import { SYSTEM_PREFIX, systemNamer } from './system.ts';
import { systemNames } from './system-names.ts';
import { transformedNamer } from './transformed-namer.ts';
import type { BindPath } from './transformers/const.ts';
import { makeTransformers, type TransformDeps } from './transformers/make-transformers.ts';

export type NamersDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly stats: Scope;
  readonly kube: MakeKubeApi;
  /** Has been checked (`environmentProblems`). */
  readonly env: Environment;
  /** Answers for a configured namer in its place, by its prefix (`/#` included): for tests of a dtab. */
  readonly stub?: (prefix: Path) => Namer;
};

/** A configured namer, by the prefix that its names and ids start with (`/#` included). */
export type ConfiguredNamer = { readonly kind: string; readonly prefix: Path; readonly namer: Namer };

export type Namers = {
  /** In the order of the configuration. */
  readonly configured: readonly ConfiguredNamer[];
  /** In the order in which they are asked; the system names last. */
  readonly table: NamerTable;
  readonly resolver: HostResolver;
  /** Binds without any dtab. */
  readonly bindPath: BindPath;
  /** As they are without their transformers, by what configures them. */
  readonly made: ReadonlyMap<string, Namer>;
};

/** Namers that `before` has already are taken from there, with all that they watch. */
export function makeNamers(specs: readonly NamerSpec[], deps: NamersDeps, before?: Namers): Namers {
  const resolver = before?.resolver ?? new HostResolver(deps);
  const made = new Map<string, Namer>();
  const table: NamerEntry[] = [];
  const bindByNamers: BindPath = (path) => bindPath({ dtab: [], path, namers: table });
  const configured: ConfiguredNamer[] = [];
  for (const spec of specs) {
    const prefix = Path.of('#').concat(readPath(spec.prefix));
    const key = JSON.stringify({ ...spec, transformers: [] });
    const stubbed = spec.kind === 'io.l5d.rewrite' ? undefined : deps.stub?.(prefix);
    const namer = stubbed ?? before?.made.get(key) ?? makeNamer(spec, prefix, deps);
    made.set(key, namer);
    const transformed = transformNamer(namer, spec, { ...deps, resolver, bindPath: bindByNamers });
    configured.push({ kind: spec.kind, prefix, namer: transformed });
    // The last of the configuration is asked first. Names without `/#` are those of configurations before
    // 0.6.
    table.unshift({ prefix, namer: transformed });
    if (spec.legacyNames) table.unshift({ prefix: prefix.drop(1), namer: transformed });
  }
  table.push({ prefix: SYSTEM_PREFIX, namer: systemNamer(systemNames(resolver)) });
  return { configured, table, resolver, bindPath: bindByNamers, made };
}

export function makeInterpreter(
  spec: InterpreterSpec,
  namers: Namers,
  deps: Omit<NamersDeps, 'stats'>,
): ConfiguredInterpreter {
  return new ConfiguredInterpreter({
    dtab: spec.kind === 'io.l5d.fs' ? fileDtab(spec.dtabFile, deps) : undefined,
    namers: namers.table,
    transformers: makeTransformers(spec.transformers, { ...deps, ...namers }),
  });
}

function makeNamer(spec: NamerSpec, prefix: Path, deps: NamersDeps): Namer {
  switch (spec.kind) {
    case 'io.l5d.fs': {
      const stats = deps.stats.scope('namer', spec.prefix.slice(1));
      return new FsNamer(prefix, spec.rootDir, { ...deps, stats });
    }
    case 'io.l5d.rewrite':
      return new RewriteNamer(spec.pattern, spec.name);
    case 'io.l5d.k8s':
      return new K8sNamer(prefix, deps.kube(spec.api), { label: spec.labelSelector });
    case 'io.l5d.k8s.ns': {
      const namespace = present(deps.env, spec.envVar);
      assert(namespace !== undefined, 'the environment was checked at the start');
      return new K8sNamer(prefix, deps.kube(spec.api), { namespace, label: spec.labelSelector });
    }
    case 'io.l5d.k8s.external':
      return new ExternalNamer(prefix, deps.kube(spec.api), { label: spec.labelSelector });
    default:
      return never(spec);
  }
}

function transformNamer(namer: Namer, spec: NamerSpec, deps: TransformDeps): Namer {
  return spec.transformers.length === 0
    ? namer
    : transformedNamer(namer, makeTransformers(spec.transformers, deps));
}
