/**
 * io.l5d.k8s.external: the load balancer in front of a Kubernetes service, for callers outside of the
 * cluster: what its status says, with the port of the service. Neg while there is none.
 *
 *     namers:
 *     - kind: io.l5d.k8s.external
 *       experimental: true
 */
import { type Bound, type Name, type Namer, type NameTree, neg } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import type { KubeApi } from '../../k8s/api.ts';
import { type Service, services } from '../../k8s/resources.ts';
import { named } from '../../k8s/selection.ts';
import { type Activity, mapOk, okActivity } from '../../src/base/activity.ts';
import { type K8sNames, parseK8sName } from './k8s-name.ts';
import { LiveSets, whileThere } from './live-sets.ts';
import type { Member } from './members.ts';

export class ExternalNamer implements Namer {
  readonly #prefix: Path;
  readonly #api: KubeApi;
  readonly #names: K8sNames;
  readonly #sets = new LiveSets();

  /** `prefix` is the full one, `/#` included: bound ids start with it. */
  constructor(prefix: Path, api: KubeApi, names: K8sNames = {}) {
    this.#prefix = prefix;
    this.#api = api;
    this.#names = names;
  }

  lookup(path: Path): Activity<NameTree<Name>> {
    const parsed = parseK8sName(path, this.#names);
    if (parsed === undefined) return okActivity(neg);
    const { namespace, service, labelSelector, port } = parsed;
    // The id is as it was asked for.
    const name = path.take(parsed.name.size);
    const set = this.#sets.get(name, () =>
      mapOk(
        this.#api.watch({ resource: services, namespace, fieldSelector: named(service), labelSelector }),
        (found) => balancerOf([...found.values()][0], port),
      ),
    );
    const { residual } = parsed;
    const bound: Bound = { type: 'bound', id: this.#prefix.concat(name), addr: set.addr, residual };
    return whileThere(set, bound);
  }

  /** The names that are in use. */
  names(): readonly Path[] {
    return this.#sets.names();
  }
}

/** Of several entries the last one counts, and of an entry its host name before its address. */
function balancerOf(service: Service | undefined, port: string): readonly Member[] | undefined {
  const entry = service?.loadBalancer.at(-1);
  const host = entry?.hostname ?? entry?.ip;
  const number = service === undefined ? undefined : servicePort(service, port);
  if (host === undefined || number === undefined) return undefined;
  return [{ address: { host, port: number }, ready: true }];
}

/** By name; by number also through the name of its target, as linkerd has it. */
function servicePort({ ports }: Service, wanted: string): number | undefined {
  const byName = ports.find((port) => port.name === wanted);
  if (byName !== undefined) return byName.port;
  const byNumber = ports.find((port) => String(port.port) === wanted);
  if (byNumber === undefined) return undefined;
  return (ports.find((port) => port.name === byNumber.targetPort) ?? byNumber).port;
}
