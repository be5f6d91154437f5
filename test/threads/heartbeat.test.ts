import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { stackOfThread } from '../../src/threads/blocked-stack.ts';
import { Heartbeat, HUNG_MS } from '../../src/threads/heartbeat.ts';
import { ownThreadId, type ThreadTime, threadTime } from '../../src/threads/thread-time.ts';
import { HandClock } from '../support/hand-clock.ts';
import { until } from '../support/until.ts';

describe('Heartbeat', () => {
  /** `does` is what the kernel says of the thread, as a function of the time. */
  const rig = (does: (nowMs: number) => ThreadTime | undefined, excused = () => false) => {
    const clock = new HandClock();
    let hung = 0;
    const heart = new Heartbeat(
      clock,
      () => hung++,
      excused,
      () => does(clock.nowMs()),
    );
    const beat = (): void => void Atomics.add(heart.pulse, 0, 1);
    return { clock, heart, beat, hung: () => hung };
  };

  for (const [what, does] of [
    ['computes', (nowMs: number) => ({ state: 'R', cpuMs: nowMs })],
    ['sleeps', () => ({ state: 'S', cpuMs: 10 })],
    ['is unknown to the system', () => undefined],
  ] as const) {
    it(`says once that a thread which has begun to beat has stopped and ${what}`, () => {
      const { clock, beat, hung } = rig(does);
      clock.advance(10_000);
      assert.equal(hung(), 0, 'it is starting');
      beat();
      clock.advance(HUNG_MS);
      assert.equal(hung(), 0);
      clock.advance(100);
      assert.equal(hung(), 1);
      clock.advance(10_000);
      assert.equal(hung(), 1);
      assert.equal(clock.pending, 0);
    });
  }

  it('gives a thread that waits for a CPU the time it needs', () => {
    const { clock, beat, heart, hung } = rig((nowMs) => ({ state: 'R', cpuMs: nowMs / 10 }));
    beat();
    clock.advance(HUNG_MS * 9);
    assert.equal(hung(), 0);
    clock.advance(HUNG_MS * 2);
    assert.equal(hung(), 1);
    heart.close();
  });

  it('says nothing of a thread while it is excused', () => {
    let excused = true;
    const { clock, beat, hung } = rig(
      () => ({ state: 'S', cpuMs: 10 }),
      () => excused,
    );
    beat();
    clock.advance(5000);
    assert.equal(hung(), 0);
    excused = false;
    clock.advance(HUNG_MS + 100);
    assert.equal(hung(), 1);
  });

  it('is content with a slow beat, and quiet when it is closed', () => {
    const { clock, heart, beat, hung } = rig((nowMs) => ({ state: 'R', cpuMs: nowMs }));
    for (let i = 0; i < 10; i++) {
      beat();
      clock.advance(HUNG_MS - 50);
    }
    heart.close();
    clock.advance(10_000);
    assert.equal(hung(), 0);
  });
});

describe('threadTime', () => {
  it('tells a thread that computes from one that sleeps', { skip: ownThreadId() === 0 }, async () => {
    const text = `const { parentPort, workerData } = require('node:worker_threads');
      parentPort.postMessage(require('node:fs').readlinkSync('/proc/thread-self'));
      if (workerData) for (;;); else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
    for (const computes of [true, false]) {
      const worker = new Worker(text, { eval: true, workerData: computes });
      const [link] = (await once(worker, 'message')) as string[];
      const id = Number(link?.split('/').at(-1));
      assert.notEqual(id, ownThreadId());
      const used = (): number => threadTime(id)?.cpuMs ?? 0;
      const from = used();
      if (computes) await until(() => used() - from >= 100, 'CPU time of a thread that computes');
      else await until(() => threadTime(id)?.state === 'S', 'the sleep of a thread');
      await worker.terminate();
    }
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
