import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Signals } from '../../src/signals.ts';

describe('Signals', () => {
  it('tells the first signal, takes a quick repetition for the same wish, and ends at once at a later one', async () => {
    let nowMs = 1000;
    const exits: number[] = [];
    const signals = new Signals(['SIGINT', 'SIGTERM'], { nowMs: () => nowMs }, (code) => exits.push(code));
    process.emit('SIGINT', 'SIGINT');
    assert.equal(await signals.first, 'SIGINT');
    nowMs += 500;
    process.emit('SIGINT', 'SIGINT');
    assert.deepEqual(exits, []);
    nowMs += 1;
    process.emit('SIGTERM', 'SIGTERM');
    assert.deepEqual(exits, [143]);
    signals.close();
  });

  it('leaves no listener behind', () => {
    const before = process.listenerCount('SIGHUP');
    const signals = new Signals(['SIGHUP'], { nowMs: () => 0 });
    assert.equal(process.listenerCount('SIGHUP'), before + 1);
    signals.close();
    signals.close();
    assert.equal(process.listenerCount('SIGHUP'), before);
  });
});
