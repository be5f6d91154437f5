import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoopDelay } from '../../src/base/loop-delay.ts';
import { HandClock } from '../support/hand-clock.ts';
import { RecordedStats } from '../support/recorded-stats.ts';

describe('LoopDelay', () => {
  it('tells how late a timer is called, and that it is not late any more', () => {
    const clock = new HandClock();
    const stats = new RecordedStats();
    const delay = new LoopDelay(clock, stats.root.stat('delay'));
    clock.advance(50);
    assert.equal(delay.delayMs, 0);
    clock.jump(251);
    assert.equal(delay.delayMs, 200);
    clock.advance(50);
    assert.equal(delay.delayMs, 0);
    assert.deepEqual(stats.samples('delay'), [0, 200, 0]);
    delay.close();
    assert.equal(clock.pending, 0);
  });
});
