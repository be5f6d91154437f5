/**
 * A log that holds its lines back until it is released: what the parts of the process say while they start
 * comes after the line that says what was started. Holds a bounded number of lines; then they go through.
 */
import type { Log, LogFields, LogLevel } from './base/log.ts';

const LINES_MAX = 1000;

type Level = 'debug' | 'info' | 'warn' | 'error';

export class HeldLog implements Log {
  readonly #log: Log;
  #held: (() => void)[] | undefined = [];

  constructor(log: Log) {
    this.#log = log;
  }

  get level(): LogLevel | undefined {
    return this.#log.level;
  }

  set level(level: LogLevel | undefined) {
    this.#log.level = level;
  }

  get debugEnabled(): boolean {
    return this.#log.debugEnabled;
  }

  debug(message: string, fields?: LogFields): void {
    this.#line('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#line('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#line('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#line('error', message, fields);
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const write of held) write();
  }

  #line(level: Level, message: string, fields: LogFields | undefined): void {
    const write = (): void => this.#log[level](message, fields);
    if (this.#held === undefined) write();
    else {
      this.#held.push(write);
      if (this.#held.length > LINES_MAX) this.release();
    }
  }
}
