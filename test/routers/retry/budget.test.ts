import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RetryBudget } from '../../../routers/retry/budget.ts';

const defaults = { ttlMs: 10_000, minRetriesPerSec: 10, percentCanRetry: 0.2 };

const gauge = {
  value: 0,
  set(value: number) {
    gauge.value = value;
  },
  add() {},
};

function drain(budget: RetryBudget, nowMs: number): number {
  let taken = 0;
  while (taken < 10_000 && budget.tryWithdraw(nowMs)) taken++;
  return taken;
}

describe('RetryBudget', () => {
  it('allows the reserve of a whole ttl without any traffic', () => {
    const budget = new RetryBudget(defaults, 0, gauge);
    assert.equal(budget.balance(0), 100);
    assert.equal(drain(budget, 0), 100);
    assert.equal(budget.balance(0), 0);
    assert.equal(gauge.value, 0);
  });

  it('allows the given share of requests on top of the reserve', () => {
    const budget = new RetryBudget(defaults, 0, gauge);
    for (let i = 0; i < 50; i++) budget.deposit(0);
    assert.equal(drain(budget, 0), 110);
  });

  it('forgets deposits after the ttl', () => {
    const budget = new RetryBudget(defaults, 0, gauge);
    for (let i = 0; i < 50; i++) budget.deposit(0);
    assert.equal(budget.balance(9_999), 110);
    assert.equal(budget.balance(10_000), 100);
  });

  it('forgets withdrawals after the ttl', () => {
    const budget = new RetryBudget(defaults, 0, gauge);
    drain(budget, 0);
    assert.equal(budget.tryWithdraw(9_999), false);
    assert.equal(budget.balance(10_000), 100);
  });

  it('expires slice by slice', () => {
    const budget = new RetryBudget({ ...defaults, minRetriesPerSec: 0 }, 0, gauge);
    for (let second = 0; second < 10; second++) for (let i = 0; i < 5; i++) budget.deposit(second * 1000);
    assert.equal(budget.balance(9_999), 10);
    assert.equal(budget.balance(10_000), 9);
    assert.equal(budget.balance(14_500), 5);
    assert.equal(budget.balance(60_000), 0);
  });

  it('never allows a retry when both keys are zero', () => {
    const budget = new RetryBudget({ ttlMs: 10_000, minRetriesPerSec: 0, percentCanRetry: 0 }, 0, gauge);
    for (let i = 0; i < 1000; i++) budget.deposit(0);
    assert.equal(budget.tryWithdraw(0), false);
  });

  it('has only the reserve when no share is allowed', () => {
    const budget = new RetryBudget({ ttlMs: 10_000, minRetriesPerSec: 1, percentCanRetry: 0 }, 0, gauge);
    for (let i = 0; i < 1000; i++) budget.deposit(0);
    assert.equal(drain(budget, 0), 10);
  });

  it('allows many retries a request when the share is above one', () => {
    const budget = new RetryBudget({ ttlMs: 10_000, minRetriesPerSec: 0, percentCanRetry: 4 }, 0, gauge);
    budget.deposit(0);
    assert.equal(drain(budget, 0), 4);
  });
});
