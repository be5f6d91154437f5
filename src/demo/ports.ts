/**
 * Is a port free? Asked before anything is written or started, so that the answer can name the option to use.
 */
import { createServer } from 'node:net';

export type DemoPorts = { readonly outgoing: number; readonly incoming: number; readonly admin: number };

/** One line a port that cannot be had. */
export async function takenPorts(ports: DemoPorts): Promise<string[]> {
  const roles = ['outgoing', 'incoming', 'admin'] as const;
  const answers = await Promise.all(roles.map((role) => whyTaken(ports[role])));
  return roles.flatMap((role, i) => {
    const why = answers[i];
    return why === undefined
      ? []
      : [`turnout: port ${ports[role]} (${role}) ${why}; choose another with --${role}-port`];
  });
}

function whyTaken(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('is taken');
      else if (error.code === 'EACCES') resolve('needs privileges');
      else resolve(`cannot be used (${error.message})`);
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}
