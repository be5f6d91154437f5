/**
 * `npm run faults`: breaks what a router depends on, under load, and prints what its callers saw beside what they
 * are promised. Bounded to ten minutes; exits with 1 when a row fails.
 */
import { parseArgs } from 'node:util';
import { callerFaults } from './caller-faults.ts';
import { processFaults } from './process-faults.ts';
import { endAll } from './rig.ts';
import { type Check, type Outcome, passes, type Scenario } from './scenario.ts';
import { sourceFaults } from './source-faults.ts';
import { upstreamFaults } from './upstream-faults.ts';

export const scenarios: readonly Scenario[] = [
  ...upstreamFaults,
  ...sourceFaults,
  ...processFaults,
  ...callerFaults,
];

const TOTAL_MS = 600_000;
const ROW_MS = 60_000;

function shown({ what, measured, atMost, atLeast }: Check): string {
  const bound = atMost === undefined ? `≥ ${atLeast}` : atMost === 0 ? '0' : `≤ ${Number(atMost.toFixed(1))}`;
  return `${what} ${Number.isInteger(measured) ? measured : measured.toFixed(1)} (${bound})`;
}

function row({ id, fault, promise }: Scenario, result: Outcome | Error): string {
  const cells = (...more: readonly (string | number)[]): string =>
    `| ${[id, fault, promise, ...more].join(' | ')} |`;
  if (result instanceof Error) return cells('', '', '', '', result.message, 'FAIL');
  const { sent, failed, duplicated, recoveryMs, checks, reasons } = result;
  const pass = checks.every(passes);
  const recovery = recoveryMs === undefined ? '' : `${Math.round(recoveryMs)} ms`;
  const why = pass || reasons === '' ? '' : `; ${reasons}`;
  const measured = `${checks.map(shown).join(', ')}${why}`;
  return cells(sent, failed, duplicated, recovery, measured, pass ? 'pass' : 'FAIL');
}

async function withinMs(result: Promise<Outcome>, ms: number): Promise<Outcome | Error> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Error>((resolve) => {
    timer = setTimeout(() => resolve(new Error(`not over within ${ms} ms`)), ms);
  });
  const ended = result.catch((error: Error) => error);
  const first = await Promise.race([ended, late]);
  clearTimeout(timer);
  return first;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, seconds: { type: 'string', default: '6' } },
  });
  const only = values.only?.split(',');
  const endMs = performance.now() + TOTAL_MS;
  let failed = 0;
  console.log('| row | fault | promise | sent | failed | sent twice | recovery | measured (expected) | |');
  console.log(`|${'---|'.repeat(9)}`);
  for (const scenario of scenarios) {
    if (only !== undefined && !only.includes(scenario.id)) continue;
    const leftMs = endMs - performance.now();
    const result =
      leftMs <= 0
        ? new Error('the ten minutes were over')
        : await withinMs(scenario.run(Number(values.seconds)), Math.min(leftMs, scenario.limitMs ?? ROW_MS));
    await endAll();
    if (result instanceof Error || !result.checks.every(passes)) failed++;
    console.log(row(scenario, result));
  }
  console.log(failed === 0 ? '\nevery row as expected' : `\n${failed} rows are not as expected`);
  process.exit(failed === 0 ? 0 : 1);
}

if (import.meta.main) await main();
