/** kubectl for tests: with an empty home, so that no kubeconfig of this machine is used. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Fields are checked by the server, and kustomize knows components. Debian 12 has 1.20. */
const MINOR_MIN = 27;

/** Why tests with kubectl are skipped; false when they are not. */
export const withoutKubectl: string | false = reason();

function reason(): string | false {
  const { error, stdout } = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  if (error !== undefined) return 'kubectl is not installed';
  const [version, minor] = /"gitVersion": "v1\.(\d+)[^"]*"/.exec(stdout) ?? [];
  if (minor === undefined) return 'kubectl does not tell its version';
  return Number(minor) < MINOR_MIN && `kubectl is older than 1.${MINOR_MIN}: ${version}`;
}

export class Kubectl {
  readonly #server: string;
  readonly #proxies: ChildProcess[] = [];
  readonly #home = mkdtempSync(join(tmpdir(), 'turnout-kubectl-'));

  constructor(server: string) {
    this.#server = server;
  }

  /** What it prints; an Error with what it says if it fails or warns. */
  run(words: readonly string[], input = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const { env, given } = this.#environment();
      const child = execFile('kubectl', [...given, ...words], { env }, (error, stdout, stderr) =>
        error === null && stderr === '' ? resolve(stdout) : reject(new Error(stderr)),
      );
      child.stdin?.end(input);
    });
  }

  /** `kubectl proxy`; answers its port on 127.0.0.1. */
  proxy(): Promise<number> {
    const { env, given } = this.#environment();
    const child = spawn('kubectl', [...given, 'proxy', '--port=0'], { env });
    this.#proxies.push(child);
    return new Promise((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (chunk) => {
        said += chunk;
        const port = /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
      child.on('close', () => reject(new Error(`kubectl proxy has ended: ${said}`)));
    });
  }

  #environment() {
    const env = { PATH: process.env['PATH'], HOME: this.#home };
    return { env, given: ['-s', this.#server] };
  }

  close(): void {
    for (const proxy of this.#proxies) proxy.kill();
    rmSync(this.#home, { recursive: true });
  }
}
