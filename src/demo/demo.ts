/**
 * `turnout demo`: everything that is needed to see a call routed by name over TLS. It makes certificates and
 * a configuration in a temporary folder, starts applications, and runs the linker as `turnout run` would: the
 * configuration is watched. However it ends, it leaves nothing behind.
 */
import { loadConfig } from '../../config/load.ts';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Terminal } from '../command.ts';
import { reloadable } from '../reloadable.ts';
import { Signals } from '../signals.ts';
import { start } from '../start.ts';
import { Application, type ApplicationEvents, type ApplicationSpec } from './applications.ts';
import { generationText, guide } from './guide.ts';
import type { DemoPorts } from './ports.ts';
import { takenPorts } from './ports.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

const GRACE_MS = 2000;

/** Runs until a signal; the answer is the exit code. */
export async function runDemo(ports: DemoPorts, terminal: Terminal, log: Log): Promise<number> {
  const taken = await takenPorts(ports);
  if (taken.length > 0) {
    terminal.stderr.write(`${taken.join('\n')}\n`);
    return 1;
  }
  const signals = new Signals(['SIGINT', 'SIGTERM', 'SIGHUP'], systemClock);
  const specs: readonly ApplicationSpec[] = [
    { name: 'hello', words: ['hello', String(ports.outgoing)] },
    { name: 'world', words: ['world', 'world!'] },
    { name: 'world-v2', words: ['world', 'world v2!'] },
  ];
  const applications: Application[] = [];
  try {
    const services = specs.map(({ name }) => name);
    const workspace = await makeWorkspace(ports, services);
    try {
      const events = tellOf(workspace, terminal);
      for (const spec of specs) applications.push(await Application.start(spec, events));
      return await route(workspace, ports, signals, terminal, log);
    } finally {
      for (const application of applications) application.close();
      workspace.close();
    }
  } finally {
    signals.close();
  }
}

async function route(
  workspace: Workspace,
  ports: DemoPorts,
  signals: Signals,
  { stdout, stderr }: Terminal,
  log: Log,
): Promise<number> {
  const { config: text, configFile: source } = workspace;
  const started = await start(loadConfig(text, { source }), { threads: 1, log });
  if (!started.ok) {
    stderr.write(`${started.errors.join('\n')}\n`);
    return 1;
  }
  const { linker } = started;
  const reloading = reloadable(linker, { text, source }, log, (...tried) =>
    stdout.write(generationText(...tried)),
  );
  stdout.write(guide(ports, workspace, stdout.isTTY === true));
  await Promise.race([signals.first, linker.stopped]);
  reloading.close();
  await linker.close(GRACE_MS);
  return 0;
}

/** What happens to the applications, for the files that name them and for whoever looks on. */
function tellOf(workspace: Workspace, { stdout }: Terminal): ApplicationEvents {
  const known = new Set<string>();
  return {
    started(name, pid, port) {
      workspace.serves(name, pid, port);
      if (known.has(name)) stdout.write(`${name} runs again, as process ${pid}\n`);
      known.add(name);
    },
    ended: (name, how) => stdout.write(`${name} ended (${how}); it will be started again\n`),
  };
}
