/**
 * The signals that ask the process to end. The first one starts the graceful end; a later one ends the
 * process at once, because whoever sends it has waited long enough. A quick repetition is the same wish: at
 * Ctrl-C the terminal signals the whole group, and npm passes its signal on to the program that has already
 * got one; `timeout` signals the program and then its group.
 */
import type { Clock } from './base/clock.ts';
import type { Closable } from './base/closable.ts';

const ENDING = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
export type EndingSignal = keyof typeof ENDING;

const SAME_WISH_MS = { SIGINT: 500, SIGTERM: 50, SIGHUP: 500 } as const;

export class Signals implements Closable {
  readonly first: Promise<EndingSignal>;
  readonly #listeners: (readonly [EndingSignal, () => void])[] = [];

  /** `exit` ends the process. */
  constructor(
    signals: readonly EndingSignal[],
    clock: Pick<Clock, 'nowMs'>,
    exit: (code: number) => void = process.exit,
  ) {
    let askedAtMs: number | undefined;
    this.first = new Promise((resolve) => {
      for (const signal of signals) {
        const listener = (): void => {
          if (askedAtMs === undefined) {
            askedAtMs = clock.nowMs();
            resolve(signal);
          } else if (clock.nowMs() - askedAtMs > SAME_WISH_MS[signal]) {
            exit(128 + ENDING[signal]);
          }
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
