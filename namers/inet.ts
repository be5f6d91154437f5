/**
 * The names that say where something is: `/$/inet/<host>/<port>`, `/$/inet/<port>` (the host is loopback),
 * the same under `fixedinet` (resolved once), and `/$/io.buoyant.rinet/<port>/<host>`. They always bind: a
 * host that does not exist is an address set without addresses, so that a table does not fall back from it.
 */

import { type Addr, type Bound, leaf, type Name, type NameTree, neg } from '../dtab/names.ts';
import { Path } from '../dtab/path.ts';
import { type Activity, okActivity, type State } from '../src/base/activity.ts';
import { Failure } from '../src/base/failure.ts';
import { constant, map, type Var } from '../src/base/var.ts';
import type { HostAddresses, HostResolver } from './host-resolver.ts';
import { isHostName, numericHost } from './numeric-host.ts';

const LOOPBACK = '127.0.0.1';
const MAX_INT = 2 ** 31 - 1;
const MAX_PORT = 65535;

type Resolve = (host: string) => Activity<HostAddresses>;

export class Inet {
  readonly #live: Resolve;
  readonly #fixed: Resolve;

  constructor(resolver: HostResolver) {
    this.#live = (host) => resolver.addresses(host);
    this.#fixed = (host) => resolver.fixedAddresses(host);
  }

  /** `rest` is what follows `/$/inet`; undefined when it is not of inet's shape. */
  inet(rest: Path): Activity<NameTree<Name>> | undefined {
    return lookup(Path.of('$', 'inet'), rest, this.#live);
  }

  fixedinet(rest: Path): Activity<NameTree<Name>> | undefined {
    return lookup(Path.of('$', 'fixedinet'), rest, this.#fixed);
  }

  /** `rest` is what follows `/$/io.buoyant.rinet`: the port comes first, and no shape is an error. */
  rinet(rest: Path): Activity<NameTree<Name>> {
    const [portText, host] = rest.segments;
    const port = portText === undefined ? undefined : integer(portText);
    if (port === undefined || host === undefined) return okActivity(neg);
    const id = Path.of('$', 'io.buoyant.rinet').concat(rest.take(2));
    return bound(id, rest.drop(2), host, port, this.#live);
  }
}

function lookup(prefix: Path, rest: Path, resolve: Resolve): Activity<NameTree<Name>> | undefined {
  const [first, second] = rest.segments;
  if (first === undefined) return undefined;
  if (second !== undefined) {
    const port = integer(second);
    if (port !== undefined) return bound(prefix.concat(rest.take(2)), rest.drop(2), first, port, resolve);
  }
  const port = integer(first);
  if (port === undefined) return undefined;
  return bound(prefix.concat(rest.take(1)), rest.drop(1), '', port, resolve);
}

/** What linkerd reads as a number: a 32-bit integer in decimal digits. */
function integer(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= -MAX_INT - 1 && value <= MAX_INT ? value : undefined;
}

function bound(
  id: Path,
  residual: Path,
  host: string,
  port: number,
  resolve: Resolve,
): Activity<NameTree<Name>> {
  const name: Bound = { type: 'bound', id, addr: addressesOf(id, host, port, resolve), residual };
  return okActivity(leaf<Name>(name));
}

function addressesOf(id: Path, host: string, port: number, resolve: Resolve): Var<Addr> {
  if (port < 1 || port > MAX_PORT) {
    return constant<Addr>({
      type: 'failed',
      failure: new Failure('naming', `${id.show}: port ${port} is not in 1..${MAX_PORT}`),
    });
  }
  if (host === '' || host === 'localhost') return constant(endpoints([LOOPBACK], port));
  const address = numericHost(host);
  if (address !== undefined) return constant(endpoints([address], port));
  if (!isHostName(host)) return constant<Addr>({ type: 'neg' });
  return map<State<HostAddresses>, Addr>(resolve(host), (state) => {
    if (state.state === 'pending') return { type: 'pending' };
    if (state.state === 'failed') return { type: 'failed', failure: state.failure };
    return state.value === undefined ? { type: 'neg' } : endpoints(state.value, port);
  });
}

function endpoints(hosts: readonly string[], port: number): Addr {
  return { type: 'bound', addresses: hosts.map((host) => ({ host, port })), meta: {} };
}
