import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseGrace } from '../../src/admin/handlers/shutdown.ts';

describe('parseGrace', () => {
  it('reads durations as linkerd writes them', () => {
    assert.equal(parseGrace('10.seconds'), 10_000);
    assert.equal(parseGrace('1.second'), 1000);
    assert.equal(parseGrace('250.MilliSeconds'), 250);
    assert.equal(parseGrace('1.minute+30.seconds'), 90_000);
    assert.equal(parseGrace('1.minute 30.seconds'), 90_000);
    assert.equal(parseGrace('1.minute-30.seconds'), 30_000);
    assert.equal(parseGrace('0.days'), 0);
  });

  it('refuses what is not a duration, and negative ones', () => {
    for (const bad of [
      '',
      ' ',
      '10',
      '10s',
      '10.parsecs',
      'seconds',
      '-1.second',
      '1.second,',
      '1.5.seconds',
      '1.seconds2.seconds',
    ]) {
      assert.equal(parseGrace(bad), undefined, bad);
    }
  });

  it('never exceeds what a timer can wait', () => {
    assert.equal(parseGrace('999999.days'), 2 ** 31 - 1);
  });
});
