/**
 * Keeps the addresses of a set that are one of some IPv4 addresses; the others go, and a set with none left
 * is neg. A host name in the set stands for the addresses that it resolves to, and only those that match
 * stay. IPv6 addresses never match, as in linkerd, whose masks are IPv4.
 */
import { isIPv4 } from 'node:net';
import type { Addr, Address } from '../../dtab/names.ts';
import type { State } from '../../src/base/activity.ts';
import { collect, constant, flatMap, map, type Var } from '../../src/base/var.ts';
import type { HostAddresses, HostResolver } from '../host-resolver.ts';
import { isHostName, numericHost } from '../numeric-host.ts';

const LOOPBACK: Hosts = { state: 'ok', value: ['127.0.0.1'] };

export type Hosts = State<HostAddresses>;
type BoundAddr = Addr & { readonly type: 'bound' };

/** `allowed` is asked for as long as it is pending: until then the set is pending too. */
export function keepHosts(allowed: Var<Hosts>, resolver: HostResolver): (source: Var<Addr>) => Var<Addr> {
  return (source) =>
    flatMap<Addr, Addr>(source, (addr) => {
      if (addr.type !== 'bound') return constant(addr);
      const hosts = addr.addresses.map((address) => hostsOf(address.host, resolver));
      return map(collect([allowed, ...hosts]), ([first, ...rest]) => keep(addr, first as Hosts, rest));
    });
}

/** The addresses that a host, as written in a config or a set, stands for. */
export function hostsOf(host: string, resolver: HostResolver): Var<Hosts> {
  const address = numericHost(host);
  if (address !== undefined) return constant<Hosts>({ state: 'ok', value: [address] });
  if (host === 'localhost') return constant(LOOPBACK);
  return isHostName(host) ? resolver.addresses(host) : constant<Hosts>({ state: 'ok', value: undefined });
}

function keep(addr: BoundAddr, allowed: Hosts, hosts: readonly Hosts[]): Addr {
  if (allowed.state === 'pending') return { type: 'pending' };
  if (allowed.state === 'failed') return { type: 'failed', failure: allowed.failure };
  const wanted = new Set(allowed.value?.filter(isIPv4));
  const kept = new Map<string, Address>();
  addr.addresses.forEach((address, i) => {
    const found = hosts[i];
    if (found?.state !== 'ok') return;
    for (const host of found.value ?? []) {
      if (wanted.has(host)) kept.set(`${host} ${address.port}`, { ...address, host });
    }
  });
  if (kept.size > 0) return { ...addr, addresses: [...kept.values()] };
  return hosts.some((found) => found.state === 'pending') ? { type: 'pending' } : { type: 'neg' };
}
