/**
 * fs.watch on directories, one watch a directory however many listen. It tells at once of what changes in
 * them, and is itself looked after: twice a second each directory is compared with the one that is watched,
 * so that one that was deleted, made again or replaced is followed, and all that listen look again. Where a
 * watch was refused (inotify limits) or does not hear what others do (network file systems), `follows` says
 * so.
 */
import { type FSWatcher, statfsSync, statSync, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock } from '../src/base/clock.ts';
import { type Closable, nothingToClose } from '../src/base/closable.ts';
import type { Log } from '../src/base/log.ts';

const CHECK_MS = 500;

/** `name` is the directory entry that changed; undefined when that is not known. */
type Listener = (name: string | undefined) => void;

/** `identity` is that of the directory at the time when the watch was opened; undefined: there was none. */
type Watched = {
  watcher: FSWatcher | undefined;
  identity: string | undefined;
  remote: boolean;
  readonly listeners: Set<Listener>;
};

/** Linux file systems on which others can write without the kernel here knowing (statfs(2)). */
const REMOTE = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x65735546, // FUSE
  0x01021997, // 9P
  0x00c36400, // Ceph
  0x5346414f, // AFS
  0x0bd00bd0, // Lustre
  0x786f4256, // VirtualBox
]);

export class DirectoryWatches {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #directories = new Map<string, Watched>();
  #timer: Closable = nothingToClose;
  #refusalReported = false;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** How many directories are watched now. */
  get size(): number {
    return this.#directories.size;
  }

  /** Changes in the directory are told. Otherwise whoever wants to know of them must look. */
  follows(directory: string): boolean {
    const watched = this.#directories.get(directory);
    return watched?.watcher !== undefined && !watched.remote;
  }

  listen(directory: string, listener: Listener): Closable {
    let watched = this.#directories.get(directory);
    if (watched === undefined) {
      watched = { watcher: undefined, identity: undefined, remote: false, listeners: new Set() };
      this.#directories.set(directory, watched);
      this.#open(directory, watched);
      if (this.#directories.size === 1) this.#schedule();
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
        if (this.#directories.size === 0) this.#timer.close();
      },
    };
  }

  #schedule(): void {
    this.#timer.close();
    this.#timer = this.#clock.after(CHECK_MS, () => void this.#check());
  }

  async #check(): Promise<void> {
    for (const [directory, watched] of [...this.#directories]) {
      const identity = await identityOf(directory);
      if (identity === watched.identity || this.#directories.get(directory) !== watched) continue;
      this.#shut(watched);
      this.#open(directory, watched);
      tell(watched, undefined);
    }
    if (this.#directories.size > 0) this.#schedule();
  }

  #open(directory: string, watched: Watched): void {
    try {
      // Before the watch: a directory that takes its place in between is found by the next check.
      watched.identity = undefined;
      const { dev, ino } = statSync(directory, { bigint: true });
      watched.identity = `${dev}:${ino}`;
      watched.remote = process.platform === 'linux' && REMOTE.has(statfsSync(directory).type);
      const watcher = watch(directory, { persistent: false }, (_event, name) =>
        tell(watched, name ?? undefined),
      );
      watched.watcher = watcher;
      watcher.on('error', () => {
        this.#shut(watched);
        tell(watched, undefined);
      });
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

function tell(watched: Watched, name: string | undefined): void {
  for (const listener of [...watched.listeners]) listener(name);
}

async function identityOf(directory: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(directory, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** True for the errors that mean that there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG';
}
