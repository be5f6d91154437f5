/** Idle keep-alive connections, held open by a process of their own on the core of the load. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pinned } from './processes.ts';

export type IdleConnections = { end(): Promise<void> };

export async function holdIdle(port: number, count: number): Promise<IdleConnections> {
  const script = fileURLToPath(new URL('idle-connections-process.ts', import.meta.url));
  const [command, words] = pinned('load', process.execPath, [script, String(port), String(count)]);
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const said = await Promise.race([once(child.stdout, 'data').then(String), ended.then(() => 'the end')]);
  if (said.trim() !== 'ready') {
    await end();
    throw new Error(`idle connections: expected ready, got ${said.trim()}`);
  }
  return { end };
}
