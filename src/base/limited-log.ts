/**
 * A log for what broken or hostile peers can cause any number of times: of one key a line in ten seconds, and
 * of at most a hundred keys. The next line of a key says how many were left out.
 */
import type { Log, LogFields } from './log.ts';

const QUIET_MS = 10_000;
const KEYS_MAX = 100;

type Key = { quietUntilMs: number; leftOut: number };

export class LimitedLog {
  readonly #log: Log;
  readonly #clock: { nowMs(): number };
  readonly #keys = new Map<string, Key>();

  constructor(log: Log, clock: { nowMs(): number }) {
    this.#log = log;
    this.#clock = clock;
  }

  warn(key: string, message: string, fields: LogFields): void {
    const nowMs = this.#clock.nowMs();
    const known = this.#keys.get(key);
    if (known !== undefined && nowMs < known.quietUntilMs) {
      known.leftOut++;
      return;
    }
    if (known === undefined && !this.#room(nowMs)) return;
    this.#keys.set(key, { quietUntilMs: nowMs + QUIET_MS, leftOut: 0 });
    const leftOut = known?.leftOut ?? 0;
    this.#log.warn(message, leftOut === 0 ? fields : { ...fields, leftOut });
  }

  #room(nowMs: number): boolean {
    if (this.#keys.size < KEYS_MAX) return true;
    for (const [key, { quietUntilMs }] of this.#keys) if (nowMs >= quietUntilMs) this.#keys.delete(key);
    return this.#keys.size < KEYS_MAX;
  }
}
