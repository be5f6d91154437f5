/** The file of a running process's configuration: watched by its content, and read again when asked. */
import { resolve } from 'node:path';
import { DirectoryWatches } from '../namers/directory-watches.ts';
import { type Entry, readEntry } from '../namers/read-entry.ts';
import { watchedFile } from '../namers/watched-file.ts';
import type { Clock } from './base/clock.ts';
import type { Closable } from './base/closable.ts';
import type { Log } from './base/log.ts';
import type { Generation, Reloader } from './reload.ts';

const BYTES_MAX = 16 * 1024 * 1024;

export class ConfigFile {
  readonly #source: string;
  readonly #reloader: Reloader;
  readonly #log: Log;

  constructor(source: string, reloader: Reloader, log: Log) {
    this.#source = source;
    this.#reloader = reloader;
    this.#log = log;
  }

  /** `text` is what it held at the start. */
  watch(text: string, clock: Clock): Closable {
    let known = text;
    const watches = new DirectoryWatches(this.#log, clock);
    const entries = watchedFile(resolve(this.#source), BYTES_MAX, { clock, watches });
    return entries.observe((state) => {
      if (state.state !== 'ok') return;
      const now = textOf(state.value);
      if (now === known) return;
      if (now === undefined) {
        const file = this.#source;
        this.#log.warn('the configuration file cannot be read; what is in force stays', { file });
        return;
      }
      known = now;
      void this.#reloader.reload(now, this.#source, 'file');
    });
  }

  /** Reads it now. A string says why it cannot be read. */
  async again(by: string, dryRun = false): Promise<Generation | string> {
    const { entry } = await readEntry(resolve(this.#source), BYTES_MAX);
    const text = textOf(entry);
    if (text !== undefined) return this.#reloader.reload(text, this.#source, by, dryRun);
    const problem = `cannot read ${this.#source}: ${entry.type === 'unreadable' ? entry.reason : entry.type}`;
    this.#log.error(problem, { by });
    return problem;
  }
}

function textOf(entry: Entry): string | undefined {
  return entry.type === 'text' ? entry.text.replace(/^\uFEFF/, '') : undefined;
}
