/**
 * A file that lines are appended to, rolled by a policy. Writing waits for nobody: while more than 4 MB are
 * under way, or the file cannot be written, lines are dropped and counted. A trouble is logged once, and
 * again only after writing has worked.
 */
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Loan } from '../base/loans.ts';
import type { Log } from '../base/log.ts';
import type { Counter } from '../base/stats.ts';
import { nextRollMs, type RollPolicy, rolledSuffix } from './roll-policy.ts';

const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

export type LogFileOptions = {
  readonly path: string;
  readonly policy: RollPolicy;
  /** False: what the file held before is thrown away. */
  readonly append: boolean;
  /** Rolled files that are kept; negative: all. */
  readonly keep: number;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Log;
  readonly dropped: Counter;
};

type Piece = { readonly lines: Buffer; readonly loan: Loan };

export class LogFile {
  readonly #options: LogFileOptions;
  #file: FileHandle | undefined;
  #begun = false;
  /** In the file. */
  #bytes = 0;
  #startedMs = 0;
  #rollsMs = Number.POSITIVE_INFINITY;
  #waiting: Piece[] = [];
  /** Lines that wait. */
  #count = 0;
  /** Waiting or being written. */
  #backlog = 0;
  #working: Promise<void> | undefined;
  #troubled = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** `lines` ends with a line feed. */
  write(lines: Buffer, count: number, loan: Loan): void {
    if (this.#backlog > BACKLOG_BYTES_MAX) {
      this.#drop(count);
      return;
    }
    loan.keep();
    this.#waiting.push({ lines, loan });
    this.#count += count;
    this.#backlog += lines.length;
    this.#working ??= this.#work();
  }

  /** Resolves when everything has been written. */
  async close(): Promise<void> {
    await this.#working;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = Buffer.concat(this.#waiting.map((piece) => piece.lines));
      for (const { loan } of this.#waiting) loan.release();
      const count = this.#count;
      this.#waiting = [];
      this.#count = 0;
      try {
        const file = await this.#ready();
        await file.appendFile(lines);
        this.#bytes += lines.length;
        this.#troubled = false;
      } catch (error) {
        await this.#trouble(error, count);
      }
      this.#backlog -= lines.length;
    }
    this.#working = undefined;
  }

  async #ready(): Promise<FileHandle> {
    const { policy, clock } = this.#options;
    const full = policy.type === 'size' && this.#bytes >= policy.bytes;
    if (this.#file !== undefined && (full || clock.wallMs() >= this.#rollsMs)) await this.#roll();
    this.#file ??= await this.#open();
    return this.#file;
  }

  async #open(): Promise<FileHandle> {
    const { path, append, clock, policy } = this.#options;
    const file = await open(path, append || this.#begun ? 'a' : 'w', 0o640);
    const { size, birthtimeMs } = await file.stat();
    this.#begun = true;
    this.#bytes = size;
    this.#startedMs = size > 0 && birthtimeMs > 0 ? Math.min(birthtimeMs, clock.wallMs()) : clock.wallMs();
    this.#rollsMs = nextRollMs(policy, this.#startedMs);
    return file;
  }

  async #roll(): Promise<void> {
    const { path, policy } = this.#options;
    await this.#file?.close();
    this.#file = undefined;
    const end = extname(path);
    const stem = `${path.slice(0, path.length - end.length)}-${rolledSuffix(policy, this.#startedMs)}`;
    let name = stem + end;
    for (let n = 1; await exists(name); n++) name = `${stem}-${n}${end}`;
    await rename(path, name);
    await this.#forgetOld();
  }

  async #forgetOld(): Promise<void> {
    const { path, keep } = this.#options;
    if (keep < 0) return;
    const end = extname(path);
    const start = `${basename(path, end)}-`;
    const rolled = (await readdir(dirname(path)))
      .filter(
        (name) => name.startsWith(start) && name.endsWith(end) && /^\d{8}/.test(name.slice(start.length)),
      )
      .sort();
    for (const name of rolled.slice(0, Math.max(0, rolled.length - keep))) {
      await rm(join(dirname(path), name), { force: true });
    }
  }

  async #trouble(error: unknown, count: number): Promise<void> {
    const { log, path } = this.#options;
    this.#drop(count);
    if (!this.#troubled) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error('the access log cannot be written; its lines are dropped', { path, reason });
    }
    this.#troubled = true;
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
  }

  #drop(count: number): void {
    this.#options.dropped.add(count);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
