/** An endpoint in a process of its own, which can be killed, stopped and started again on its port. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromUpstream, ToUpstream } from './messages.ts';

const script = fileURLToPath(new URL('upstream-process.ts', import.meta.url));

export class Upstream {
  readonly name: string;
  readonly #posts: Map<string, number>;
  port = 0;
  #child: ChildProcess | undefined;
  #told: ToUpstream | undefined;

  /** `posts` counts how often each POST has arrived anywhere. */
  constructor(name: string, posts: Map<string, number>) {
    this.name = name;
    this.#posts = posts;
  }

  async start(): Promise<void> {
    const child = fork(script, [this.name, String(this.port)]);
    this.#child = child;
    await new Promise<void>((resolve) => {
      child.on('message', (message: FromUpstream) => {
        if ('post' in message) this.#posts.set(message.post, (this.#posts.get(message.post) ?? 0) + 1);
        else {
          this.port = message.port;
          resolve();
        }
      });
    });
    if (this.#told !== undefined) child.send(this.#told);
  }

  tell(message: ToUpstream): void {
    this.#told = message;
    this.#child?.send(message);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
