/**
 * The program: a command line in, an exit code out. Results and the log go to standard output, mistakes to
 * standard error. What runs routers is imported only when it is needed, so that the rest answers at once. A
 * bug that nobody caught is logged and ends the process, because its state is not known any more.
 */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { loadConfig } from '../config/load.ts';
import { systemClock } from './base/clock.ts';
import type { Log, LogLevel } from './base/log.ts';
import { parseCommandLine, type Threads, usage } from './command-line.ts';
import { JsonLog } from './json-log.ts';
import { Signals } from './signals.ts';
import { validateText } from './validate.ts';
import { version } from './version.ts';

const DONE = 0;
const CANNOT_RUN = 1;
const BAD_USAGE = 2;
const BUG = 70;

/** How long after the end something that was left open may keep the process alive. */
const LINGER_MS = 1000;
/** Somewhat more than a configuration may hold, so that the loader sees that it is too long and says so. */
const CONFIG_BYTES_MAX = 16 * 1024 * 1024;

type Config = { readonly text: string; readonly source: string };

export async function cli(words: readonly string[]): Promise<number> {
  const command = parseCommandLine(words);
  switch (command.name) {
    case 'help':
      process.stdout.write(usage);
      return DONE;
    case 'version':
      process.stdout.write(`turnout ${version()}\n`);
      return DONE;
    case 'mistake':
      process.stderr.write(`${command.message}\n`);
      return BAD_USAGE;
    case 'validate':
      return withConfig(command.config, validate);
    case 'run':
      return serving('INFO', (log) =>
        withConfig(command.config, (config) => run(config, command.threads, log)),
      );
    case 'demo':
      // Its output is for people: the log has only what needs attention.
      return serving('WARNING', async (log) => {
        const { runDemo } = await import('./demo/demo.ts');
        return runDemo(command.ports, process, log);
      });
  }
}

async function run({ text, source }: Config, threads: Threads, log: Log): Promise<number> {
  const signals = new Signals(['SIGINT', 'SIGTERM'], systemClock);
  try {
    const { start } = await import('./start.ts');
    const started = await start(loadConfig(text, { source }), { threads, log });
    if (!started.ok) return report(started.errors);
    const { linker, spec } = started;
    const signal = await Promise.race([signals.first, linker.stopped]);
    if (signal !== undefined) log.info(`${signal}: stopping`, { graceMs: spec.admin.shutdownGraceMs });
    await linker.close(spec.admin.shutdownGraceMs);
    return DONE;
  } finally {
    signals.close();
  }
}

function validate({ text, source }: Config): number {
  const errors = validateText(text, source);
  if (errors.length > 0) return report(errors);
  process.stdout.write('ok\n');
  return DONE;
}

function report(errors: readonly string[]): number {
  process.stderr.write(`${errors.join('\n')}\n`);
  return CANNOT_RUN;
}

/** `name` is a file (or a pipe, as a shell's `<(...)` makes), or `-` for standard input. */
async function withConfig(name: string, use: (config: Config) => number | Promise<number>): Promise<number> {
  const source = name === '-' ? '<stdin>' : name;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let text: string;
  try {
    for await (const chunk of name === '-' ? process.stdin : createReadStream(name)) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > CONFIG_BYTES_MAX) throw new Error('it is too long for a configuration');
    }
    const content = Buffer.concat(chunks);
    if (!isUtf8(content)) throw new Error('it is not UTF-8 text');
    text = content.toString().replace(/^\uFEFF/, '');
  } catch (error) {
    return report([`turnout: cannot read ${source}: ${problem(error)}`]);
  }
  return use({ text, source });
}

function problem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  return code === 'EISDIR' ? 'it is a directory' : message;
}

/** Runs something that opens sockets and threads, with a log. */
async function serving(level: LogLevel, serve: (log: Log) => Promise<number>): Promise<number> {
  const log = new JsonLog({ clock: systemClock, level });
  process.on('uncaughtException', (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error('a bug that nobody caught; ending', { error: text });
    process.exit(BUG);
  });
  const code = await serve(log);
  // The event loop ends by itself when everything is closed; this is for what is not.
  setTimeout(() => process.exit(code), LINGER_MS).unref();
  return code;
}
