/**
 * fs.watch on directories, one watch a directory however many listen. It is only the quick way to hear of a
 * change: events get lost, a watch may be refused (inotify limits) and a replaced directory is not followed,
 * so that every listener polls as well; `refresh` opens the watch anew after a poll has found what the watch
 * had missed.
 */
import { type FSWatcher, watch } from 'node:fs';
import type { Closable } from '../src/base/closable.ts';
import type { Log } from '../src/base/log.ts';

/** `name` is the directory entry that changed; undefined when the system does not say. */
type Listener = (name: string | undefined) => void;

type Watched = { watcher: FSWatcher | undefined; readonly listeners: Set<Listener> };

export class DirectoryWatches {
  readonly #log: Log;
  readonly #directories = new Map<string, Watched>();
  #refusalReported = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** How many directories are watched now. */
  get size(): number {
    return this.#directories.size;
  }

  listen(directory: string, listener: Listener): Closable {
    let watched = this.#directories.get(directory);
    if (watched === undefined) {
      watched = { watcher: undefined, listeners: new Set() };
      this.#directories.set(directory, watched);
      this.#open(directory, watched);
    }
    const { listeners } = watched;
    // One function may listen twice, so that each listening has its own identity.
    const own: Listener = (name) => listener(name);
    listeners.add(own);
    return {
      close: () => {
        if (!listeners.delete(own) || listeners.size > 0) return;
        this.#shut(this.#directories.get(directory));
        this.#directories.delete(directory);
      },
    };
  }

  refresh(directory: string): void {
    const watched = this.#directories.get(directory);
    if (watched === undefined) return;
    this.#shut(watched);
    this.#open(directory, watched);
  }

  #open(directory: string, watched: Watched): void {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        for (const listener of [...watched.listeners]) listener(name ?? undefined);
      });
      watcher.on('error', () => this.#shut(watched));
      watched.watcher = watcher;
    } catch (error) {
      if (isMissing(error) || this.#refusalReported) return;
      this.#refusalReported = true;
      this.#log.warn('cannot watch a directory; changes are found by polling instead', {
        directory,
        reason: String(error),
      });
    }
  }

  #shut(watched: Watched | undefined): void {
    watched?.watcher?.close();
    if (watched !== undefined) watched.watcher = undefined;
  }
}

/** True for the errors that mean that there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG';
}
