import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BUCKETS, BucketSum, bucketLow, bucketOf, bucketWidth } from '../../src/telemetry/histogram.ts';

const whole = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 5000 }));

describe('histogram buckets', () => {
  it('hold every value between their edges, with a width of at most 1/32 of it', () => {
    fc.assert(
      fc.property(whole, (value) => {
        const bucket = bucketOf(value);
        const low = bucketLow(bucket);
        assert.ok(low <= value && value < low + bucketWidth(bucket));
        assert.ok(bucketWidth(bucket) === 1 || bucketWidth(bucket) <= value / 32);
      }),
    );
  });

  it('are contiguous from 0 to 2^32', () => {
    for (let bucket = 0; bucket + 1 < BUCKETS; bucket++) {
      assert.equal(bucketLow(bucket) + bucketWidth(bucket), bucketLow(bucket + 1));
      assert.equal(bucketOf(bucketLow(bucket)), bucket);
    }
    assert.equal(bucketLow(BUCKETS - 1) + bucketWidth(BUCKETS - 1), 2 ** 32);
    assert.equal(bucketOf(2 ** 50), BUCKETS - 1);
  });

  it('answer percentiles within 1.6 % of the sorted values', () => {
    const sum = new BucketSum();
    fc.assert(
      fc.property(fc.array(whole, { minLength: 1, maxLength: 300 }), (values) => {
        sum.clear();
        let total = 0;
        for (const value of values) {
          sum.add(bucketOf(value), 1);
          total += value;
        }
        const sorted = values.toSorted((a, b) => a - b);
        sum.addTotals(total, sorted[0] as number, sorted.at(-1) as number);
        const summary = sum.summary();
        assert.equal(summary.count, values.length);
        assert.equal(summary.sum, total);
        assert.equal(summary.min, sorted[0]);
        assert.equal(summary.max, sorted.at(-1));
        for (const [rank, got] of [
          [0.5, summary.p50],
          [0.9, summary.p90],
          [0.999, summary.p9990],
        ] as const) {
          const exact = sorted[Math.ceil(rank * sorted.length) - 1] as number;
          assert.ok(Math.abs(got - exact) <= exact / 64 + 1, `${rank}: ${got} for ${exact}`);
        }
      }),
    );
  });

  it('are empty after clearing', () => {
    const sum = new BucketSum();
    sum.add(bucketOf(12_345), 3);
    sum.addTotals(1, 1, 1);
    sum.clear();
    assert.equal(sum.summary().count, 0);
    sum.add(bucketOf(7), 1);
    sum.addTotals(7, 7, 7);
    assert.deepEqual([sum.summary().p50, sum.summary().max], [7, 7]);
  });
});
