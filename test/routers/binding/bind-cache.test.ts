import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BindCache, type CacheEntry } from '../../../routers/binding/bind-cache.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { RecordedStats } from '../../support/recorded-stats.ts';

class Thing {
  readonly key: string;
  closed = 0;
  constructor(key: string) {
    this.key = key;
  }
  close(): void {
    this.closed++;
  }
}

function cache(max: number, idleTtlMs = 1000) {
  const clock = new HandClock();
  const stats = new RecordedStats();
  const made: Thing[] = [];
  const things = new BindCache<Thing>({ max, idleTtlMs, clock, stats: stats.root });
  const acquire = (key: string) =>
    things.acquire(key, () => {
      const thing = new Thing(key);
      made.push(thing);
      return thing;
    });
  return { clock, stats, made, things, acquire };
}

describe('BindCache', () => {
  it('makes a value once while somebody holds it or it is remembered', () => {
    const { acquire, things, made } = cache(2);
    const one = acquire('a');
    assert.equal(acquire('a'), one);
    things.release(one);
    things.release(one);
    assert.equal(acquire('a'), one);
    assert.equal(made.length, 1);
  });

  it('evicts what has been idle longest when it is full', () => {
    const { acquire, things, stats, made } = cache(2);
    const a = acquire('a');
    const b = acquire('b');
    things.release(b);
    things.release(a);
    acquire('c');
    assert.deepEqual(
      made.map((each) => each.closed),
      [0, 1, 0],
    );
    assert.equal(stats.value('evicts'), 1);
  });

  it('makes a value for one use only when nothing is idle, and closes it after its last holder', () => {
    const { acquire, things, stats } = cache(1);
    acquire('a');
    const once = acquire('b');
    assert.ok(once.oneshot);
    assert.equal(stats.value('oneshots'), 1);
    assert.equal(once.value.closed, 0);
    things.release(once);
    assert.equal(once.value.closed, 1);
    assert.equal(things.size, 1);
  });

  it('closes what has been idle for its time to live, but keeps the last when all have expired', () => {
    const { acquire, things, clock, stats, made } = cache(9);
    for (const key of ['a', 'b', 'c']) things.release(acquire(key));
    const held = acquire('d');
    clock.advance(2000);
    assert.deepEqual(
      made.map((each) => each.closed),
      [1, 1, 1, 0],
    );
    things.release(held);
    clock.advance(5000);
    assert.equal(held.value.closed, 0, 'the one that was used last');
    assert.equal(stats.value('expires'), 3);
  });

  it('closes what is idle when it is closed, and what is held when it is let go', () => {
    const { acquire, things, clock } = cache(9);
    const idle = acquire('a');
    things.release(idle);
    const held = acquire('b');
    things.close();
    assert.equal(idle.value.closed, 1);
    assert.equal(held.value.closed, 0);
    things.release(held);
    assert.equal(held.value.closed, 1);
    const late = acquire('c');
    things.release(late);
    assert.equal(late.value.closed, 1);
    assert.equal(clock.pending, 0);
  });

  it('holds at most its maximum, never closes what is held, and closes everything once in the end', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.boolean(), fc.nat(400)), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), steps, (max, all) => {
        const { acquire, things, clock, made } = cache(max);
        const held: CacheEntry<Thing>[] = [];
        for (const [key, take, ms] of all) {
          clock.advance(ms);
          if (take || held.length === 0) held.push(acquire(key));
          else things.release(held.shift()!);
          assert.ok(things.size <= max);
          for (const entry of held) assert.equal(entry.value.closed, 0);
        }
        things.close();
        for (const entry of held) things.release(entry);
        assert.ok(
          made.every((each) => each.closed === 1),
          made.map((each) => each.closed).join(),
        );
      }),
    );
  });
});
