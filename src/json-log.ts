/**
 * The log: one JSON object a line on a stream. It never blocks and never throws: while more than 1 MB waits
 * to be written, lines are dropped and counted, and the first line after the recovery says how many. Strings
 * are cut at a bound; control characters are escaped by JSON, so a hostile value cannot begin a line.
 */
import type { Clock } from './base/clock.ts';
import type { Log, LogFields, LogLevel } from './base/log.ts';
import type { Counter } from './base/stats.ts';

/** What a log needs of a stream; `process.stdout` has it. */
export interface LogStream {
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(line: string): boolean;
  on(event: 'drain' | 'error', listener: () => void): unknown;
}

export type JsonLogOptions = {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly stream?: LogStream;
  readonly level?: LogLevel;
  /** Counts dropped lines. */
  readonly dropped?: Counter;
};

const RANK: Readonly<Record<LogLevel, number>> = {
  TRACE: 0,
  DEBUG: 1,
  INFO: 2,
  WARNING: 3,
  ERROR: 4,
  CRITICAL: 5,
  FATAL: 6,
  OFF: 7,
};

const BACKLOG_BYTES_MAX = 1 << 20;
const MESSAGE_CHARS_MAX = 4096;
const FIELD_CHARS_MAX = 2048;
const FIELDS_MAX = 64;
const OWN_KEYS: ReadonlySet<string> = new Set(['time', 'level', 'msg']);

export class JsonLog implements Log {
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #stream: LogStream;
  readonly #counter: Counter | undefined;
  #level: LogLevel;
  #dropped = 0;
  #droppedSince = 0;

  constructor({ clock, stream = process.stdout, level = 'INFO', dropped }: JsonLogOptions) {
    this.#clock = clock;
    this.#stream = stream;
    this.#level = level;
    this.#counter = dropped;
    stream.on('drain', () => this.#report());
    // A reader that went away must not end the process; what is logged from then on counts as dropped.
    stream.on('error', () => {});
  }

  get level(): LogLevel {
    return this.#level;
  }

  /** Takes effect with the next line. */
  set level(level: LogLevel) {
    this.#level = level;
  }

  /** Lines dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get debugEnabled(): boolean {
    return RANK[this.#level] <= RANK.DEBUG;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('DEBUG', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('INFO', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('WARNING', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('ERROR', message, fields);
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (RANK[level] < RANK[this.#level]) return;
    this.#report();
    if (this.#full()) {
      this.#dropped++;
      this.#droppedSince++;
      this.#counter?.add(1);
      return;
    }
    this.#write(level, message, fields);
  }

  #report(): void {
    if (this.#droppedSince === 0 || this.#full()) return;
    const count = this.#droppedSince;
    this.#droppedSince = 0;
    this.#write('WARNING', `${count} lines dropped`, { dropped: count });
  }

  #full(): boolean {
    return this.#stream.destroyed || this.#stream.writableLength > BACKLOG_BYTES_MAX;
  }

  #write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    const line: Record<string, unknown> = {
      time: new Date(this.#clock.wallMs()).toISOString(),
      level,
      msg: bounded(message, MESSAGE_CHARS_MAX),
    };
    let count = 0;
    for (const key in fields) {
      if (count++ === FIELDS_MAX) break;
      const value = fields[key];
      const name = OWN_KEYS.has(key) ? `${key}_` : key;
      if (value !== undefined)
        line[name] = typeof value === 'string' ? bounded(value, FIELD_CHARS_MAX) : value;
    }
    try {
      this.#stream.write(`${JSON.stringify(line)}\n`);
    } catch {
      this.#dropped++;
      this.#counter?.add(1);
    }
  }
}

function bounded(value: string, charsMax: number): string {
  return value.length <= charsMax ? value : `${value.slice(0, charsMax)}… (${value.length} characters)`;
}
