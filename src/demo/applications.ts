/** The applications of the demo, a process each; one that ends is started again, as an orchestrator would. */
import { type ChildProcess, fork } from 'node:child_process';
import { systemClock } from '../base/clock.ts';
import { type Closable, nothingToClose } from '../base/closable.ts';

const RESTART_MS = 1000;

export type ApplicationSpec = {
  readonly name: string;
  /** Its role and what that needs to know; see demo-application.ts. */
  readonly words: readonly string[];
};

export interface ApplicationEvents {
  started(name: string, pid: number, port: number): void;
  /** `how` is its exit code or the signal that ended it. It will be started again. */
  ended(name: string, how: string): void;
}

export class Application implements Closable {
  readonly #spec: ApplicationSpec;
  readonly #events: ApplicationEvents;
  #process: ChildProcess | undefined;
  #restart: Closable = nothingToClose;
  #closed = false;

  private constructor(spec: ApplicationSpec, events: ApplicationEvents) {
    this.#spec = spec;
    this.#events = events;
  }

  /** Resolves when it listens. */
  static async start(spec: ApplicationSpec, events: ApplicationEvents): Promise<Application> {
    const application = new Application(spec, events);
    try {
      await application.#start();
      return application;
    } catch (error) {
      application.close();
      throw error;
    }
  }

  /** Rejects when it ends before it listens. */
  #start(): Promise<void> {
    const { name, words } = this.#spec;
    return new Promise((resolve, reject) => {
      const child = fork(entryUrl(), words, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      this.#process = child;
      child.on('message', (port) => {
        this.#events.started(name, child.pid ?? 0, Number(port));
        resolve();
      });
      const onEnd = (how: string): void => {
        reject(new Error(`the application ${name} ended: ${how}`));
        if (this.#closed) return;
        this.#events.ended(name, how);
        this.#restart = systemClock.after(RESTART_MS, () => void this.#start().catch(() => {}));
      };
      child.on('error', (error) => onEnd(error.message));
      child.on('exit', (code, signal) => onEnd(String(signal ?? code)));
    });
  }

  close(): void {
    this.#closed = true;
    this.#restart.close();
    this.#process?.kill();
  }
}

/** Next to this file: its source, or what was built of it. */
function entryUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./demo-application.${extension}`, import.meta.url);
}
