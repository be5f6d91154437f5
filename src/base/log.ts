/** Structured log: one JSON object a line. Fields are plain values; never secrets, never whole heads. */
export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL' | 'FATAL' | 'OFF';

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  /** What is written, from now on when it is set; undefined where there is no choice. */
  level?: LogLevel | undefined;
  /** Test before building fields that cost something. */
  readonly debugEnabled: boolean;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const silentLog: Log = { debugEnabled: false, debug() {}, info() {}, warn() {}, error() {} };
