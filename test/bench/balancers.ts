/**
 * `npm run bench:balancers`: what callers see of each balancer, in a simulation (no sockets, simulated time,
 * fixed seed: the same figures on every machine), and what a pick costs (measured: medians of several rounds).
 */

import { specs } from '../routers/balance/nodes.ts';
import { accrualCosts, pickCosts, updateCosts } from './support/balancer-costs.ts';
import { type Outcome, type Scenario, simulate } from './support/balancer-simulation.ts';

const base = { utilisation: 0.6 } as const;

function scenarios(endpoints: number): Scenario[] {
  const common =
    endpoints <= 10
      ? { ...base, endpoints, requests: 200_000, serviceMs: 10 }
      : { ...base, endpoints, requests: 800_000, serviceMs: 100 };
  return [
    { ...common, name: 'all equal', first: 'equal' },
    { ...common, name: 'without the first', first: 'absent' },
    { ...common, name: 'first 10x slower', first: 'slow' },
    { ...common, name: 'first fails at once', first: 'failing' },
    { ...common, name: 'first added, slow at first', first: 'warming' },
    { ...common, name: 'weights 1 and 3', first: 'equal', weights: true },
  ];
}

/** A figure, to the right. */
const cell = (value: number, digits: number, width = 9): string => value.toFixed(digits).padStart(width);

function row(name: string, kind: string, outcome: Outcome): string {
  const { p50Ms, p99Ms, spread, firstShare, failedPercent } = outcome;
  const figures = [
    cell(p50Ms, 1),
    cell(p99Ms, 1),
    cell(spread, 2),
    cell(firstShare, 3),
    cell(failedPercent, 3),
  ];
  return `${name.padEnd(28)}${kind.padEnd(12)}${figures.join('')}`;
}

// Measured first, while the code has seen nothing but this.
const picks = pickCosts(10_000);
const accruals = accrualCosts();
const updates = updateCosts(10_000);

let kept = true;
for (const endpoints of [10, 1000]) {
  console.log(
    `\n${endpoints} endpoints, each with 4 workers and ${endpoints <= 10 ? 10 : 100} ms a request, 60 % used`,
  );
  console.log(
    `${''.padEnd(40)}${['p50 ms', 'p99 ms', 'spread', 'first', 'failed %'].map((each) => each.padStart(9)).join('')}`,
  );
  const p99 = new Map<string, number>();
  for (const scenario of scenarios(endpoints)) {
    for (const [kind, spec] of Object.entries(specs)) {
      const outcome = simulate(spec, scenario);
      console.log(row(scenario.name, kind, outcome));
      if (kind === 'ewma') p99.set(scenario.name, outcome.p99Ms);
    }
  }
  const ratio = (p99.get('first 10x slower') ?? 0) / (p99.get('without the first') ?? 1);
  kept &&= ratio <= 1.3;
  console.log(`peak EWMA, p99 with one endpoint 10x slower / without it: ${ratio.toFixed(2)} (at most 1.3)`);
}

console.log('\nCost, 10,000 endpoints      pick ns   pick, start and end ns   bytes a pick');
for (const { kind, pickNs, attemptNs, bytes } of picks) {
  console.log(`${kind.padEnd(26)}${cell(pickNs, 0)}${cell(attemptNs, 0, 25)}${cell(bytes, 1, 15)}`);
  kept &&= pickNs < 1000;
}
for (const [name, ns] of accruals) console.log(`${name.padEnd(40)}${cell(ns, 1)} ns`);
for (const [name, ms] of updates) console.log(`${name.padEnd(40)}${cell(ms, 2)} ms`);
if (!kept) {
  console.log('\nA bound is not kept.');
  process.exitCode = 1;
}
