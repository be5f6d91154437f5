/**
 * Whether two addresses are on one node. By the names of the nodes when both are known; only otherwise by the
 * network, as linkerd does: each node is taken to have a /24 of its own. IPv6 addresses have no such mask.
 */
import { isIPv4 } from 'node:net';

/** The /24 of an IPv4 address. */
export function subnetOf(host: string): string | undefined {
  return isIPv4(host) ? host.slice(0, host.lastIndexOf('.')) : undefined;
}

export type Spot = { readonly nodeName: string | undefined; readonly host: string | undefined };

export function onSameNode(a: Spot, b: Spot): boolean {
  if (a.nodeName !== undefined && b.nodeName !== undefined) return a.nodeName === b.nodeName;
  const subnet = a.host === undefined ? undefined : subnetOf(a.host);
  return subnet !== undefined && b.host !== undefined && subnet === subnetOf(b.host);
}
