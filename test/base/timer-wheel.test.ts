import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TimerWheel, type WheelTimer } from '../../src/base/timer-wheel.ts';
import { HandClock } from '../support/hand-clock.ts';

function wheelOf() {
  const clock = new HandClock();
  const wheel = new TimerWheel(clock);
  const fired: (readonly [string, number])[] = [];
  const startMs = clock.nowMs();
  const timer = (name: string): WheelTimer => wheel.timer(() => fired.push([name, clock.nowMs() - startMs]));
  return { clock, wheel, fired, timer };
}

describe('TimerWheel', () => {
  it('lets the time stand still for the callback of a read, and goes on afterwards', () => {
    const { clock, wheel, fired, timer } = wheelOf();
    wheel.standStill();
    const nowMs = wheel.nowMs();
    clock.advance(50);
    assert.equal(wheel.nowMs(), nowMs);
    wheel.goOn();
    assert.equal(wheel.nowMs(), nowMs + 50);
    timer('a').arm(100);
    clock.advance(120);
    assert.deepEqual(
      fired.map(([name]) => name),
      ['a'],
    );
  });

  it('fires once, never early and at most two ticks late', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        delays,
        fc.integer({ min: 0, max: 30_000 }),
        fc.integer({ min: 1, max: 3000 }),
        (all, idle, step) => {
          const { clock, wheel, fired, timer } = wheelOf();
          clock.advance(idle);
          for (const [i, delay] of all.entries()) timer(String(i)).arm(delay);
          for (let passed = 0; passed < 61_000; passed += step) clock.advance(step);
          assert.equal(fired.length, all.length);
          for (const [name, atMs] of fired) {
            const late = atMs - idle - all[Number(name)]!;
            assert.ok(late >= 0 && late <= 20, `${name}: ${late} ms late`);
          }
          assert.equal(wheel.size, 0);
          assert.equal(clock.pending, 0, 'nothing runs while no timer is linked');
        },
      ),
      { numRuns: 40 },
    );
  });

  it('does what the last of arming, moving, disarming and closing said', () => {
    const steps = fc.array(
      fc.tuple(
        fc.nat(4),
        fc.constantFrom('arm', 'disarm', 'close', 'wait'),
        fc.integer({ min: 0, max: 15_000 }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const { clock, wheel, fired, timer } = wheelOf();
        const timers = ['0', '1', '2', '3', '4'].map(timer);
        const due = new Map<number, number>();
        let now = 0;
        let expected = 0;
        const pass = (ms: number): void => {
          clock.advance(ms);
          now += ms;
          for (;;) {
            const next = [...due].find(([, atMs]) => atMs <= now);
            if (next === undefined) break;
            const [name, atMs] = next;
            // Within a tick or two of the moment either is right: those are not counted.
            if (atMs + 20 > now) {
              clock.advance(20);
              now += 20;
            }
            due.delete(name);
            expected++;
          }
        };
        for (const [name, what, ms] of all) {
          if (what === 'wait') pass(ms);
          else if (what === 'arm') {
            timers[name]!.arm(ms);
            due.set(name, now + ms);
          } else {
            timers[name]![what]();
            due.delete(name);
          }
        }
        pass(20_000);
        assert.equal(fired.length, expected);
        for (const each of timers) each.close();
        assert.equal(wheel.size, 0);
        assert.equal(clock.pending, 0);
      }),
      { numRuns: 200 },
    );
  });

  it('fires what is due long after a pause in which nothing ran', () => {
    const { clock, fired, timer } = wheelOf();
    timer('a').arm(100);
    timer('b').arm(50_000);
    clock.advance(3_600_000);
    assert.deepEqual(
      fired.map(([name]) => name),
      ['a', 'b'],
    );
  });

  it('lets callbacks arm, disarm and close timers of the same tick', () => {
    const { clock, wheel } = wheelOf();
    const order: string[] = [];
    let left = 3;
    const b = wheel.timer(() => order.push('b'));
    const c = wheel.timer(() => order.push('c'));
    const d = wheel.timer(() => order.push('d'));
    const again = wheel.timer(() => {
      order.push('again');
      b.disarm();
      c.close();
      d.arm(500);
      if (--left > 0) again.arm(0);
    });
    for (const timer of [d, c, b, again]) timer.arm(5);
    clock.advance(400);
    assert.deepEqual(order, ['again', 'again', 'again']);
    clock.advance(600);
    assert.deepEqual(order, ['again', 'again', 'again', 'd']);
    assert.equal(wheel.size, 0);
  });

  it('leaves nothing when it is closed, and its timers can be closed before, within and after', () => {
    const { clock, wheel, fired, timer } = wheelOf();
    const timers = ['a', 'b', 'c'].map(timer);
    for (const each of timers) each.arm(30);
    timers[0]!.close();
    wheel.close();
    timers[1]!.close();
    timers[2]!.arm(10);
    timers[2]!.close();
    assert.equal(wheel.size, 0);
    assert.equal(clock.pending, 0);
    clock.advance(1000);
    assert.deepEqual(fired, []);
  });
});
