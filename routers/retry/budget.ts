/**
 * How many requests may be sent again: a leaky bucket of tokens. Every request deposits 1000, every
 * repetition takes 1000 / percentCanRetry; a reserve allows `minRetriesPerSec` without any traffic. Deposits
 * and withdrawals alike are forgotten after the ttl, in ten slices. Time is passed in; nothing ticks by
 * itself.
 */
import type { BudgetSpec } from '../../config/spec.ts';
import type { Gauge } from '../../src/base/stats.ts';

const DEPOSIT = 1000;
const SLICES = 10;

export class RetryBudget {
  readonly #deposit: number;
  readonly #withdraw: number;
  readonly #reserve: number;
  readonly #sliceMs: number;
  readonly #slices = new Float64Array(SLICES);
  /** Sum of the slices. */
  #sum = 0;
  #slice = 0;
  #sliceEndMs: number;
  readonly #gauge: Gauge;

  /** `gauge` shows the balance, after each withdrawal and each slice. */
  constructor(spec: BudgetSpec, nowMs: number, gauge: Gauge) {
    const none = spec.percentCanRetry === 0;
    this.#deposit = none ? 0 : DEPOSIT;
    this.#withdraw = none ? 1 : Math.max(1, Math.trunc(DEPOSIT / spec.percentCanRetry));
    this.#reserve = ((spec.minRetriesPerSec * spec.ttlMs) / 1000) * this.#withdraw;
    this.#sliceMs = spec.ttlMs / SLICES;
    this.#sliceEndMs = nowMs + this.#sliceMs;
    this.#gauge = gauge;
    this.#show();
  }

  deposit(nowMs: number): void {
    if (nowMs >= this.#sliceEndMs) this.#expire(nowMs);
    this.#add(this.#deposit);
  }

  tryWithdraw(nowMs: number): boolean {
    if (nowMs >= this.#sliceEndMs) this.#expire(nowMs);
    if (this.#reserve + this.#sum < this.#withdraw) return false;
    this.#add(-this.#withdraw);
    this.#show();
    return true;
  }

  /** Repetitions that are possible now. */
  balance(nowMs: number): number {
    if (nowMs >= this.#sliceEndMs) this.#expire(nowMs);
    return this.#balance;
  }

  get #balance(): number {
    return Math.floor((this.#reserve + this.#sum) / this.#withdraw);
  }

  #show(): void {
    this.#gauge.set(this.#balance);
  }

  #add(amount: number): void {
    this.#slices[this.#slice] = (this.#slices[this.#slice] as number) + amount;
    this.#sum += amount;
  }

  #expire(nowMs: number): void {
    const passed = Math.floor((nowMs - this.#sliceEndMs) / this.#sliceMs) + 1;
    this.#sliceEndMs += passed * this.#sliceMs;
    for (let i = Math.min(passed, SLICES); i > 0; i--) {
      this.#slice = (this.#slice + 1) % SLICES;
      this.#sum -= this.#slices[this.#slice] as number;
      this.#slices[this.#slice] = 0;
    }
    this.#show();
  }
}
