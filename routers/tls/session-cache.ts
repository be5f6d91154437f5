/**
 * TLS sessions that connections to the same peer may resume: no certificates are sent or verified then, so a
 * session is kept only after the peer has been verified, for that name only, and no longer than its
 * certificate is valid, nor than ten minutes.
 */

/** After that the certificates are verified again. */
export const SESSION_MS_MAX = 600_000;
const SESSIONS_MAX = 1000;

export type KnownSession = {
  readonly session: Buffer;
  /** The date until which it may be offered. */
  readonly untilMs: number;
};

export class SessionCache {
  readonly #sessions = new Map<string, KnownSession>();

  get size(): number {
    return this.#sessions.size;
  }

  find(peer: string, wallMs: number): KnownSession | undefined {
    const known = this.#sessions.get(peer);
    if (known === undefined || wallMs < known.untilMs) return known;
    this.#sessions.delete(peer);
    return undefined;
  }

  /** The newest of a peer; beyond the bound the peer that was met longest ago is forgotten. */
  keep(peer: string, known: KnownSession): void {
    this.#sessions.delete(peer);
    this.#sessions.set(peer, known);
    if (this.#sessions.size <= SESSIONS_MAX) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      break;
    }
  }

  forget(peer: string): void {
    this.#sessions.delete(peer);
  }
}
