/**
 * An explained resolution in linkerd's JSON form; `dentry.position`, `namer` and `bound.tls` are ours. Waits
 * for address sets to be known.
 */
import type { Delegation } from '../../../dtab/delegation.ts';
import type { Addr, Address, Bound, Dentry } from '../../../dtab/names.ts';
import { showPrefix, showTree } from '../../../dtab/show.ts';
import type { Clock } from '../../base/clock.ts';
import { type Closable, closeAll } from '../../base/closable.ts';

/** What the endpoints of a bound id must prove. */
type TlsOf = (id: string) => unknown;

type Json = Readonly<Record<string, unknown>>;

/** An address set that is still pending after `limitMs` is shown as such. */
export async function delegationJson(
  node: Delegation,
  clock: Clock,
  limitMs: number,
  tlsOf: TlsOf,
): Promise<Json> {
  const below = (child: Delegation) => delegationJson(child, clock, limitMs, tlsOf);
  const { type } = node;
  const path = node.path.show;
  const dentry = node.type === 'transformation' ? undefined : node.dentry;
  const common = {
    ...(dentry === undefined ? {} : { dentry: dentryJson(dentry) }),
    ...('namer' in node && node.namer !== undefined ? { namer: node.namer.show } : {}),
  };
  switch (type) {
    case 'delegate':
      return { type, path, ...common, delegate: await below(node.tree) };
    case 'alt':
      return { type, path, ...common, alt: await Promise.all(node.trees.map(below)) };
    case 'union': {
      const trees = node.trees.map(async ({ weight, tree }) => ({ weight, tree: await below(tree) }));
      return { type, path, ...common, union: await Promise.all(trees) };
    }
    case 'leaf': {
      const tls = tlsOf(node.bound.id.show);
      const bound = await boundJson(node.bound, clock, limitMs);
      return { type, path, ...common, bound: tls === undefined ? bound : { ...bound, tls } };
    }
    case 'transformation': {
      const bound = await boundJson(node.bound, clock, limitMs);
      return { type, path, name: node.name, bound, tree: await below(node.tree) };
    }
    case 'neg':
      return { type, path: node.path.isEmpty ? '~' : path, ...common };
    case 'fail':
      return { type, path: path.startsWith('/$/fail') ? path : '!', ...common };
    case 'empty':
      return { type, path, ...common };
    case 'exception':
      return { type, path, ...common, message: node.failure.message };
    case 'pending':
      return { type: 'exception', path, ...common, message: 'pending: no answer yet' };
  }
}

function dentryJson({ prefix, dst, position }: Dentry): Json {
  const shown = { prefix: showPrefix(prefix), dst: showTree(dst) };
  if (position === undefined) return shown;
  const { source, line, column } = position;
  return { ...shown, position: { ...(source === undefined ? {} : { source }), line, column } };
}

async function boundJson(bound: Bound, clock: Clock, limitMs: number): Promise<Json> {
  const addr = await known(bound, clock, limitMs);
  return { addr: addrJson(addr), id: bound.id.show, path: bound.residual.show };
}

function known(bound: Bound, clock: Clock, limitMs: number): Promise<Addr> {
  return new Promise((resolve) => {
    const parts: Closable[] = [];
    let latest: Addr = { type: 'pending' };
    let done = false;
    const finish = () => {
      done = true;
      resolve(latest);
      closeAll(parts).close();
    };
    parts.push(clock.after(limitMs, finish));
    const watch = bound.addr.observe((addr) => {
      latest = addr;
      if (addr.type !== 'pending' && !done) finish();
    });
    // The first address set may have come before there was anything to close.
    if (done) watch.close();
    else parts.push(watch);
  });
}

function addrJson(addr: Addr): Json {
  switch (addr.type) {
    case 'bound': {
      const { authority, status } = addr.meta;
      const meta = {
        ...(authority === undefined ? {} : { authority }),
        ...(status === undefined ? {} : { status }),
      };
      return { type: 'bound', addrs: addr.addresses.map(addressJson), meta };
    }
    case 'failed':
      return { type: 'failed', cause: addr.failure.message };
    default:
      return { type: addr.type };
  }
}

function addressJson({ host, port, meta }: Address): Json {
  const { weight, nodeName } = meta ?? {};
  return {
    ip: host,
    port,
    meta: {
      ...(weight === undefined ? {} : { endpoint_addr_weight: weight }),
      ...(nodeName === undefined ? {} : { nodeName }),
    },
  };
}
