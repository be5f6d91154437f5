/**
 * The resources that Turnout reads, as trimmed and frozen data: only the fields that somebody needs, because
 * a namespace may hold a hundred thousand endpoints. Parsing is tolerant: a field that is missing or has
 * another type is absent; an object without a name is none.
 */
import {
  flagOf,
  type JsonObject,
  type Labels,
  labelsOf,
  listOf,
  objectOf,
  portOf,
  portOrNameOf,
  textOf,
  textsOf,
} from './json-fields.ts';

export type KubeMeta = {
  readonly name: string;
  /** Empty for what has no namespace. */
  readonly namespace: string;
  readonly uid: string;
  /** Opaque: equal or not equal, nothing else. */
  readonly resourceVersion: string;
  readonly labels: Labels;
  readonly annotations: Labels;
};

export type KubeObject = { readonly meta: KubeMeta };

/** One collection of the API and how its objects are read. */
export type Resource<T extends KubeObject> = {
  readonly kind: string;
  /** Empty for the core API. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** `meta` has been read already. */
  parse(meta: KubeMeta, object: JsonObject): T;
};

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export type EndpointPort = {
  /** Empty for a single port without a name. */
  readonly name: string;
  /** Absent: any port. */
  readonly port: number | undefined;
  readonly protocol: string;
};

export type Endpoint = {
  /** Addresses of one and the same endpoint: any of them will do. */
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodeName: string | undefined;
  readonly zone: string | undefined;
};

export type EndpointSlice = KubeObject & {
  /** The service that it belongs to, by its label; empty when it has none. */
  readonly service: string;
  /** `IPv4`, `IPv6` or `FQDN`. */
  readonly addressType: string;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
};

export const endpointSlices: Resource<EndpointSlice> = {
  kind: 'EndpointSlice',
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  namespaced: true,
  parse: (meta, object) =>
    Object.freeze({
      meta,
      service: meta.labels[SERVICE_NAME_LABEL] ?? '',
      addressType: textOf(object['addressType']) ?? 'IPv4',
      ports: listOf(object['ports'], endpointPort),
      endpoints: listOf(object['endpoints'], endpoint),
    }),
};

function endpointPort(port: JsonObject): EndpointPort {
  return Object.freeze({
    name: textOf(port['name']) ?? '',
    port: portOf(port['port']),
    protocol: textOf(port['protocol']) ?? 'TCP',
  });
}

function endpoint(item: JsonObject): Endpoint {
  const conditions = objectOf(item['conditions']);
  // An unknown condition is to be read as ready; `serving` follows `ready` where the API does not tell it.
  const ready = flagOf(conditions['ready']) ?? true;
  return Object.freeze({
    addresses: textsOf(item['addresses']),
    ready,
    serving: flagOf(conditions['serving']) ?? ready,
    terminating: flagOf(conditions['terminating']) ?? false,
    nodeName: textOf(item['nodeName']),
    zone: textOf(item['zone']),
  });
}

export type EndpointAddress = { readonly ip: string; readonly nodeName: string | undefined };

export type EndpointSubset = {
  /** Ready ones. */
  readonly addresses: readonly EndpointAddress[];
  readonly notReadyAddresses: readonly EndpointAddress[];
  readonly ports: readonly EndpointPort[];
};

export type Endpoints = KubeObject & { readonly subsets: readonly EndpointSubset[] };

export const endpoints: Resource<Endpoints> = {
  kind: 'Endpoints',
  group: '',
  version: 'v1',
  plural: 'endpoints',
  namespaced: true,
  parse: (meta, object) =>
    Object.freeze({
      meta,
      subsets: listOf(object['subsets'], (subset) =>
        Object.freeze({
          addresses: listOf(subset['addresses'], endpointAddress),
          notReadyAddresses: listOf(subset['notReadyAddresses'], endpointAddress),
          ports: listOf(subset['ports'], endpointPort),
        }),
      ),
    }),
};

function endpointAddress(address: JsonObject): EndpointAddress | undefined {
  const ip = textOf(address['ip']);
  return ip === undefined ? undefined : Object.freeze({ ip, nodeName: textOf(address['nodeName']) });
}

export type ServicePort = {
  /** Empty for a single port without a name. */
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  /** A port of the pods by number or name; the API fills in `port` where nothing was said. */
  readonly targetPort: number | string;
};

export type LoadBalancerIngress = { readonly ip: string | undefined; readonly hostname: string | undefined };

export type Service = KubeObject & {
  /** `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`. */
  readonly type: string;
  /** `None` for a headless service. */
  readonly clusterIP: string | undefined;
  readonly externalName: string | undefined;
  readonly ports: readonly ServicePort[];
  readonly loadBalancer: readonly LoadBalancerIngress[];
};

export const services: Resource<Service> = {
  kind: 'Service',
  group: '',
  version: 'v1',
  plural: 'services',
  namespaced: true,
  parse(meta, object) {
    const spec = objectOf(object['spec']);
    const balancer = objectOf(objectOf(object['status'])['loadBalancer']);
    return Object.freeze({
      meta,
      type: textOf(spec['type']) ?? 'ClusterIP',
      clusterIP: textOf(spec['clusterIP']),
      externalName: textOf(spec['externalName']),
      ports: listOf(spec['ports'], servicePort),
      loadBalancer: listOf(balancer['ingress'], (entry) =>
        Object.freeze({ ip: textOf(entry['ip']), hostname: textOf(entry['hostname']) }),
      ),
    });
  },
};

function servicePort(item: JsonObject): ServicePort | undefined {
  const port = portOf(item['port']);
  if (port === undefined) return undefined;
  return Object.freeze({
    name: textOf(item['name']) ?? '',
    port,
    protocol: textOf(item['protocol']) ?? 'TCP',
    targetPort: portOrNameOf(item['targetPort']) ?? port,
  });
}

/** All but what nobody reads and is longer than the rest: the copy that `kubectl apply` keeps for itself. */
const isRead = (key: string): boolean => key !== 'kubectl.kubernetes.io/last-applied-configuration';

/** Undefined for what is not an object with a name. */
export function parseMeta(object: JsonObject): KubeMeta | undefined {
  const metadata = objectOf(object['metadata']);
  const name = textOf(metadata['name']);
  if (name === undefined) return undefined;
  return Object.freeze({
    name,
    namespace: textOf(metadata['namespace']) ?? '',
    uid: textOf(metadata['uid']) ?? '',
    resourceVersion: textOf(metadata['resourceVersion']) ?? '',
    labels: labelsOf(metadata['labels']),
    annotations: labelsOf(metadata['annotations'], isRead),
  });
}

/** Under which an object stands in a watch's map: `namespace/name`, or `/name` without a namespace. */
export const keyOf = ({ namespace, name }: KubeMeta): string => `${namespace}/${name}`;
