/** When an endpoint is taken for dead, and how it comes back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccrualSpec } from '../../../config/spec.ts';
import {
  makeAccrualPolicy,
  SuccessRate,
  WindowedSuccessRate,
} from '../../../routers/client/accrual-policy.ts';
import { AccrualStats, FailureAccrual } from '../../../routers/client/failure-accrual.ts';
import { equalJitteredMs } from '../../../routers/retry/backoff.ts';
import { seededRng } from '../../../src/base/rng.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { RecordedStats } from '../../support/recorded-stats.ts';

class AccrualRig {
  readonly clock = new HandClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly stats = new RecordedStats();
  readonly accrual: FailureAccrual;
  changes = 0;

  constructor(spec: AccrualSpec) {
    const stats = new AccrualStats(this.stats.root);
    const deps = { wheel: this.wheel, rng: seededRng(1), stats, backoff: spec.backoff };
    const policy = makeAccrualPolicy(spec, this.clock.nowMs())!;
    this.accrual = new FailureAccrual(policy, deps, () => this.changes++);
  }

  /** One attempt. */
  attempt(outcome: 'success' | 'failure' | 'ignored'): void {
    const now = this.clock.nowMs();
    const probe = this.accrual.begin(now);
    if (outcome === 'success') this.accrual.success(now, now);
    else if (outcome === 'failure') this.accrual.failure(probe, now);
    else this.accrual.ignored(probe);
  }

  failures(count: number): void {
    for (let i = 0; i < count; i++) this.attempt('failure');
  }
}

const three: AccrualSpec = {
  kind: 'io.l5d.consecutiveFailures',
  failures: 3,
  backoff: { kind: 'constant', ms: 1000 },
};

describe('FailureAccrual', () => {
  it('declares dead after so many failures in a row, and not after as many with a success between', () => {
    const rig = new AccrualRig(three);
    rig.failures(2);
    rig.attempt('success');
    rig.failures(2);
    assert.equal(rig.accrual.state, 'alive');
    rig.failures(1);
    assert.equal(rig.accrual.state, 'dead');
    assert.equal(rig.stats.value('removals'), 1);
    assert.equal(rig.stats.value('removed_for_ms'), 1000);
  });

  it('lets exactly one attempt through when the backoff is over', () => {
    const rig = new AccrualRig(three);
    rig.failures(3);
    rig.clock.advance(990);
    assert.equal(rig.accrual.begin(rig.clock.nowMs()), false);
    rig.clock.advance(30);
    assert.equal(rig.accrual.state, 'probeOpen');
    assert.equal(rig.accrual.begin(rig.clock.nowMs()), true);
    assert.equal(rig.accrual.begin(rig.clock.nowMs()), false);
    assert.equal(rig.accrual.state, 'probing');
    assert.equal(rig.stats.value('probes'), 1);
  });

  it('revives with the success of the probe, and forgets what was before', () => {
    const rig = new AccrualRig(three);
    rig.failures(3);
    rig.clock.advance(1020);
    rig.attempt('success');
    assert.equal(rig.accrual.state, 'alive');
    assert.equal(rig.stats.value('revivals'), 1);
    rig.failures(2);
    assert.equal(rig.accrual.state, 'alive');
    assert.equal(rig.wheel.size, 0, 'a timer is left');
  });

  it('is dead for longer after each probe that fails, up to 300 s, and from 5 s again after a revival', () => {
    const rig = new AccrualRig({ kind: 'io.l5d.consecutiveFailures', failures: 1 });
    const lives: number[] = [];
    rig.failures(1);
    for (let i = 0; i < 12; i++) {
      const from = rig.clock.nowMs();
      while (rig.accrual.state === 'dead') rig.clock.advance(50);
      lives.push(rig.clock.nowMs() - from);
      rig.attempt('failure');
    }
    assert.ok(Math.abs(lives[0]! - 5000) < 100);
    for (const [i, ms] of lives.slice(1, 6).entries())
      assert.ok(ms >= 5000 * 2 ** i - 100 && ms <= 10_000 * 2 ** i + 100, `${i}: ${ms}`);
    assert.ok(Math.abs(lives.at(-1)! - 300_000) < 100);
    assert.equal(rig.stats.value('removals'), 1, 'from alive to dead only');
    while (rig.accrual.state === 'dead') rig.clock.advance(1000);
    rig.attempt('success');
    rig.failures(1);
    rig.clock.advance(5020);
    assert.equal(rig.accrual.state, 'probeOpen');
  });

  it('does not take the outcome of an attempt of before for that of the probe', () => {
    const rig = new AccrualRig(three);
    const before = rig.clock.nowMs();
    rig.failures(3);
    rig.clock.advance(1020);
    rig.accrual.begin(rig.clock.nowMs());
    rig.accrual.success(before, rig.clock.nowMs());
    rig.accrual.failure(false, rig.clock.nowMs());
    assert.equal(rig.accrual.state, 'probing');
  });

  it('opens again for a probe when one has been given up, or hangs', () => {
    const rig = new AccrualRig(three);
    rig.failures(3);
    rig.clock.advance(1020);
    rig.attempt('ignored');
    assert.equal(rig.accrual.state, 'probeOpen');
    rig.accrual.begin(rig.clock.nowMs());
    rig.clock.advance(1020);
    assert.equal(rig.accrual.state, 'probeOpen');
  });

  it('tells nothing and keeps no timer when its endpoint has gone while it was probed', () => {
    const rig = new AccrualRig(three);
    rig.failures(3);
    rig.clock.advance(1020);
    const probe = rig.accrual.begin(rig.clock.nowMs());
    rig.accrual.close();
    const { changes } = rig;
    rig.accrual.failure(probe, rig.clock.nowMs());
    assert.equal(rig.changes, changes);
    assert.equal(rig.wheel.size, 0);
    assert.equal(rig.clock.pending, 0);
  });
});

