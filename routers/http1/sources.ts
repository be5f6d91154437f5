/**
 * The addresses that callers come from, for as long as they have connections. A source counts as active in
 * the second in which it asks for something and in the next one: so many share what there is.
 */
import type { CallerSide } from './caller-side.ts';

const WINDOW_MS = 1000;

export class Source {
  readonly address: string;
  /** Accepted and not closed, TLS handshakes included. */
  connections = 0;
  /** In progress. */
  requests = 0;
  /** The last window in which it asked for something. */
  window = -1;
  /** Its connections, in the order in which they may be asked to end. */
  readonly sides = new Set<CallerSide>();

  constructor(address: string) {
    this.address = address;
  }
}

export class Sources {
  readonly #byAddress = new Map<string, Source>();
  #window = -1;
  #active = 0;
  #activeBefore = 0;

  /** How many are known: those with connections, and those that had one within this window. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** At least 1. */
  get active(): number {
    return Math.max(this.#active, this.#activeBefore, 1);
  }

  at(address: string): Source {
    let source = this.#byAddress.get(address);
    if (source === undefined) {
      source = new Source(address);
      this.#byAddress.set(address, source);
    }
    return source;
  }

  /** It asks for something. */
  asks(source: Source, nowMs: number): void {
    const window = Math.floor(nowMs / WINDOW_MS);
    if (window !== this.#window) this.#turn(window);
    if (source.window === window) return;
    source.window = window;
    this.#active++;
  }

  /** One that has asked within this window is kept until the next, so that it is not counted twice. */
  forget(source: Source): void {
    if (source.connections === 0 && source.window !== this.#window) this.#byAddress.delete(source.address);
  }

  /** The one with the most connections. */
  greediest(): Source | undefined {
    let most: Source | undefined;
    for (const source of this.#byAddress.values()) {
      if (most === undefined || source.connections > most.connections) most = source;
    }
    return most;
  }

  #turn(window: number): void {
    this.#activeBefore = window === this.#window + 1 ? this.#active : 0;
    this.#active = 0;
    this.#window = window;
    for (const source of this.#byAddress.values()) this.forget(source);
  }
}
