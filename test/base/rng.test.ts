import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mathRng } from '../../src/base/rng.ts';

describe('mathRng', () => {
  it('draws every value equally often, and none outside', () => {
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) {
      const drawn = mathRng.below(7);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    assert.equal(counts.length, 7);
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 700, counts.join());
    for (let i = 0; i < 1000; i++) {
      const drawn = mathRng.next();
      assert.ok(drawn >= 0 && drawn < 1);
    }
    assert.equal(mathRng.below(1), 0);
  });

  it('does not repeat itself in what ids are made of', () => {
    const pairs = new Set<string>();
    for (let i = 0; i < 100_000; i++) pairs.add(`${mathRng.below(2 ** 32)} ${mathRng.below(2 ** 32)}`);
    assert.equal(pairs.size, 100_000);
  });
});
