import { performance } from 'node:perf_hooks';
import type { Closable } from './closable.ts';

/** Time is injected. `nowMs` never goes back (deadlines, latencies); `wallMs` is the date (logs, headers). */
export interface Clock {
  nowMs(): number;
  wallMs(): number;
  /** Runs `callback` once, `delayMs` or a little more from now; closing the result prevents it. */
  after(delayMs: number, callback: () => void): Closable;
}

/** The machine's clock. Its timers do not keep the process alive: sockets do. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { close: () => clearTimeout(timer) };
  },
};
