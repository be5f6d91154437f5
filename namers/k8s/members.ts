/**
 * Who stands behind one port of a service, by its EndpointSlices. All slices count; an endpoint that several
 * of them list is one; of a service with addresses of both families only IPv4 is used, because the same pods
 * stand in the others again. Ports are matched slice by slice: a named target port may have another number in
 * another pod.
 */
import type { Addr, Address } from '../../dtab/names.ts';
import type { EndpointSlice, ServicePort } from '../../k8s/resources.ts';

/** An endpoint that takes requests; one that is not `ready` is shutting down and still serves. */
export type Member = { readonly address: Address; readonly ready: boolean };

/** Undefined when no slice has a port of that name. */
export function membersByPortName(
  slices: readonly EndpointSlice[],
  name: string,
): readonly Member[] | undefined {
  return membersAt(
    slices,
    (slice) => slice.ports.find((port) => port.name === name && port.protocol === 'TCP')?.port,
  );
}

/**
 * A slice names its ports like the service, whatever their target is. Slices written by hand may not: then
 * the target itself decides, and a number needs no port in any slice.
 */
export function membersByServicePort(
  slices: readonly EndpointSlice[],
  { name, targetPort }: ServicePort,
): readonly Member[] | undefined {
  const members = membersByPortName(slices, name);
  if (members !== undefined) return members;
  if (typeof targetPort === 'string') return membersByPortName(slices, targetPort);
  return membersAt(slices, () => targetPort) ?? [];
}

/** The ready ones; those that are shutting down only when no other is left. */
export function inRotation(members: readonly Member[]): readonly Address[] {
  const ready = members.filter((member) => member.ready);
  return (ready.length > 0 ? ready : members).map((member) => member.address);
}

/** No members of their own is a set, too; undefined is a name that does not exist (any more). */
export function addrOf(members: readonly Member[] | undefined): Addr {
  return members === undefined
    ? { type: 'neg' }
    : { type: 'bound', addresses: inRotation(members), meta: {} };
}

/** What speaks against a family is only that no endpoint is listed in it. */
const FAMILIES: readonly string[] = ['IPv4', 'IPv6', 'FQDN'];

function membersAt(
  slices: readonly EndpointSlice[],
  portIn: (slice: EndpointSlice) => number | undefined,
): readonly Member[] | undefined {
  const withPort = slices.filter((slice) => portIn(slice) !== undefined);
  if (withPort.length === 0) return undefined;
  const listed = withPort.filter((slice) => slice.endpoints.length > 0);
  const family = FAMILIES.find((each) => listed.some((slice) => slice.addressType === each));
  const members = new Map<string, Member>();
  for (const slice of listed) {
    const port = portIn(slice);
    if (slice.addressType === family && port !== undefined) addMembers(members, slice, port);
  }
  return [...members.values()];
}

function addMembers(members: Map<string, Member>, { endpoints }: EndpointSlice, port: number): void {
  for (const { addresses, ready, serving, terminating, nodeName } of endpoints) {
    // The API gives no meaning to further addresses of an endpoint.
    const host = addresses[0];
    if (host === undefined || !(ready || (serving && terminating))) continue;
    const key = `${host} ${port}`;
    if (members.get(key)?.ready === true) continue;
    const address = nodeName === undefined ? { host, port } : { host, port, meta: { nodeName } };
    members.set(key, { address, ready });
  }
}
