/**
 * A path of the file system as a value over time: edits, renames over it, deletions and symbolic links that
 * point elsewhere show within a second. A directory watch tells at once. What it cannot tell of, a link or a
 * directory that is not followed, is looked at every 500 ms; everything else every 20 s, in case that an
 * event was lost. A change is read when it has been quiet for 50 ms; a file that is suddenly empty or gone is
 * looked at once more 100 ms later before it is believed, because truncate-then-write and delete-then-create
 * look like that half-way.
 */
import { basename, dirname } from 'node:path';
import { type Activity, ok, pending, type State } from '../src/base/activity.ts';
import type { Clock } from '../src/base/clock.ts';
import { type Closable, nothingToClose } from '../src/base/closable.ts';
import { Lazy } from '../src/base/var.ts';
import type { DirectoryWatches } from './directory-watches.ts';
import { type Entry, readEntry, stampOf, UNSETTLED } from './read-entry.ts';

const POLL_MS = 500;
const SWEEP_MS = 20_000;
const QUIET_MS = 50;
const CONFIRM_MS = 100;
/** A path that never comes to rest is read all the same. */
const MAX_DELAY_MS = 250;
const MAX_UNSETTLED = 5;

export type WatchedFileDeps = { readonly clock: Clock; readonly watches: DirectoryWatches };

/** Watched from the first observer to the last; pending until it has been read once. */
export function watchedFile(path: string, maxBytes: number, deps: WatchedFileDeps): Activity<Entry> {
  return new Lazy<State<Entry>>((set) => {
    set(pending);
    const watch = new FileWatch(path, maxBytes, deps, (entry) => set(ok(entry)));
    return watch;
  }, equalEntries);
}

class FileWatch implements Closable {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #deps: WatchedFileDeps;
  readonly #tell: (entry: Entry) => void;
  readonly #events: Closable;
  #timer: Closable = nothingToClose;
  #unsettled = 0;
  #changedMs: number | undefined;
  #stamp: string | undefined;
  #linked = false;
  #last: Entry | undefined;
  #doubted = false;
  #busy = false;
  #closed = false;

  constructor(path: string, maxBytes: number, deps: WatchedFileDeps, tell: (entry: Entry) => void) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#deps = deps;
    this.#tell = tell;
    const name = basename(path);
    this.#events = deps.watches.listen(dirname(path), (changed) => {
      // Kubernetes swaps a volume by renaming `..data`, to which every visible file is a link.
      if (changed === undefined || changed === name || changed.startsWith('..')) this.#changed();
    });
    void this.#read();
  }

  close(): void {
    this.#closed = true;
    this.#events.close();
    this.#timer.close();
  }

  #changed(): void {
    const nowMs = this.#deps.clock.nowMs();
    this.#changedMs ??= nowMs;
    if (this.#busy) return;
    this.#schedule(Math.min(nowMs + QUIET_MS, this.#changedMs + MAX_DELAY_MS));
  }

  #schedule(dueMs: number): void {
    this.#timer.close();
    const delayMs = Math.max(0, dueMs - this.#deps.clock.nowMs());
    this.#timer = this.#deps.clock.after(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#changedMs !== undefined) return this.#read();
    this.#busy = true;
    const stamp = await stampOf(this.#path);
    this.#busy = false;
    if (this.#closed) return;
    if (stamp === this.#stamp) return this.#rest();
    this.#changed();
  }

  async #read(): Promise<void> {
    this.#busy = true;
    this.#changedMs = undefined;
    const look = await readEntry(this.#path, this.#maxBytes);
    this.#busy = false;
    if (this.#closed) return;
    if (look.stamp === UNSETTLED && ++this.#unsettled < MAX_UNSETTLED) {
      this.#changed();
      return;
    }
    this.#unsettled = 0;
    if (this.#isDoubtful(look.entry)) {
      this.#doubted = true;
      this.#changedMs = this.#deps.clock.nowMs();
      this.#schedule(this.#changedMs + CONFIRM_MS);
      return;
    }
    this.#doubted = false;
    this.#stamp = look.stamp;
    this.#linked = look.linked;
    this.#last = look.entry;
    this.#tell(look.entry);
    if (!this.#closed) this.#rest();
  }

  #isDoubtful(entry: Entry): boolean {
    if (this.#doubted || this.#last?.type !== 'text' || this.#last.text === '') return false;
    return entry.type === 'missing' || (entry.type === 'text' && entry.text === '');
  }

  #rest(): void {
    if (this.#changedMs !== undefined) {
      this.#changed();
      return;
    }
    const told = !this.#linked && this.#deps.watches.follows(dirname(this.#path));
    this.#schedule(this.#deps.clock.nowMs() + (told ? SWEEP_MS : POLL_MS));
  }
}

function equalEntries(a: State<Entry>, b: State<Entry>): boolean {
  if (a.state !== 'ok' || b.state !== 'ok') return a.state === b.state;
  if (a.value.type === 'text') return b.value.type === 'text' && a.value.text === b.value.text;
  if (a.value.type === 'unreadable') {
    return b.value.type === 'unreadable' && a.value.reason === b.value.reason;
  }
  return a.value.type === b.value.type;
}
