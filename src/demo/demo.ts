/**
 * `turnout demo`: everything that is needed to see a call routed by name over TLS, in one process. It starts
 * applications, makes certificates and a configuration in a temporary folder, and runs the linker on it as
 * `turnout run` would. However it ends, it leaves nothing behind.
 */
import { loadConfig } from '../../config/load.ts';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Terminal } from '../command.ts';
import { Signals } from '../signals.ts';
import { start } from '../start.ts';
import { type Application, startHello, startWorld } from './applications.ts';
import { guide } from './guide.ts';
import type { DemoPorts } from './ports.ts';
import { takenPorts } from './ports.ts';
import { makeWorkspace } from './workspace.ts';

const GRACE_MS = 2000;

/** Runs until a signal; the answer is the exit code. */
export async function runDemo(ports: DemoPorts, terminal: Terminal, log: Log): Promise<number> {
  const taken = await takenPorts(ports);
  if (taken.length > 0) {
    terminal.stderr.write(`${taken.join('\n')}\n`);
    return 1;
  }
  const signals = new Signals(['SIGINT', 'SIGTERM', 'SIGHUP'], systemClock);
  const applications: Application[] = [];
  try {
    applications.push(await startHello(ports.outgoing));
    applications.push(await startWorld('world', 'world!\n'));
    applications.push(await startWorld('world-v2', 'world v2!\n'));
    const workspace = await makeWorkspace(ports, applications);
    try {
      const loaded = loadConfig(workspace.config, { source: workspace.configFile });
      const started = await start(loaded, { threads: 1, log });
      if (!started.ok) {
        terminal.stderr.write(`${started.errors.join('\n')}\n`);
        return 1;
      }
      terminal.stdout.write(guide(ports, workspace.folder, terminal.stdout.isTTY === true));
      await Promise.race([signals.first, started.linker.stopped]);
      await started.linker.close(GRACE_MS);
      return 0;
    } finally {
      workspace.close();
    }
  } finally {
    await Promise.all(applications.map((application) => application.close()));
    signals.close();
  }
}
