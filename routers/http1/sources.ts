/**
 * The addresses that callers come from, for as long as they have connections. A source counts as active in
 * the second in which it asks for something and in the next one: so many share what there is. What a source
 * needs is the most that it has asked for at once in that time, up to its share.
 */
import { Source } from './caller-side.ts';

const WINDOW_MS = 1000;

export class Sources {
  readonly #byAddress = new Map<string, Source>();
  /** Places that they share. */
  #places = Number.POSITIVE_INFINITY;
  #needed = 0;
  #window = -1;
  #active = 0;
  #activeBefore = 0;

  /** How many are known: those with connections, and those that had one within this window. */
  get size(): number {
    return this.#byAddress.size;
  }

  set places(places: number) {
    this.#places = places;
    this.#count();
  }

  /** Of the places, for each source that is active. */
  get share(): number {
    return Math.ceil(this.#places / Math.max(this.#active, this.#activeBefore, 1));
  }

  /** What all other sources need. */
  neededBeside({ needed }: Source): number {
    return this.#needed - needed;
  }

  at(address: string): Source {
    let source = this.#byAddress.get(address);
    if (source === undefined) {
      source = new Source(address);
      this.#byAddress.set(address, source);
    }
    return source;
  }

  /** It asks for one more place. */
  asks(source: Source, nowMs: number): void {
    const window = Math.floor(nowMs / WINDOW_MS);
    if (window !== this.#window) this.#turn(window);
    if (source.window !== window) {
      source.window = window;
      this.#active++;
    }
    const own = ++source.requests;
    if (own > source.peak) source.peak = own;
    if (own <= source.needed || own > this.share) return;
    this.#needed += own - source.needed;
    source.needed = own;
  }

  /** One that has asked within this window is kept until the next, so that it is not counted twice. */
  forget(source: Source): void {
    if (source.connections > 0 || source.window === this.#window) return;
    this.#byAddress.delete(source.address);
    this.#needed -= source.needed;
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
    const next = window === this.#window + 1;
    this.#activeBefore = next ? this.#active : 0;
    this.#active = 0;
    this.#window = window;
    for (const source of this.#byAddress.values()) {
      source.peakBefore = next ? source.peak : 0;
      source.peak = source.requests;
      this.forget(source);
    }
    this.#count();
  }

  #count(): void {
    const { share } = this;
    this.#needed = 0;
    for (const source of this.#byAddress.values()) {
      source.needed = Math.min(Math.max(source.peak, source.peakBefore), share);
      this.#needed += source.needed;
    }
  }
}
