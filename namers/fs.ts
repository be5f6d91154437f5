/**
 * io.l5d.fs: a directory of names. `/#/io.l5d.fs/a/b/c` is the file `a` with the residual `/b/c`, or, when
 * `a` is a directory, the same question for `b` in it. Files are watched while somebody looks. A file that
 * exists is bound even when it is empty; a file with a bad line keeps the last good addresses, or is a
 * failure when there never were any.
 *
 *     namers:
 *     - kind: io.l5d.fs
 *       rootDir: /etc/turnout/disco
 */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Addr, type Bound, leaf, type Name, type Namer, type NameTree, neg } from '../dtab/names.ts';
import { Path } from '../dtab/path.ts';
import { type Activity, equalStates, flatMapOk, ok, okActivity, type State } from '../src/base/activity.ts';
import type { Clock } from '../src/base/clock.ts';
import { Failure } from '../src/base/failure.ts';
import type { Log } from '../src/base/log.ts';
import type { Counter, Scope } from '../src/base/stats.ts';
import { Lazy, map, type Var } from '../src/base/var.ts';
import { parseAddresses } from './address-file.ts';
import { DirectoryWatches } from './directory-watches.ts';
import type { Entry } from './read-entry.ts';
import { watchedFile } from './watched-file.ts';

const MAX_FILE_BYTES = 500_000;
const MAX_LISTED = 10_000;

/** What stands at one path of the file system; `addr` of a file is the last good one. */
type Node = { readonly type: 'missing' | 'directory' } | { readonly type: 'file'; readonly addr: Addr };

/** The shared views of one path: what is there, and, as long as it is a file, its address set. */
type Place = { readonly node: Activity<Node>; readonly addr: Var<Addr> };

/** `stats` is the namer's own scope. */
export type FsNamerDeps = { readonly clock: Clock; readonly log: Log; readonly stats: Scope };

export class FsNamer implements Namer {
  readonly #prefix: Path;
  readonly #rootDir: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #badFiles: Counter;
  readonly #watches: DirectoryWatches;
  readonly #places = new Map<string, Place>();

  /** `prefix` is the full one, `/#` included: bound ids start with it. */
  constructor(prefix: Path, rootDir: string, deps: FsNamerDeps) {
    this.#prefix = prefix;
    this.#rootDir = resolve(rootDir);
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#badFiles = deps.stats.counter('bad_files');
    this.#watches = new DirectoryWatches(deps.log, deps.clock);
  }

  /** How many files and directories are looked at now. */
  get watched(): number {
    return this.#places.size;
  }

  lookup(path: Path): Activity<NameTree<Name>> {
    return this.#walk(this.#rootDir, path, 0);
  }

  names(): readonly Path[] {
    const names: Path[] = [];
    try {
      for (const name of readdirSync(this.#rootDir)) {
        // Kubernetes keeps its own entries of a volume under `..`.
        if (name.startsWith('..')) continue;
        names.push(Path.of(Buffer.from(name).toString('latin1')));
        if (names.length === MAX_LISTED) break;
      }
    } catch (error) {
      this.#log.warn('cannot list a directory of names', { directory: this.#rootDir, reason: String(error) });
    }
    return names.sort((a, b) => (a.show < b.show ? -1 : 1));
  }

  #walk(directory: string, path: Path, depth: number): Activity<NameTree<Name>> {
    const segment = path.segments[depth];
    const name = segment === undefined ? undefined : fileName(segment);
    if (name === undefined) return okActivity(neg);
    const file = join(directory, name);
    const consumed = depth + 1;
    const nodes = new Lazy<State<Node>>((set) => this.#place(file).node.observe(set), sameKind);
    return flatMapOk(nodes, (node): Activity<NameTree<Name>> => {
      if (node.type === 'missing') return okActivity(neg);
      if (node.type === 'directory') return this.#walk(file, path, consumed);
      const bound: Bound = {
        type: 'bound',
        id: this.#prefix.concat(path.take(consumed)),
        addr: this.#place(file).addr,
        residual: path.drop(consumed),
      };
      return okActivity(leaf<Name>(bound));
    });
  }

  #place(file: string): Place {
    const known = this.#places.get(file);
    if (known !== undefined) return known;
    const entries = watchedFile(file, MAX_FILE_BYTES, { clock: this.#clock, watches: this.#watches });
    const node = new Lazy<State<Node>>((set) => {
      if (!this.#places.has(file)) this.#places.set(file, place);
      let good: Addr | undefined;
      const watch = entries.observe((state) => {
        if (state.state !== 'ok') return set(state);
        const next = this.#nodeOf(file, state.value, good);
        good = next.type === 'file' && next.addr.type === 'bound' ? next.addr : undefined;
        set(ok(next));
      });
      return {
        close: () => {
          watch.close();
          if (this.#places.get(file) === place) this.#places.delete(file);
        },
      };
    }, equalStates(Object.is));
    const place: Place = { node, addr: map(node, addrOf) };
    return place;
  }

  #nodeOf(file: string, entry: Entry, good: Addr | undefined): Node {
    if (entry.type === 'missing' || entry.type === 'directory') return { type: entry.type };
    let problem: string;
    if (entry.type === 'text') {
      const parsed = parseAddresses(entry.text);
      if (!('line' in parsed)) {
        return { type: 'file', addr: { type: 'bound', addresses: parsed, meta: {} } };
      }
      problem = `malformed address: ${file}:${parsed.line}: ${parsed.message}`;
    } else {
      problem = `cannot read ${file}: ${entry.reason}`;
    }
    const kept = good === undefined ? 'the name fails' : 'the last good addresses are kept';
    this.#log.warn(`${problem}; ${kept}`, { file });
    this.#badFiles.add(1);
    return { type: 'file', addr: good ?? { type: 'failed', failure: new Failure('naming', problem) } };
  }
}

/** A label as a file name, or undefined for a label that no file below the directory can have. */
function fileName(label: string): string | undefined {
  const bytes = Buffer.from(label, 'latin1');
  const name = bytes.toString('utf8');
  if (!Buffer.from(name).equals(bytes)) return undefined;
  return name === '.' || name === '..' || /[/\0]/.test(name) ? undefined : name;
}

function addrOf(state: State<Node>): Addr {
  if (state.state === 'pending') return { type: 'pending' };
  if (state.state === 'failed') return { type: 'failed', failure: state.failure };
  return state.value.type === 'file' ? state.value.addr : { type: 'neg' };
}

function sameKind(a: State<Node>, b: State<Node>): boolean {
  return a.state === 'ok' && b.state === 'ok' ? a.value.type === b.value.type : a.state === b.state;
}
