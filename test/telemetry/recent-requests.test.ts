import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecentRequests } from '../../src/telemetry/recent-requests.ts';

const lines = (...targets: readonly string[]): Buffer =>
  Buffer.from(targets.map((target) => `${JSON.stringify({ target })}\n`).join(''));

describe('RecentRequests', () => {
  it('keeps the last so many, the newest first, however they came', () => {
    const recent = new RecentRequests(3);
    const kept = (): string[] => recent.list().map(({ target }) => target);
    assert.deepEqual(kept(), []);
    recent.take(lines('a', 'b'), 2);
    assert.deepEqual(kept(), ['b', 'a']);
    recent.take(lines('c', 'd'), 2);
    assert.deepEqual(kept(), ['d', 'c', 'b']);
    recent.take(lines('e'), 1);
    assert.deepEqual(kept(), ['e', 'd', 'c']);
    recent.take(lines('f', 'g', 'h', 'i'), 4);
    assert.deepEqual(kept(), ['i', 'h', 'g']);
  });
});
