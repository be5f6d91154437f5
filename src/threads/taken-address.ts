/**
 * Is an address of the plan taken? Threads that share a port listen with SO_REUSEPORT, and so would another
 * process of the same user that has this option: both would listen, each with a part of the connections. This
 * is asked before, without that option.
 */
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../base/failure.ts';
import type { DataPlan } from './data-plane.ts';

/** A listener that has just left the configuration, or a process that is ending, needs a moment. */
const TRIES = 10;
const TRY_AGAIN_MS = 50;

/** Why the first address that is taken cannot be had; a server with `reusePort: true` shares its own. */
export async function takenAddress({ routers }: DataPlan): Promise<Failure | undefined> {
  for (const { spec } of routers) {
    for (const { ip, port, socketOptions } of spec.servers) {
      if (port === 0 || socketOptions.reusePort) continue;
      if (await staysTaken(ip, port)) {
        return new Failure('connect', `cannot listen on ${ip}:${port}: another process listens there`, true);
      }
    }
  }
  return undefined;
}

async function staysTaken(ip: string, port: number): Promise<boolean> {
  for (let tries = 1; await isTaken(ip, port); tries++) {
    if (tries === TRIES) return true;
    await delay(TRY_AGAIN_MS);
  }
  return false;
}

/** Any other problem is told by those who listen. */
function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(false)));
  });
}
