/** Callers that ask as fast as they are answered, in a process of their own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Tally } from './callers-process.ts';

const script = fileURLToPath(new URL('callers-process.ts', import.meta.url));

export class Callers {
  readonly #child: ChildProcess;

  /** Half of them keep their connection, half open one for each request. */
  constructor(port: number, callers: number) {
    this.#child = fork(script, [String(port), String(callers)]);
  }

  /** Ends them when they have had so many answers, each half a quarter of them. */
  async until(requests: number): Promise<Tally> {
    this.#child.send({ requests });
    const [tally] = await once(this.#child, 'message');
    return tally as Tally;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
