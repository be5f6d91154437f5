/**
 * The Ingress objects (networking.k8s.io/v1) that are ours, as the rules by which io.l5d.ingress names
 * requests. Ours are those of the configured class, by the old annotation or by `ingressClassName`, and those
 * without any class. Of equal rules that of the first ingress in the order of namespace and name counts.
 */
import type { IdentifierSpec } from '../config/spec.ts';
import type { KubeApi } from '../k8s/api.ts';
import { type Ingress, type IngressPath, ingresses } from '../k8s/ingress-resources.ts';
import { keyOf } from '../k8s/resources.ts';
import type { IngressBackend, IngressRoute, IngressRules } from '../routers/identify/ingress-rules.ts';
import { PathPattern } from '../routers/identify/path-pattern.ts';
import { type Activity, mapOk } from './base/activity.ts';
import type { Log } from './base/log.ts';

export type IngressSpec = Extract<IdentifierSpec, { readonly kind: 'io.l5d.ingress' }>;

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const REPORTED_MAX = 1000;

/** The API is watched while the table is observed. */
export function ingressTable(api: KubeApi, spec: IngressSpec, log: Log): Activity<IngressRules> {
  const reported = new Set<string>();
  return mapOk(api.watch({ resource: ingresses, namespace: spec.namespace }), (found) => {
    const { rules, problems } = ingressRules([...found.values()], spec);
    for (const problem of problems) {
      if (reported.has(problem) || reported.size >= REPORTED_MAX) continue;
      reported.add(problem);
      log.warn(problem);
    }
    return rules;
  });
}

/** `problems`: what cannot be used, and why. */
export function ingressRules(
  found: readonly Ingress[],
  { ingressClass, ignoreDefaultBackends }: Pick<IngressSpec, 'ingressClass' | 'ignoreDefaultBackends'>,
): { readonly rules: IngressRules; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const ours = found
    .filter(({ meta, className }) => {
      // The annotation is older than the field and wins over it, as the API says.
      const named = meta.annotations[CLASS_ANNOTATION] ?? className;
      return named === undefined || named === ingressClass;
    })
    .sort((a, b) => (keyOf(a.meta) < keyOf(b.meta) ? -1 : 1));
  const routes = ours.flatMap((ingress) =>
    ingress.rules.flatMap((rule) =>
      rule.paths.flatMap((path): IngressRoute[] => {
        const route = routeOf(ingress, rule.host, path);
        if (typeof route !== 'string') return [route];
        const where = `${rule.host ?? '*'}${path.path ?? ''}`;
        problems.push(`ingress ${keyOf(ingress.meta)}: the rule of ${where} is left out: ${route}`);
        return [];
      }),
    ),
  );
  const withDefault = ignoreDefaultBackends ? undefined : ours.find((ingress) => ingress.defaultBackend);
  const defaultBackend = withDefault && backendOf(withDefault, withDefault.defaultBackend);
  return { rules: { routes, ...(defaultBackend !== undefined && { defaultBackend }) }, problems };
}

function routeOf(
  ingress: Ingress,
  host: string | undefined,
  { path, pathType, backend }: IngressPath,
): IngressRoute | string {
  const own = backendOf(ingress, backend);
  if (own === undefined) return 'its backend is not a port of a service';
  const type = typeOf(path ?? '', pathType);
  if (type === undefined) return 'its path is a pattern that says more than ., [^/] and \\, with *, + or ?';
  return { host: (host ?? '').toLowerCase(), type, path: path ?? '', backend: own };
}

/** What the API leaves to the implementation is a prefix, or a pattern as linkerd knew it. */
function typeOf(path: string, pathType: string): IngressRoute['type'] | undefined {
  if (pathType === 'Exact') return 'exact';
  if (pathType === 'Prefix' || !PathPattern.isPattern(path)) return 'prefix';
  return PathPattern.of(path) === undefined ? undefined : 'pattern';
}

function backendOf({ meta }: Ingress, backend: Ingress['defaultBackend']): IngressBackend | undefined {
  return backend && [meta.namespace, String(backend.port), backend.service];
}
