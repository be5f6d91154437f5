/** An address set together with what its host names resolve to: for transformers that compare addresses. */
import type { Addr } from '../../dtab/names.ts';
import type { State } from '../../src/base/activity.ts';
import { collect, constant, flatMap, map, type Var } from '../../src/base/var.ts';
import type { HostAddresses, HostResolver } from '../host-resolver.ts';
import { isHostName, numericHost } from '../numeric-host.ts';

export type Hosts = State<HostAddresses>;
export type BoundAddr = Addr & { readonly type: 'bound' };

/** The addresses of a host as it stands in the set. */
export type HostsOf = (host: string) => Hosts;

const nowhere: Hosts = { state: 'ok', value: undefined };

/** Sets that are not bound pass through. Names are resolved while the result is observed. */
export function withHosts(
  source: Var<Addr>,
  resolver: HostResolver,
  f: (addr: BoundAddr, hostsOf: HostsOf) => Addr,
): Var<Addr> {
  return flatMap<Addr, Addr>(source, (addr) => {
    if (addr.type !== 'bound') return constant(addr);
    const names = [...new Set(addr.addresses.map(({ host }) => host).filter((host) => !isNumeric(host)))];
    if (names.length === 0) return constant(f(addr, literal));
    return map(collect(names.map((name) => hostsOf(name, resolver))), (found) => {
      const known = new Map(names.map((name, i) => [name, found[i] ?? nowhere]));
      return f(addr, (host) => known.get(host) ?? literal(host));
    });
  });
}

/** The addresses that a host, as written in a config or a set, stands for. */
export function hostsOf(host: string, resolver: HostResolver): Var<Hosts> {
  if (isNumeric(host)) return constant(literal(host));
  return isHostName(host) ? resolver.addresses(host) : constant(nowhere);
}

const isNumeric = (host: string): boolean => host === 'localhost' || numericHost(host) !== undefined;

function literal(host: string): Hosts {
  const address = host === 'localhost' ? '127.0.0.1' : numericHost(host);
  return address === undefined ? nowhere : { state: 'ok', value: [address] };
}
