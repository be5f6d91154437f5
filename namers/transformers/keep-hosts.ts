/**
 * Keeps the addresses of a set that match; the others go, and a set with none left is neg. A host name in the
 * set stands for the addresses that it resolves to, and only those that match stay.
 */
import { isIPv4 } from 'node:net';
import type { Addr, Address } from '../../dtab/names.ts';
import { mapOk, type State } from '../../src/base/activity.ts';
import { flatMap, type Var } from '../../src/base/var.ts';
import type { HostResolver } from '../host-resolver.ts';
import { mapBound, unknownAddr } from './transform.ts';
import { type BoundAddr, type Hosts, type HostsOf, withHosts } from './with-hosts.ts';

/** `host` is the IP address that `address` stands for. */
export type Matches = (address: Address, host: string) => boolean;

/** Keeps some IPv4 addresses. IPv6 addresses never match, as in linkerd, whose masks are IPv4. */
export function keepHosts(allowed: Var<Hosts>, resolver: HostResolver): (source: Var<Addr>) => Var<Addr> {
  const matches = mapOk(allowed, (hosts): Matches => {
    const wanted = new Set(hosts?.filter(isIPv4));
    return (_address, host) => wanted.has(host);
  });
  // It is asked for as long as it is pending: until then the set is pending too.
  return (source) =>
    flatMap<State<Matches>, Addr>(matches, (state) => {
      if (state.state === 'ok') return keepMatching(source, state.value, resolver);
      return mapBound(source, () => unknownAddr(state));
    });
}

export function keepMatching(source: Var<Addr>, matches: Matches, resolver: HostResolver): Var<Addr> {
  return withHosts(source, resolver, (addr, hostsOf) => keep(addr, matches, hostsOf));
}

function keep(addr: BoundAddr, matches: Matches, hostsOf: HostsOf): Addr {
  const kept = new Map<string, Address>();
  let pending = false;
  for (const address of addr.addresses) {
    const found = hostsOf(address.host);
    if (found.state === 'pending') pending = true;
    if (found.state !== 'ok') continue;
    for (const host of found.value ?? []) {
      if (matches(address, host)) kept.set(`${host} ${address.port}`, { ...address, host });
    }
  }
  if (kept.size > 0) return { ...addr, addresses: [...kept.values()] };
  return { type: pending ? 'pending' : 'neg' };
}
