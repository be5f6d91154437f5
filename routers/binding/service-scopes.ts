/**
 * Where services count, by name. Paths that differ in the overrides of their requests only have one name and
 * count together: what they counted goes when the last of them does.
 */
import type { Scope } from '../../src/base/stats.ts';

export class ServiceScopes {
  readonly #stats: Scope;
  readonly #users = new Map<string, number>();

  constructor(stats: Scope) {
    this.#stats = stats;
  }

  /** `name` is a printed path. Each take has its release. */
  take(name: string): Scope {
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    return this.#scope(name);
  }

  release(name: string): void {
    const left = (this.#users.get(name) ?? 0) - 1;
    if (left > 0) {
      this.#users.set(name, left);
      return;
    }
    this.#users.delete(name);
    this.#scope(name).prune();
  }

  #scope(name: string): Scope {
    return this.#stats.scope('service', name.slice(1));
  }
}
