import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WaitList } from '../../../routers/binding/wait-list.ts';
import { type Answer, Exchange } from '../../../routers/exchange.ts';
import { Fields } from '../../../routers/fields.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { HandClock } from '../../support/hand-clock.ts';

const exchange = (): Exchange =>
  new Exchange({ method: 'GET', target: '/', minor: 1, fields: new Fields() }, {} as Answer, 0);

function list() {
  const clock = new HandClock();
  const wheel = new TimerWheel(clock);
  const expired: Exchange[] = [];
  const waiting = new WaitList(wheel, 1000, (each) => expired.push(each));
  return { clock, wheel, expired, waiting };
}

describe('WaitList', () => {
  it('lets each wait for its own full time, oldest first', () => {
    const { clock, expired, waiting } = list();
    const [a, b] = [exchange(), exchange()];
    waiting.add(a);
    clock.advance(500);
    waiting.add(b);
    clock.advance(520);
    assert.deepEqual(expired, [a]);
    clock.advance(500);
    assert.deepEqual(expired, [a, b]);
  });

  it('forgets those who go, and gives up all others in order', () => {
    const { clock, expired, waiting } = list();
    const [a, b, c] = [exchange(), exchange(), exchange()];
    for (const each of [a, b, c]) waiting.add(each);
    waiting.remove(b);
    assert.deepEqual(waiting.take(), [a, c]);
    assert.equal(waiting.size, 0);
    clock.advance(5000);
    assert.deepEqual(expired, []);
  });

  it('starts anew after everyone has gone', () => {
    const { clock, expired, waiting } = list();
    const [a, b] = [exchange(), exchange()];
    waiting.add(a);
    waiting.remove(a);
    clock.advance(900);
    waiting.add(b);
    clock.advance(900);
    assert.deepEqual(expired, []);
    clock.advance(150);
    assert.deepEqual(expired, [b]);
  });

  it('leaves no timer when it is closed', () => {
    const { wheel, waiting } = list();
    waiting.add(exchange());
    waiting.close();
    assert.equal(wheel.size, 0);
  });
});
