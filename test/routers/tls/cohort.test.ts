import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cohort, type CohortMember } from '../../../routers/tls/cohort.ts';
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
      const own = members.get(member);
      if (own !== undefined) cohort.delete(own);
    },
  });
  const members = new Map<number, CohortMember<number>>();
  const add = (member: number): CohortMember<number> => {
    const added = cohort.add(member);
    members.set(member, added);
    return added;
  };
  const first = Array.from({ length: count }, (_, i) => add(i));
  return { clock, wheel, cohort, first, add, retired, cut };
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
    const { clock, wheel, cohort, first, cut } = rig(2);
    cohort.retire(1000);
    for (const member of first) cohort.delete(member);
    assert.equal(wheel.size, 0);
    clock.advance(2000);
    assert.deepEqual(cut, []);
  });

  it('tells a connection whose handshake ends late at once, and cuts it with the others', () => {
    const { clock, cohort, add, retired, cut } = rig(0);
    cohort.retire(1000);
    clock.advance(900);
    add(7);
    assert.deepEqual(retired, [7]);
    clock.advance(200);
    assert.deepEqual(cut, [7]);
  });

  it('tells whoever takes the place of one that has been told', () => {
    const { clock, cohort, first, retired } = rig(1);
    cohort.retire(1000);
    clock.advance(600);
    for (const member of first) cohort.replace(member, 5);
    assert.deepEqual(retired, [0, 5]);
  });
});
