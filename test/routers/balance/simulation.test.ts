/** The simulation of `npm run bench:balancers`, shorter: what callers may rely on. Seeds and times are fixed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Outcome, type Scenario, simulate } from '../../bench/support/balancer-simulation.ts';
import { specs } from './nodes.ts';

const common = { name: '', endpoints: 10, requests: 40_000, serviceMs: 10, utilisation: 0.6 } as const;
const run = (kind: keyof typeof specs, scenario: Partial<Scenario> & Pick<Scenario, 'first'>): Outcome =>
  simulate(specs[kind], { ...common, ...scenario });
const kinds = Object.keys(specs) as (keyof typeof specs)[];

describe('A simulated pool', () => {
  it('is hardly slower with an endpoint that is ten times slower than without it: peak EWMA', () => {
    const [slow, without] = [run('ewma', { first: 'slow' }), run('ewma', { first: 'absent' })];
    assert.ok(slow.p99Ms <= 1.3 * without.p99Ms, `${slow.p99Ms} against ${without.p99Ms}`);
    assert.ok(slow.firstShare < 0.1);
  });

  for (const kind of kinds) {
    it(`spreads its load, by weight: ${kind}`, () => {
      assert.ok(run(kind, { first: 'equal' }).spread < 1.2);
      assert.ok(run(kind, { first: 'equal', weights: true }).spread < 1.25);
    });

    it(`takes an endpoint that only fails out of use: ${kind}`, () => {
      const { failedPercent, p99Ms } = run(kind, { first: 'failing' });
      assert.ok(failedPercent < 0.05, `${failedPercent}`);
      assert.ok(p99Ms < 60, `${p99Ms}`);
    });
  }
});
