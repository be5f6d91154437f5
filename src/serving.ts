/**
 * Runs something that opens sockets and threads, with a log on standard output. A bug that nobody caught is
 * logged and ends the process, because its state is not known any more.
 */
import { systemClock } from './base/clock.ts';
import type { Log, LogLevel } from './base/log.ts';
import { exitCode } from './command.ts';
import { JsonLog } from './json-log.ts';

/** How long after the end something that was left open may keep the process alive. */
const LINGER_MS = 1000;

export async function serving(level: LogLevel, serve: (log: Log) => Promise<number>): Promise<number> {
  const log = new JsonLog({ clock: systemClock, level });
  process.on('uncaughtException', (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error('a bug that nobody caught; ending', { error: text });
    process.exit(exitCode.bug);
  });
  const code = await serve(log);
  // The event loop ends by itself when everything is closed; this is for what is not.
  setTimeout(() => process.exit(code), LINGER_MS).unref();
  return code;
}
