import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Loans } from '../../src/base/loans.ts';

describe('A lent buffer', () => {
  it('is lent again when all who keep it have let go, and not before', () => {
    const loans = new Loans(64, 2);
    const first = loans.lend(10);
    assert.equal(first.buffer.length, 64);
    first.keep();
    first.release();
    assert.notEqual(loans.lend(10), first);
    first.release();
    assert.equal(loans.lend(64), first);
  });

  it('of an odd size, or one too many, is left to the collector', () => {
    const loans = new Loans(64, 1);
    const long = loans.lend(65);
    assert.equal(long.buffer.length, 65);
    long.release();
    const [first, second] = [loans.lend(1), loans.lend(1)];
    first.release();
    second.release();
    assert.equal(loans.lend(1), first);
    assert.ok(![long, first, second].includes(loans.lend(1)));
  });

  it('is not let go more often than it was kept', () => {
    const lent = new Loans(64, 1).lend(1);
    lent.release();
    assert.throws(() => lent.release(), /released as often as they are kept/);
  });
});
