import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cohort } from '../../../routers/tls/cohort.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { HandClock } from '../../support/hand-clock.ts';

/** Twenty connections, by number, and what they are told. */
function rig(count = 20) {
  const clock = new HandClock();
  const wheel = new TimerWheel(clock);
  const retired: number[] = [];
  const cut: number[] = [];
  const cohort = new Cohort<number>({
    wheel,
    retire: (member) => void retired.push(member),
    cut(member) {
      cut.push(member);
      cohort.delete(member);
    },
  });
  for (let i = 0; i < count; i++) cohort.add(i);
  return { clock, wheel, cohort, retired, cut };
}

describe('Cohort', () => {
  it('tells one connection after the other over the first half of the time, and cuts the rest at its end', () => {
    const { clock, wheel, cohort, retired, cut } = rig();
    cohort.retire(10_000);
    assert.equal(retired.length, 0);
    clock.advance(2600);
    assert.equal(retired.length, 10);
    clock.advance(2500);
    assert.equal(retired.length, 20);
    clock.advance(4800);
    assert.equal(cut.length, 0);
    clock.advance(200);
    assert.equal(cut.length, 20);
    assert.equal(wheel.size, 0);
  });

  it('lets connections go that end by themselves', () => {
    const { clock, wheel, cohort, cut } = rig(2);
    cohort.retire(1000);
    cohort.delete(0);
    cohort.delete(1);
    assert.equal(wheel.size, 0);
    clock.advance(2000);
    assert.deepEqual(cut, []);
  });

  it('tells a connection whose handshake ends late at once, and cuts it with the others', () => {
    const { clock, cohort, retired, cut } = rig(0);
    cohort.retire(1000);
    clock.advance(900);
    cohort.add(7);
    assert.deepEqual(retired, [7]);
    clock.advance(200);
    assert.deepEqual(cut, [7]);
  });

  it('tells whoever takes the place of one that has been told', () => {
    const { clock, cohort, retired } = rig(1);
    cohort.retire(1000);
    clock.advance(600);
    cohort.replace(0, 5);
    assert.deepEqual(retired, [0, 5]);
  });
});
