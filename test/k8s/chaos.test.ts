/**
 * Everything at once: changes and faults in a random order, from a seed that is printed when it fails. However
 * it went, in the end the watch shows what the server has, and at no moment less than what never went away.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Rng, seededRng } from '../../src/base/rng.ts';
import type { Fault } from '../support/kube-api/faults.ts';
import { until } from '../support/until.ts';
import { Rig, webSlices } from './rig.ts';

const STEPS = 120;

const FAULTS: readonly Fault[] = [
  { type: 'hang' },
  { type: 'reset' },
  { type: 'status', code: 500 },
  { type: 'status', code: 410 },
  { type: 'status', code: 401 },
  { type: 'status', code: 429, retryAfterSeconds: 1 },
  { type: 'stall', code: 200 },
  { type: 'body', text: '{"kind":"Status"}' },
  { type: 'half-event' },
  { type: 'half-event', bytes: 1 },
  { type: 'silence' },
  { type: 'drop' },
  { type: 'split', bytes: 7 },
  { type: 'gzip' },
];

/** One thing that happens to the server or to what it holds. */
async function step(rig: Rig, present: Map<string, string>, rng: Rng): Promise<void> {
  const { api } = rig;
  const name = `web-${rng.below(8)}`;
  switch (rng.below(14)) {
    case 0:
      present.delete(name);
      return api.remove('endpointslices', 'default', name);
    case 1:
      return api.compact();
    case 2:
      return api.expire();
    case 3:
      return api.cutWatches();
    case 4:
      return api.endWatches();
    case 5:
      return api.bookmark();
    case 6:
      return api.replay(1 + rng.below(5));
    case 7:
      if (rng.below(3) === 0) await api.stop();
      return;
    case 8:
      return api.restart();
    case 9:
    case 10:
      api.fault(FAULTS[rng.below(FAULTS.length)] ?? { type: 'drop' }, { times: 1 + rng.below(2) });
      return;
    default: {
      const address = `10.0.${rng.below(256)}.${rng.below(256)}`;
      present.set(name, address);
      return rig.putSlice(name, [address]);
    }
  }
}

describe('A watch in chaos', () => {
  for (let seed = 1; seed <= 5; seed++) {
    it(`shows in the end what there is, and never less than what was always there (seed ${seed})`, async () => {
      const rng = seededRng(seed);
      const rig = await Rig.start();
      try {
        const present = new Map([['always', '10.255.0.1']]);
        rig.putSlice('always', ['10.255.0.1']);
        const web = rig.see(webSlices);
        await until(
          () => web.now === '10.255.0.1',
          () => web.now,
        );
        for (let i = 0; i < STEPS; i++) {
          await step(rig, present, rng);
          await rig.advance(rng.below(10) === 0 ? rng.below(40_000) : rng.below(300));
        }
        rig.api.noFaults();
        await rig.api.restart();
        const expected = [...present.values()].sort().join(' ');
        await rig.advanceUntil(() => web.now === expected, 400_000, 250);
        for (const state of web.states.slice(1)) {
          assert.ok(state.state === 'ok' && state.value.has('default/always'), JSON.stringify(state));
        }
        assert.ok(rig.clock.pending < 12, `${rig.clock.pending} timers`);
      } finally {
        await rig.closeAll();
      }
    });
  }
});
