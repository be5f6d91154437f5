import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { stackOfThread } from '../../src/threads/blocked-stack.ts';
import { Heartbeat, HUNG_MS } from '../../src/threads/heartbeat.ts';
import { HandClock } from '../support/hand-clock.ts';

describe('Heartbeat', () => {
  const rig = () => {
    const clock = new HandClock();
    let hung = 0;
    const heart = new Heartbeat(clock, () => hung++);
    const beat = (): void => void Atomics.add(heart.pulse, 0, 1);
    return { clock, heart, beat, hung: () => hung };
  };

  it('says once that a thread which has begun to beat has stopped', () => {
    const { clock, beat, hung } = rig();
    clock.advance(10_000);
    assert.equal(hung(), 0, 'it is starting');
    beat();
    clock.advance(HUNG_MS);
    assert.equal(hung(), 0);
    clock.advance(500);
    assert.equal(hung(), 1);
    clock.advance(10_000);
    assert.equal(hung(), 1);
    assert.equal(clock.pending, 0);
  });

  it('is content with a slow beat, and quiet when it is closed', () => {
    const { clock, heart, beat, hung } = rig();
    for (let i = 0; i < 10; i++) {
      beat();
      clock.advance(HUNG_MS - 500);
    }
    heart.close();
    clock.advance(10_000);
    assert.equal(hung(), 0);
  });
});

describe('stackOfThread', () => {
  it('shows where a loop without end is', async () => {
    const text = `function endless() { for (;;); }
      require('node:worker_threads').parentPort.postMessage('begin'); endless();`;
    const worker = new Worker(text, { eval: true });
    await once(worker, 'message');
    const stack = await stackOfThread(worker.threadId, 30_000);
    await worker.terminate();
    assert.match(stack, /^at endless \(.*:1:\d+\)/);
  });
});
