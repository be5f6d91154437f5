import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextBackoffMs, noBackoff } from '../../../routers/retry/backoff.ts';
import { seededRng } from '../../../src/base/rng.ts';

describe('nextBackoffMs', () => {
  it('does not wait by default', () => {
    assert.equal(nextBackoffMs(noBackoff, undefined, seededRng(1)), 0);
  });

  it('always waits the same time when constant', () => {
    const spec = { kind: 'constant', ms: 25 } as const;
    assert.equal(nextBackoffMs(spec, undefined, seededRng(1)), 25);
    assert.equal(nextBackoffMs(spec, 25, seededRng(1)), 25);
  });

  it('waits the minimum first when jittered', () => {
    assert.equal(nextBackoffMs({ kind: 'jittered', minMs: 10, maxMs: 2000 }, undefined, seededRng(1)), 10);
  });

  it('draws between the minimum and three times the last wait, up to the maximum', () => {
    const spec = { kind: 'jittered', minMs: 10, maxMs: 2000 } as const;
    const rng = seededRng(42);
    let previous: number | undefined;
    let reachedMax = false;
    for (let i = 0; i < 500; i++) {
      const next = nextBackoffMs(spec, previous, rng);
      assert.ok(next >= 10 && next <= Math.min(2000, Math.max(10, (previous ?? 10) * 3)), `wait ${next}`);
      reachedMax ||= next === 2000;
      previous = next;
    }
    assert.ok(reachedMax);
  });
});
