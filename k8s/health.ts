/**
 * Whether the API server answers at all. When a watch has reason to doubt it, one small question (`/version`,
 * which everybody may ask) is repeated until it is answered; then all watches are told, so that each can wait
 * long between its own attempts and all are back soon after the server is.
 */
import type { Clock } from '../src/base/clock.ts';
import { type Closable, nothingToClose } from '../src/base/closable.ts';
import type { Log } from '../src/base/log.ts';
import type { Rng } from '../src/base/rng.ts';
import { KubeFailure } from './api.ts';
import { around, type Timing } from './timing.ts';
import type { KubeTransport } from './transport.ts';

export type HealthDeps = {
  readonly transport: KubeTransport;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly timing: Timing;
  /** For the log. */
  readonly server: string;
};

export interface HealthListener {
  /** The server answers again. */
  serverIsBack(): void;
  /** Another watch was found dead. */
  doubted(): void;
}

export class ApiHealth implements Closable {
  readonly #deps: HealthDeps;
  readonly #listeners = new Set<HealthListener>();
  readonly #stop = new AbortController();
  #timer: Closable = nothingToClose;
  #probing = false;
  /** Since when no probe has been answered. */
  #downMs: number | undefined;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
  }

  /** For each watch. */
  listen(listener: HealthListener): Closable {
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }

  get watches(): number {
    return this.#listeners.size;
  }

  /** A watch has been silent to its end and beyond: others may be as dead. */
  silent(): void {
    for (const listener of [...this.#listeners]) listener.doubted();
  }

  /** Looks whether the server answers. */
  suspect(): void {
    if (this.#probing || this.#stop.signal.aborted) return;
    this.#probing = true;
    this.#again();
  }

  /** Some question has been answered well. */
  answered(): void {
    if (this.#downMs !== undefined) this.#up();
  }

  close(): void {
    this.#stop.abort();
    this.#timer.close();
    this.#listeners.clear();
  }

  #again(): void {
    const { clock, rng, timing } = this.#deps;
    this.#timer = clock.after(around(timing.probeMs, 0.25, rng), () => void this.#probe());
  }

  async #probe(): Promise<void> {
    if (this.#listeners.size === 0) {
      // Nobody watches any more.
      this.#probing = false;
      this.#downMs = undefined;
      return;
    }
    const { transport, timing, clock, log, server } = this.#deps;
    const answer = await transport.get('/version', {
      signal: this.#stop.signal,
      headLimitMs: timing.probeLimitMs,
    });
    if (this.#stop.signal.aborted || !this.#probing) return;
    let problem: string | undefined;
    if (answer instanceof KubeFailure) {
      problem = answer.message;
    } else {
      answer.body.on('error', () => {}).resume();
      const { status } = answer;
      if (status >= 500 || status === 401 || status === 429) problem = `it answers ${status} to /version`;
    }
    if (problem === undefined) {
      if (this.#downMs === undefined) this.#probing = false;
      else this.#up();
      return;
    }
    if (this.#downMs === undefined) {
      this.#downMs = clock.nowMs();
      log.warn('the Kubernetes API does not answer; what is known of it is kept', { server, problem });
    }
    this.#again();
  }

  #up(): void {
    const { clock, log, server } = this.#deps;
    const seconds = Math.round((clock.nowMs() - (this.#downMs ?? clock.nowMs())) / 1000);
    log.info('the Kubernetes API answers again', { server, seconds });
    this.#downMs = undefined;
    this.#probing = false;
    this.#timer.close();
    for (const listener of [...this.#listeners]) listener.serverIsBack();
  }
}