describe('SuccessRate', () => {
  it('fires when the average is below, and not before so many outcomes', () => {
    const policy = new SuccessRate(0.5, 10);
    for (let i = 0; i < 9; i++) assert.equal(policy.failure(), false);
    assert.equal(policy.failure(), true);
    policy.revived();
    for (let i = 0; i < 100; i++) policy.success();
    let failures = 1;
    while (!policy.failure()) failures++;
    // 0.5 = exp(-n / 10)
    assert.equal(failures, 7);
  });
});

describe('WindowedSuccessRate', () => {
  it('fires after a whole window with at least five outcomes in it', () => {
    const policy = new WindowedSuccessRate(0.5, 10_000, 0);
    for (let ms = 0; ms < 10_000; ms += 1000) assert.equal(policy.failure(ms), false);
    assert.equal(policy.failure(10_000), true);
    policy.revived(10_000);
    for (const ms of [12_000, 15_000, 19_000]) policy.failure(ms);
    assert.equal(policy.failure(21_000), false, 'only four');
    assert.equal(policy.failure(21_500), true);
  });

  it('forgets by time, and counts nothing twice when the clock goes back', () => {
    const policy = new WindowedSuccessRate(0.5, 1000, 0);
    for (let ms = 0; ms < 2000; ms += 10) policy.success(ms);
    assert.equal(policy.failure(2000), false);
    for (let i = 0; i < 4; i++) policy.failure(100);
    assert.equal(policy.failure(2600), false, 'the window has still enough successes');
    assert.equal(policy.failure(9000), false, 'nothing else is in the window');
  });
});

describe('equalJitteredMs', () => {
  it('starts at the start, and never passes the end nor half of its time', () => {
    const rng = seededRng(3);
    assert.equal(equalJitteredMs(1, 5000, 300_000, rng), 5000);
    for (let attempt = 2; attempt < 2000; attempt++) {
      const ms = equalJitteredMs(attempt, 5000, 300_000, rng);
      assert.ok(ms >= Math.min(300_000, 5000 * 2 ** Math.min(attempt - 2, 50)) && ms <= 300_000, `${ms}`);
    }
  });
});
