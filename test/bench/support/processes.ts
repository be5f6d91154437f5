/** Starts programs on one core, knows when they answer, and ends them by their process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism } from 'node:os';

export type Running = { readonly pid: number; end(): Promise<void> };

/** The proxy under test has a core of its own; load and backend share the other. */
export type Role = 'proxy' | 'load';

const START_TIMEOUT_MS = 10_000;
const END_TIMEOUT_MS = 5000;
const LOG_CHARS_MAX = 4000;

/** The command as it runs on the core of its role; where there is one core only, it is shared. */
export function pinned(role: Role, command: string, words: readonly string[]): [string, string[]] {
  if (availableParallelism() < 2) return [command, [...words]];
  return ['taskset', ['-c', role === 'proxy' ? '0' : '1', command, ...words]];
}

export async function startProgram(
  role: Role,
  command: string,
  words: readonly string[],
  readyUrl: string,
): Promise<Running> {
  const [program, all] = pinned(role, command, words);
  const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  // Of an access log there is much: reading it should take little of the core that the load is on.
  const listen = (chunk: Buffer): void => {
    said = (said + chunk.subarray(-LOG_CHARS_MAX).toString()).slice(-LOG_CHARS_MAX);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  child.on('error', (error) => listen(Buffer.from(error.message)));
  const running = { pid: child.pid ?? -1, end: () => endProcess(child) };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(readyUrl))) {
    if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
      await running.end();
      throw new Error(`${command} did not start: ${said.trim()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return running;
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const send = url.startsWith('https:') ? requestTls : request;
    const probe = send(
      url,
      { headers: { host: 'web' }, rejectUnauthorized: false, timeout: 1000 },
      (response) => {
        response.resume();
        response.on('error', () => resolve(false));
        response.on('end', () => resolve(response.statusCode === 200));
      },
    );
    probe.on('timeout', () => probe.destroy());
    probe.on('error', () => resolve(false));
    probe.end();
  });
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
