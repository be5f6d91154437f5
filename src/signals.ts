/**
 * The signals that ask the process to end. The first one starts the graceful end; a second one ends the process at
 * once, because whoever sends it has waited long enough.
 */
import type { Closable } from './base/closable.ts';

const ENDING = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
export type EndingSignal = keyof typeof ENDING;

export class Signals implements Closable {
  readonly first: Promise<EndingSignal>;
  readonly #listeners: (readonly [EndingSignal, () => void])[] = [];

  constructor(signals: readonly EndingSignal[]) {
    let asked = false;
    this.first = new Promise((resolve) => {
      for (const signal of signals) {
        const listener = (): void => {
          if (asked) process.exit(128 + ENDING[signal]);
          asked = true;
          resolve(signal);
        };
        process.on(signal, listener);
        this.#listeners.push([signal, listener]);
      }
    });
  }

  close(): void {
    for (const [signal, listener] of this.#listeners.splice(0)) process.removeListener(signal, listener);
  }
}
