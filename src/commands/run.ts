/** `turnout run CONFIG`: routes until a signal or `/admin/shutdown`. */
import { systemClock } from '../base/clock.ts';
import { command, exitCode, fileName, Mistake, type Option, wholeNumber } from '../command.ts';
import type { LinkerOptions } from '../linker.ts';
import { type ConfigText, readConfig } from '../read-config.ts';
import { serving } from '../serving.ts';
import { Signals } from '../signals.ts';

const THREADS_MAX = 256;

const threads: Option<number | 'auto'> = {
  value: 'N|auto',
  help: 'data threads: 0 is none (one event loop), auto is one a core (auto)',
  completes: ['auto', '0', '1', '2', '4'],
  read([given = 'auto'], name) {
    const value = given === 'auto' ? 'auto' : wholeNumber(given, 0, THREADS_MAX);
    if (value === undefined)
      throw new Mistake(`${name} takes auto or a number from 0 to ${THREADS_MAX}, not ${given}`);
    return value;
  },
};

export const runCommand = command({
  name: 'run',
  summary: 'route by CONFIG (YAML or JSON; - reads standard input)',
  operands: {
    synopsis: 'CONFIG',
    min: 1,
    max: 1,
    what: 'a configuration: a file, or - for standard input',
    completes: 'file',
  },
  options: {
    threads,
    kubeconfig: fileName('FILE', 'reach the Kubernetes API as this kubeconfig says'),
  },
  async run(options, [name = '-'], { stdin, stderr }) {
    // Before anything else: the first process of a container gets no signal that it does not listen to.
    const signals = new Signals(['SIGINT', 'SIGTERM'], systemClock);
    return serving('INFO', async (log) => {
      const config = await Promise.race([readConfig(name, stdin), signals.first]);
      if (typeof config === 'string') return exitCode.done;
      const errors = await route(config, signals, { ...options, log });
      for (const error of errors) stderr.write(`${error}\n`);
      return errors.length === 0 ? exitCode.done : exitCode.cannotRun;
    });
  },
});

/** Answers what stood in the way of a start; nothing when it has run. */
async function route(
  { text, source }: ConfigText,
  signals: Signals,
  options: LinkerOptions,
): Promise<readonly string[]> {
  const { log } = options;
  try {
    const [{ loadConfig }, { start }, { reloadable }] = await Promise.all([
      import('../../config/load.ts'),
      import('../start.ts'),
      import('../reloadable.ts'),
    ]);
    const started = await start(loadConfig(text, { source }), options);
    if (!started.ok) return started.errors;
    const { linker, spec } = started;
    const reloading = reloadable(linker, { text, source }, log);
    const onHangup = (): void => reloading.again('SIGHUP');
    process.on('SIGHUP', onHangup);
    const signal = await Promise.race([signals.first, linker.stopped]);
    process.removeListener('SIGHUP', onHangup);
    reloading.close();
    const { shutdownGraceMs: graceMs, drain } = spec.admin;
    if (signal !== undefined) log.info(`${signal}: stopping`, { graceMs, delayMs: drain.delayMs });
    await linker.close(graceMs);
    return [];
  } finally {
    signals.close();
  }
}
