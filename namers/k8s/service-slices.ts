/**
 * The EndpointSlices of one service, and, where they cannot be had, its Endpoints in the same form: from a
 * server that has none of them, or when the role allows Endpoints only.
 */
import { isIPv6 } from 'node:net';
import { type KubeApi, KubeFailure, type KubeReason } from '../../k8s/api.ts';
import {
  type EndpointAddress,
  type EndpointSlice,
  type EndpointSubset,
  type Endpoints,
  endpointSlices,
  endpoints,
  SERVICE_NAME_LABEL,
} from '../../k8s/resources.ts';
import { named, type Selection } from '../../k8s/selection.ts';
import { type Activity, mapOk, type State } from '../../src/base/activity.ts';
import type { Failure } from '../../src/base/failure.ts';
import { constant, flatMap, map } from '../../src/base/var.ts';

/** All three have been checked. `labelSelector`: a requirement on the labels of the service. */
export type ServiceKey = {
  readonly namespace: string;
  readonly service: string;
  readonly labelSelector: string | undefined;
};

export function serviceSlices(api: KubeApi, key: ServiceKey): Activity<readonly EndpointSlice[]> {
  const slices = mapOk(api.watch(slicesOf(key)), (found) => [...found.values()]);
  const instead = mapOk(api.watch(endpointsOf(key)), (found) => [...found.values()].flatMap(asSlices));
  // It stays so until there are slices: while the API is away they fail with something else.
  let without = false;
  return flatMap<State<readonly EndpointSlice[]>, State<readonly EndpointSlice[]>>(slices, (state) => {
    if (state.state !== 'failed') return constant(state);
    without ||= cannotBeRead(state.failure);
    if (!without) return constant(state);
    const isAllowed = reasonOf(state.failure) !== 'forbidden';
    // What slices need is what a role should allow.
    return map(instead, (other) => (other.state === 'failed' && !isAllowed ? state : other));
  });
}

/** An endpoint has refused a connection: what is known may be out of date. */
export function refreshSlices(api: KubeApi, key: ServiceKey): void {
  api.refresh(slicesOf(key));
  api.refresh(endpointsOf(key));
}

const reasonOf = (failure: Failure): KubeReason | undefined =>
  failure instanceof KubeFailure ? failure.reason : undefined;

/** The server has none, or the role is from a time without them, as those of linkerd are. */
const cannotBeRead = (failure: Failure): boolean =>
  ['no-such-resource', 'forbidden'].includes(reasonOf(failure) ?? '');

function slicesOf({ namespace, service, labelSelector }: ServiceKey): Selection<EndpointSlice> {
  const ofService = `${SERVICE_NAME_LABEL}=${service}`;
  return {
    resource: endpointSlices,
    namespace,
    // The labels of a service stand on its slices as well.
    labelSelector: labelSelector === undefined ? ofService : `${ofService},${labelSelector}`,
  };
}

function endpointsOf({ namespace, service, labelSelector }: ServiceKey): Selection<Endpoints> {
  return { resource: endpoints, namespace, fieldSelector: named(service), labelSelector };
}

function asSlices({ meta, subsets }: Endpoints): readonly EndpointSlice[] {
  return subsets.flatMap((subset) =>
    ['IPv4', 'IPv6'].map((addressType) => ({
      meta,
      service: meta.name,
      addressType,
      ports: subset.ports,
      endpoints: endpointsIn(subset, addressType),
    })),
  );
}

function endpointsIn(subset: EndpointSubset, addressType: string): EndpointSlice['endpoints'] {
  const ofFamily = ({ ip }: EndpointAddress): boolean => isIPv6(ip) === (addressType === 'IPv6');
  const endpoint = ({ ip, nodeName }: EndpointAddress, ready: boolean) => ({
    addresses: [ip],
    ready,
    serving: ready,
    terminating: false,
    nodeName,
    zone: undefined,
  });
  return [
    ...subset.addresses.filter(ofFamily).map((address) => endpoint(address, true)),
    ...subset.notReadyAddresses.filter(ofFamily).map((address) => endpoint(address, false)),
  ];
}
