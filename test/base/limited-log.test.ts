import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LimitedLog } from '../../src/base/limited-log.ts';
import { type LogFields, silentLog } from '../../src/base/log.ts';
import { HandClock } from '../support/hand-clock.ts';

function rig() {
  const clock = new HandClock();
  const lines: LogFields[] = [];
  const log = new LimitedLog(
    { ...silentLog, warn: (_message, fields = {}) => void lines.push(fields) },
    clock,
  );
  return { clock, lines, log };
}

describe('LimitedLog', () => {
  it('writes one line of a key in ten seconds, and says how many were left out', () => {
    const { clock, lines, log } = rig();
    for (let i = 0; i < 5; i++) log.warn('key', 'refused', { i });
    log.warn('other', 'refused', { i: 9 });
    assert.deepEqual(lines, [{ i: 0 }, { i: 9 }]);
    clock.advance(10_000);
    log.warn('key', 'refused', { i: 5 });
    assert.deepEqual(lines.at(-1), { i: 5, leftOut: 4 });
  });

  it('knows a hundred keys, and others again when those have been quiet', () => {
    const { clock, lines, log } = rig();
    for (let i = 0; i < 150; i++) log.warn(`key ${i}`, 'refused', { i });
    assert.equal(lines.length, 100);
    clock.advance(10_000);
    log.warn('key 149', 'refused', {});
    assert.equal(lines.length, 101);
  });
});
