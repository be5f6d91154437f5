/**
 * The other nodes, for the admin pages: those that the configuration lists, and those that a name is bound to
 * (the pods of a DaemonSet, by the EndpointSlices of its service). What a name is bound to is followed.
 */
import type { FleetSpec } from '../config/spec.ts';
import type { Addr, Bound, NameTree } from '../dtab/names.ts';
import { readPath } from '../dtab/parse.ts';
import type { Path } from '../dtab/path.ts';
import type { FleetPeer } from './admin/sources.ts';
import type { Activity } from './base/activity.ts';
import { type Closable, nothingToClose } from './base/closable.ts';

const PEERS_MAX = 1000;

export class Fleet implements Closable {
  readonly #listed: readonly FleetPeer[];
  readonly #watch: Closable;
  #addrs: Closable[] = [];
  /** Of each bound name. */
  #found: (readonly FleetPeer[])[] = [];

  constructor(spec: FleetSpec | undefined, bind: (path: Path) => Activity<NameTree<Bound>>) {
    this.#listed = spec?.peers ?? [];
    this.#watch =
      spec?.dst === undefined
        ? nothingToClose
        : bind(readPath(spec.dst)).observe((state) => {
            // While the answer is pending or failed, what was known stays.
            if (state.state === 'ok') this.#follow(boundNames(state.value));
          });
  }

  /** By name, each once; the configuration wins. */
  peers(): readonly FleetPeer[] {
    const byName = new Map<string, FleetPeer>();
    for (const peer of [...this.#listed, ...this.#found.flat()]) {
      if (byName.size < PEERS_MAX && !byName.has(peer.name)) byName.set(peer.name, peer);
    }
    return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  close(): void {
    this.#watch.close();
    for (const addr of this.#addrs) addr.close();
  }

  #follow(names: readonly Bound[]): void {
    for (const addr of this.#addrs) addr.close();
    const found: (readonly FleetPeer[])[] = names.map(() => []);
    this.#found = found;
    this.#addrs = names.map(({ addr }, i) =>
      addr.observe((now) => {
        if (now.type === 'bound' || now.type === 'neg') found[i] = peersOf(now);
      }),
    );
  }
}

function peersOf(addr: Addr): readonly FleetPeer[] {
  if (addr.type !== 'bound') return [];
  return addr.addresses.map(({ host, port, meta }) => {
    const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return { name: meta?.nodeName ?? authority, url: `http://${authority}` };
  });
}

function boundNames(tree: NameTree<Bound>): readonly Bound[] {
  switch (tree.type) {
    case 'leaf':
      return [tree.value];
    case 'alt':
      return tree.trees.map(boundNames).find((names) => names.length > 0) ?? [];
    case 'union':
      return tree.trees.flatMap((each) => boundNames(each.tree));
    default:
      return [];
  }
}
