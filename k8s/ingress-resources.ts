/** Ingress of networking.k8s.io/v1, as trimmed and frozen data. See resources.ts. */
import { type JsonObject, listOf, objectOf, portOf, textOf } from './json-fields.ts';
import type { KubeObject, Resource } from './resources.ts';

export type IngressBackend = {
  readonly service: string;
  /** By number or by name. */
  readonly port: number | string;
};

export type IngressPath = {
  /** Absent: every path. */
  readonly path: string | undefined;
  /** `Exact`, `Prefix` or `ImplementationSpecific`. */
  readonly pathType: string;
  /** Absent when it is not a service, or has no port. */
  readonly backend: IngressBackend | undefined;
};

export type IngressRule = {
  /** Absent: every host. May begin with `*.`. */
  readonly host: string | undefined;
  readonly paths: readonly IngressPath[];
};

export type Ingress = KubeObject & {
  readonly className: string | undefined;
  readonly defaultBackend: IngressBackend | undefined;
  readonly rules: readonly IngressRule[];
};

export const ingresses: Resource<Ingress> = {
  kind: 'Ingress',
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'ingresses',
  namespaced: true,
  parse(meta, object) {
    const spec = objectOf(object['spec']);
    return Object.freeze({
      meta,
      className: textOf(spec['ingressClassName']),
      defaultBackend: backend(objectOf(spec['defaultBackend'])),
      rules: listOf(spec['rules'], (rule) =>
        Object.freeze({
          host: textOf(rule['host']),
          paths: listOf(objectOf(rule['http'])['paths'], ingressPath),
        }),
      ),
    });
  },
};

function ingressPath(item: JsonObject): IngressPath {
  return Object.freeze({
    path: textOf(item['path']),
    pathType: textOf(item['pathType']) ?? 'ImplementationSpecific',
    backend: backend(objectOf(item['backend'])),
  });
}

function backend(item: JsonObject): IngressBackend | undefined {
  const service = objectOf(item['service']);
  const name = textOf(service['name']);
  const port = objectOf(service['port']);
  const target = textOf(port['name']) ?? portOf(port['number']);
  return name === undefined || target === undefined
    ? undefined
    : Object.freeze({ service: name, port: target });
}
