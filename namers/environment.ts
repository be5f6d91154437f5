/**
 * What namers and transformers take from the environment of the process: which pod and node they run on. It
 * is no matter of the configuration, so that a configuration can be checked anywhere; a start without it is
 * refused.
 */
import { isIP } from 'node:net';
import type { LinkerSpec, NamerSpec, TransformerSpec } from '../config/spec.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable is none. */
export function present(env: Environment, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

/** What is missing, a line each. */
export function environmentProblems(
  { source, namers, routers }: LinkerSpec,
  env: Environment,
): readonly string[] {
  const inLists: readonly [string, readonly TransformerSpec[]][] = [
    ...namers.map((namer, i): [string, readonly TransformerSpec[]] => [`namers[${i}]`, namer.transformers]),
    ...routers.map(({ interpreter }, i): [string, readonly TransformerSpec[]] => [
      `routers[${i}].interpreter`,
      interpreter.transformers,
    ]),
  ];
  const problems = [
    ...namers.map((namer, i) => [`namers[${i}]`, namerProblem(namer, env)] as const),
    ...inLists.flatMap(([place, transformers]) =>
      transformers.map((each, i) => [`${place}.transformers[${i}]`, transformerProblem(each, env)] as const),
    ),
  ];
  return problems.flatMap(([place, problem]) =>
    problem === undefined ? [] : `${source} ${place} ${problem}`,
  );
}

function namerProblem(spec: NamerSpec, env: Environment): string | undefined {
  if (spec.kind !== 'io.l5d.k8s.ns' || present(env, spec.envVar) !== undefined) return undefined;
  return missing(spec.kind, spec.envVar, 'metadata.namespace');
}

function transformerProblem(spec: TransformerSpec, env: Environment): string | undefined {
  if (spec.kind !== 'io.l5d.k8s.localnode') return undefined;
  if (spec.hostNetwork) {
    return present(env, 'NODE_NAME') === undefined
      ? missing(spec.kind, 'NODE_NAME', 'spec.nodeName')
      : undefined;
  }
  const ip = present(env, 'POD_IP');
  if (ip === undefined) return missing(spec.kind, 'POD_IP', 'status.podIP');
  return isIP(ip) === 0 ? `(${spec.kind}): POD_IP is no IP address: ${JSON.stringify(ip)}` : undefined;
}

function missing(kind: string, name: string, field: string): string {
  const env = `env: [{name: ${name}, valueFrom: {fieldRef: {fieldPath: ${field}}}}]`;
  const how = `give it to the container by the downward API: ${env}`;
  return `(${kind}): the environment variable ${name} is not set; ${how}`;
}
