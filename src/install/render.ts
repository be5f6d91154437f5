/** `turnout install`: an overlay of k8s/manifests as one stream of YAML, for `kubectl apply -f -`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { CannotRun } from '../command.ts';
import { build, type Json, type Manifest } from './kustomize.ts';

export type InstallWish = {
  readonly network: 'host-port' | 'host-network' | 'local-service';
  readonly tls: boolean;
  readonly image: string | undefined;
  readonly namespace: string | undefined;
};

/** The namespace of the manifests as they stand. */
const NAMESPACE = 'turnout';
/** What others refer to comes first. */
const ORDER = [
  'Namespace',
  'PriorityClass',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'ConfigMap',
];
/** From `src/install/` and from `dist/`. */
const CANDIDATES = ['../../k8s/manifests', '../k8s/manifests'];

/** Throws CannotRun. */
export function renderInstall(wish: InstallWish): string {
  const objects = build(join(manifestFolder(), 'overlays', overlayOf(wish)));
  const rank = ({ kind }: Manifest): number => {
    const at = ORDER.indexOf(String(kind));
    return at === -1 ? ORDER.length : at;
  };
  return objects
    .sort((a, b) => rank(a) - rank(b))
    .map((object) => stringify(adapt(object, wish), { lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n');
}

export function overlayOf({ network, tls }: InstallWish): string {
  if (network === 'host-port') return tls ? 'tls' : 'plain';
  return tls ? network : `${network}-plain`;
}

function manifestFolder(): string {
  const folders = CANDIDATES.map((candidate) => fileURLToPath(new URL(candidate, import.meta.url)));
  const folder = folders.find((one) => existsSync(join(one, 'base')));
  if (folder === undefined) throw new CannotRun('the manifests (k8s/manifests) are not beside the program');
  return folder;
}

function adapt(object: Manifest, { image, namespace = NAMESPACE }: InstallWish): Json {
  const change = (value: Json, key: string): Json => {
    if (key === 'image' && image !== undefined) return image;
    if (key === 'namespace' && value === NAMESPACE) return namespace;
    // The routers find each other in their namespace.
    if (key === 'config.yaml') {
      return String(value)
        .replaceAll(`namespace: ${NAMESPACE}\n`, `namespace: ${namespace}\n`)
        .replaceAll(`/io.l5d.k8s/${NAMESPACE}/`, `/io.l5d.k8s/${namespace}/`);
    }
    if (Array.isArray(value)) return value.map((item: Json) => change(item, ''));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, change(inner, name)]));
  };
  const adapted = change(object, '');
  if (object['kind'] !== 'Namespace') return adapted;
  const metadata = object['metadata'];
  return { ...object, metadata: { ...(typeof metadata === 'object' ? metadata : {}), name: namespace } };
}
