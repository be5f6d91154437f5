/** Runs the built program (npm run build) as a user does: a process of its own, with its output collected. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export type Program = {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves when the output holds a text; rejects when the program ends before that. */
  says(text: string): Promise<void>;
  /** The exit code, or the signal that ended it. */
  ended(): Promise<number | string>;
};

export function startProgram(
  words: readonly string[],
  options: { env?: object; nodeOptions?: string[]; descriptors?: number } = {},
): Program {
  const node = [process.execPath, ...(options.nodeOptions ?? []), entry, ...words];
  const limit = options.descriptors;
  const [file, ...rest] =
    limit === undefined ? node : ['/bin/sh', '-c', `ulimit -n ${limit}; exec "$0" "$@"`, ...node];
  const child = spawn(file ?? '', rest, {
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  // A program that ends without reading its input is not an error of the test.
  child.stdin.on('error', () => {});
  const closed = once(child, 'close').then(
    ([code, signal]: unknown[]) => (code ?? signal) as number | string,
  );
  return {
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output.stdout.includes(text)) resolve();
        };
        child.stdout.on('data', look);
        look();
        closed.then((code) => reject(new Error(`ended with ${code}: ${output.stdout}${output.stderr}`)));
      }),
    ended: () => closed,
  };
}

export async function runProgram(
  words: readonly string[],
  input = '',
): Promise<{ code: number | string } & Output> {
  const program = startProgram(words);
  program.child.stdin?.end(input);
  const code = await program.ended();
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

export type Output = { readonly stdout: string; readonly stderr: string };

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
