/**
 * io.l5d.k8s.daemonset: every endpoint is replaced by the pod of a daemon set on its node: the router there.
 * Both sides are live. Endpoints on nodes without such a pod are lost; a set with none left is neg.
 *
 *     interpreter:
 *       kind: default
 *       transformers:
 *       - kind: io.l5d.k8s.daemonset
 *         namespace: linkerd
 *         port: incoming
 *         service: l5d
 */
import type { Addr, Address } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import { type Activity, mapOk, type State } from '../../src/base/activity.ts';
import { flatMap, type Var } from '../../src/base/var.ts';
import type { HostResolver } from '../host-resolver.ts';
import { inRotation, type Member } from '../k8s/members.ts';
import { subnetOf } from './same-node.ts';
import { mapBound, type Transformer, transformSets, unknownAddr } from './transform.ts';
import { type BoundAddr, type HostsOf, withHosts } from './with-hosts.ts';

export type Gateways = {
  /** The pods of the daemon set; undefined: there is no such service. */
  readonly members: Activity<readonly Member[] | undefined>;
  refresh(): void;
};

export function daemonSet(prefix: Path, gateways: Gateways, resolver: HostResolver): Transformer {
  const nodes = mapOk(gateways.members, (members) => new GatewaysByNode(members ?? []));
  const change = (source: Var<Addr>): Var<Addr> =>
    flatMap<State<GatewaysByNode>, Addr>(nodes, (state) => {
      if (state.state === 'ok') {
        return withHosts(source, resolver, (addr, hostsOf) => state.value.replace(addr, hostsOf));
      }
      return mapBound(source, () => unknownAddr(state));
    });
  return transformSets(prefix, change, () => gateways.refresh());
}

/** Gateways by the two things that a node is recognized by: onSameNode for many at once. */
class GatewaysByNode {
  readonly #byName: ReadonlyMap<string, readonly Member[]>;
  readonly #bySubnet: ReadonlyMap<string, readonly Member[]>;
  readonly #unnamedBySubnet: ReadonlyMap<string, readonly Member[]>;

  constructor(members: readonly Member[]) {
    this.#byName = grouped(members, ({ address }) => address.meta?.nodeName);
    this.#bySubnet = grouped(members, ({ address }) => subnetOf(address.host));
    const unnamed = members.filter(({ address }) => address.meta?.nodeName === undefined);
    this.#unnamedBySubnet = grouped(unnamed, ({ address }) => subnetOf(address.host));
  }

  /** What stands at the set as a whole stays; what stands at an address is that of the gateway. */
  replace(addr: BoundAddr, hostsOf: HostsOf): Addr {
    const chosen = new Map<string, Address>();
    let pending = false;
    for (const address of addr.addresses) {
      const hosts = hostsOf(address.host);
      if (hosts.state === 'pending') pending = true;
      const at = hosts.state === 'ok' ? (hosts.value ?? []) : [];
      // A gateway that is shutting down is used as long as its node has no other.
      for (const gateway of inRotation(this.#at(address.meta?.nodeName, at))) {
        chosen.set(`${gateway.host} ${gateway.port}`, gateway);
      }
    }
    if (chosen.size > 0) return { ...addr, addresses: [...chosen.values()] };
    return { type: pending ? 'pending' : 'neg' };
  }

  #at(nodeName: string | undefined, hosts: readonly string[]): readonly Member[] {
    const subnets = nodeName === undefined ? this.#bySubnet : this.#unnamedBySubnet;
    const near = subnets.size === 0 ? [] : hosts.flatMap((host) => subnets.get(subnetOf(host) ?? '') ?? []);
    const named = nodeName === undefined ? undefined : this.#byName.get(nodeName);
    if (named === undefined) return near;
    return near.length === 0 ? named : [...named, ...near];
  }
}

function grouped(
  members: readonly Member[],
  keyOf: (member: Member) => string | undefined,
): ReadonlyMap<string, readonly Member[]> {
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const key = keyOf(member);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [member]);
    else group.push(member);
  }
  return groups;
}
