/** From the checked configuration of transformers to running ones: the first of the list is applied first. */
import type { TransformerSpec } from '../../config/spec.ts';
import type { Bound, NameTree } from '../../dtab/names.ts';
import { readPath } from '../../dtab/parse.ts';
import { Path } from '../../dtab/path.ts';
import type { Activity } from '../../src/base/activity.ts';
import { never } from '../../src/base/assert.ts';
import type { HostResolver } from '../host-resolver.ts';
import { type BindPath, constName } from './const.ts';
import { localhost } from './localhost.ts';
import { port } from './port.ts';
import { replace } from './replace.ts';
import { specificHost } from './specific-host.ts';
import type { Transformer } from './transform.ts';

export type TransformDeps = { readonly resolver: HostResolver; readonly bindPath: BindPath };

export function makeTransformers(
  specs: readonly TransformerSpec[],
  deps: TransformDeps,
): readonly Transformer[] {
  return specs.map((spec) => makeOne(spec, deps));
}

export function transformAll(
  transformers: readonly Transformer[],
  trees: Activity<NameTree<Bound>>,
): Activity<NameTree<Bound>> {
  return transformers.reduce((result, transformer) => transformer.transform(result), trees);
}

function makeOne(spec: TransformerSpec, deps: TransformDeps): Transformer {
  const prefix = Path.of('%').concat(readPath(spec.prefix));
  switch (spec.kind) {
    case 'io.l5d.localhost':
      return localhost(prefix, deps.resolver);
    case 'io.l5d.specificHost':
      return specificHost(prefix, spec.host, deps.resolver);
    case 'io.l5d.port':
      return port(prefix, spec.port);
    case 'io.l5d.const':
      return constName(prefix, readPath(spec.path), deps.bindPath);
    case 'io.l5d.replace':
      return replace(prefix, readPath(spec.path), deps.bindPath);
    default:
      return never(spec);
  }
}
