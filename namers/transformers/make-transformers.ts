/** From the checked configuration of transformers to running ones: the first of the list is applied first. */
import type { TransformerSpec } from '../../config/spec.ts';
import type { Bound, NameTree } from '../../dtab/names.ts';
import { readPath } from '../../dtab/parse.ts';
import { Path } from '../../dtab/path.ts';
import type { Activity } from '../../src/base/activity.ts';
import { assert, never } from '../../src/base/assert.ts';
import { type Environment, present } from '../environment.ts';
import type { HostResolver } from '../host-resolver.ts';
import { K8sNamer } from '../k8s/k8s-namer.ts';
import type { MakeKubeApi } from '../k8s/make-kube-api.ts';
import { type BindPath, constName } from './const.ts';
import { daemonSet, type Gateways } from './daemonset.ts';
import { localNode } from './local-node.ts';
import { localhost } from './localhost.ts';
import { port } from './port.ts';
import { replace } from './replace.ts';
import { specificHost } from './specific-host.ts';
import type { Transformer } from './transform.ts';

export type TransformDeps = {
  readonly resolver: HostResolver;
  readonly bindPath: BindPath;
  readonly kube: MakeKubeApi;
  readonly env: Environment;
};

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
    case 'io.l5d.k8s.daemonset':
      return daemonSet(prefix, gatewaysOf(spec, deps.kube), deps.resolver);
    case 'io.l5d.k8s.localnode': {
      const self = { nodeName: present(deps.env, 'NODE_NAME'), host: present(deps.env, 'POD_IP') };
      const node = spec.hostNetwork ? self.nodeName : self.host;
      assert(node !== undefined, 'the environment was checked at the start');
      return localNode(prefix, node, self, deps.resolver);
    }
    default:
      return never(spec);
  }
}

type DaemonSetSpec = Extract<TransformerSpec, { readonly kind: 'io.l5d.k8s.daemonset' }>;

function gatewaysOf({ api, namespace, port: name, service }: DaemonSetSpec, kube: MakeKubeApi): Gateways {
  const namer = new K8sNamer(Path.of('#', 'io.l5d.k8s'), kube(api));
  const path = Path.of(namespace, name, service);
  return { members: namer.members(path), refresh: () => namer.refresh(path) };
}
