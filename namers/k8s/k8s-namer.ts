/**
 * io.l5d.k8s: the endpoints of a Kubernetes service. `/#/io.l5d.k8s/<namespace>/<port>/<service>`, with a
 * `labelSelector` also the value of that label. A port is the name of a port, or its number in the service.
 * Only that one service is watched, and only while somebody looks.
 *
 *     namers:
 *     - kind: io.l5d.k8s
 *
 * io.l5d.k8s.ns is the same without the namespace, which is that of the pod.
 */
import { type Bound, type Name, type Namer, type NameTree, neg } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import type { KubeApi } from '../../k8s/api.ts';
import { type Service, type ServicePort, services } from '../../k8s/resources.ts';
import { named } from '../../k8s/selection.ts';
import { type Activity, flatMapOk, mapOk, okActivity } from '../../src/base/activity.ts';
import { type K8sName, type K8sNames, parseK8sName } from './k8s-name.ts';
import { LiveSets, whileThere } from './live-sets.ts';
import { type Member, membersByPortName, membersByServicePort } from './members.ts';
import { refreshSlices, serviceSlices } from './service-slices.ts';

type Members = readonly Member[] | undefined;

export class K8sNamer implements Namer {
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
    const set = this.#sets.get(parsed.name, () => this.#members(parsed));
    const bound: Bound = {
      type: 'bound',
      id: this.#prefix.concat(parsed.name),
      addr: set.addr,
      residual: parsed.residual,
      refresh: () => refreshSlices(this.#api, parsed),
    };
    return whileThere(set, bound);
  }

  /** Everybody behind the name, whether in rotation or not; undefined when there is no such name. */
  members(path: Path): Activity<Members> {
    const parsed = parseK8sName(path, this.#names);
    if (parsed === undefined) return okActivity<Members>(undefined);
    return this.#sets.get(parsed.name, () => this.#members(parsed)).members;
  }

  refresh(path: Path): void {
    const parsed = parseK8sName(path, this.#names);
    if (parsed !== undefined) refreshSlices(this.#api, parsed);
  }

  /** The names that are in use: a cluster is not listed to find others. */
  names(): readonly Path[] {
    return this.#sets.names();
  }

  #members(name: K8sName): Activity<Members> {
    const slices = serviceSlices(this.#api, name);
    if (!/^[0-9]+$/.test(name.port)) return mapOk(slices, (all) => membersByPortName(all, name.port));
    const { namespace, service, labelSelector } = name;
    const fieldSelector = named(service);
    const found = this.#api.watch({ resource: services, namespace, fieldSelector, labelSelector });
    const number = Number(name.port);
    const ports = mapOk<ReadonlyMap<string, Service>, ServicePort | undefined>(
      found,
      (one) => [...one.values()][0]?.ports.find((port) => port.port === number && port.protocol === 'TCP'),
      samePort,
    );
    return flatMapOk<ServicePort | undefined, Members>(ports, (port) =>
      port === undefined
        ? okActivity<Members>(undefined)
        : mapOk(slices, (all) => membersByServicePort(all, port)),
    );
  }
}

function samePort(a: ServicePort | undefined, b: ServicePort | undefined): boolean {
  return a?.name === b?.name && a?.targetPort === b?.targetPort && a?.port === b?.port;
}
