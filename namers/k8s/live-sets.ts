/**
 * The names of one namer that somebody looks at, each with one set of members and one address set, however
 * many look. A name is forgotten with its last observer.
 */
import { type Addr, type Bound, leaf, type Name, type NameTree, neg } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import { type Activity, mapOk, type State } from '../../src/base/activity.ts';
import { type Equal, Lazy, map, type Var } from '../../src/base/var.ts';
import { addrOf, type Member } from './members.ts';

type Members = readonly Member[] | undefined;

export type LiveSet = {
  /** Undefined: there is no such name. */
  readonly members: Activity<Members>;
  readonly addr: Var<Addr>;
};

type Entry = LiveSet & { readonly path: Path; exists: boolean };

export class LiveSets {
  readonly #entries = new Map<string, Entry>();

  /** Those that exist, sorted. */
  names(): readonly Path[] {
    const found = [...this.#entries.values()].filter((entry) => entry.exists).map((entry) => entry.path);
    return found.sort((a, b) => (a.show < b.show ? -1 : 1));
  }

  /** `start` is called when nobody has looked at `path` yet. */
  get(path: Path, start: () => Activity<Members>): LiveSet {
    const key = path.show;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const source = start();
    const members = new Lazy<State<Members>>((set) => {
      if (!this.#entries.has(key)) this.#entries.set(key, entry);
      const observation = source.observe((state) => {
        entry.exists = state.state === 'ok' && state.value !== undefined;
        set(state);
      });
      return {
        close: () => {
          observation.close();
          if (this.#entries.get(key) === entry) this.#entries.delete(key);
        },
      };
    });
    const entry: Entry = { path, members, addr: map(members, stateAddr, sameAddr), exists: false };
    return entry;
  }
}

/** The answer of a namer: `bound`, as long as the name exists. */
export function whileThere({ members }: LiveSet, bound: Bound): Activity<NameTree<Name>> {
  const exists = mapOk(members, (found) => found !== undefined);
  return mapOk<boolean, NameTree<Name>>(exists, (yes) => (yes ? leaf<Name>(bound) : neg));
}

function stateAddr(state: State<Members>): Addr {
  if (state.state === 'pending') return { type: 'pending' };
  return state.state === 'failed' ? { type: 'failed', failure: state.failure } : addrOf(state.value);
}

/** An update that changes nothing for this port goes no further. */
const sameAddr: Equal<Addr> = (a, b) => {
  if (a.type !== 'bound' || b.type !== 'bound') return a.type !== 'failed' && a.type === b.type;
  if (a.addresses.length !== b.addresses.length) return false;
  return a.addresses.every((one, i) => {
    const other = b.addresses[i];
    return one.host === other?.host && one.port === other.port && one.meta?.nodeName === other.meta?.nodeName;
  });
};
