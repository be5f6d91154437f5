/** Access to the Kubernetes API: each verb on each resource that the configuration needs, really asked. */
import type { KubeApiSpec, LinkerSpec } from '../../config/spec.ts';
import { Gone, refusal, type Verb } from '../../k8s/answer.ts';
import { KubeFailure } from '../../k8s/api.ts';
import { ambientAccess, PROXY_HOST, PROXY_PORT, plainAccess } from '../../k8s/auth.ts';
import { ingresses } from '../../k8s/ingress-resources.ts';
import { endpointSlices, type KubeObject, type Resource, services } from '../../k8s/resources.ts';
import { collectionPath, type Selection } from '../../k8s/selection.ts';
import { KubeTransport } from '../../k8s/transport.ts';
import { systemClock } from '../base/clock.ts';
import { version } from '../version.ts';
import { type CheckResult, checked } from './result.ts';

const LIMIT_MS = 5000;
const VERBS: readonly Verb[] = ['list', 'watch'];

export type ApiWish = {
  readonly kubeconfig: string | undefined;
  /** Absent: all namespaces. */
  readonly namespace: string | undefined;
};

type Need = { readonly api: KubeApiSpec; readonly resource: Resource<KubeObject> };

export async function* apiAccess(spec: LinkerSpec, wish: ApiWish): AsyncGenerator<CheckResult> {
  const places = new Map<string, Need[]>();
  for (const need of needs(spec)) {
    const key = JSON.stringify(need.api);
    const same = places.get(key) ?? [];
    places.set(key, same);
    if (!same.some(({ resource }) => resource === need.resource)) same.push(need);
  }
  for (const place of places.values()) yield* access(place, wish);
}

function needs({ namers, routers }: LinkerSpec): readonly Need[] {
  const ofNamers = namers.flatMap((namer): Need[] => {
    if (namer.kind === 'io.l5d.k8s' || namer.kind === 'io.l5d.k8s.ns') {
      return [endpointSlices, services].map((resource) => ({ api: namer.api, resource }));
    }
    return namer.kind === 'io.l5d.k8s.external' ? [{ api: namer.api, resource: services }] : [];
  });
  const transformers = [...namers, ...routers.map(({ interpreter }) => interpreter)].flatMap((each) =>
    each.transformers.flatMap((transformer): Need[] =>
      transformer.kind === 'io.l5d.k8s.daemonset'
        ? [endpointSlices, services].map((resource) => ({ api: transformer.api, resource }))
        : [],
    ),
  );
  const identifiers = routers.flatMap((router) =>
    router.identifiers.flatMap((each): Need[] =>
      each.kind === 'io.l5d.ingress' ? [{ api: each.api, resource: ingresses }] : [],
    ),
  );
  return [...ofNamers, ...transformers, ...identifiers];
}

async function* access(place: readonly Need[], wish: ApiWish): AsyncGenerator<CheckResult> {
  const { host, port } = place[0]?.api ?? {};
  const ambient = host === undefined && port === undefined;
  const transport = new KubeTransport(
    async () =>
      ambient
        ? ambientAccess({ env: process.env, kubeconfig: wish.kubeconfig })
        : plainAccess(host ?? PROXY_HOST, port ?? PROXY_PORT),
    { clock: systemClock, userAgent: `turnout/${version()}` },
  );
  try {
    for (const { resource } of place) {
      for (const verb of VERBS) yield await mayDo(verb, { resource, namespace: wish.namespace }, transport);
    }
  } finally {
    transport.close();
  }
}

async function mayDo(
  verb: Verb,
  selection: Selection<KubeObject>,
  transport: KubeTransport,
): Promise<CheckResult> {
  const { resource, namespace } = selection;
  const where = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
  const description = `can ${verb} ${resource.plural} in ${where}`;
  const query = verb === 'list' ? 'limit=1' : 'watch=true&timeoutSeconds=1';
  const path = `${collectionPath(selection)}?${query}`;
  const answer = await transport.get(path, { signal: AbortSignal.timeout(LIMIT_MS), headLimitMs: LIMIT_MS });
  if (answer instanceof KubeFailure) return checked('api-access', description, answer.message);
  if (answer.status === 200) {
    answer.body.destroy();
    return checked('api-access', description);
  }
  const limits = { clock: systemClock, limitMs: LIMIT_MS };
  const refused = await refusal(answer, verb, selection, limits);
  return checked(
    'api-access',
    description,
    refused instanceof Gone ? `410: ${refused.message}` : refused.message,
  );
}
