/**
 * The differential run for as long as wanted: `node test/fuzz/nightly.ts --minutes 10 [--seed 1]`. Prints each
 * new kind of difference that is not reviewed with its shortest input, and ends with 1 if there was one.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { Differential } from './differential.ts';
import { requestStreams, responseStreams } from './messages.ts';
import { isReviewed } from './reviewed.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes ?? 10);
const seed = Number(values.seed ?? Date.now() & 0x7fffffff);
const found = new Map<string, string>();
let runs = 0;

const differential = await Differential.open();
const end = performance.now() + minutes * 60_000;
for (let batch = 0; performance.now() < end; batch++) {
  const [of, streams] =
    batch % 2 === 0 ? (['requests', requestStreams] as const) : (['response', responseStreams] as const);
  for (const bytes of fc.sample(streams, { numRuns: 500, seed: seed + batch })) {
    runs++;
    const difference = await differential[of](bytes);
    if (difference === undefined || isReviewed(of, bytes, difference)) continue;
    const key = `${of}: ${difference.kind}: ${difference.why.slice(0, 120)}`;
    const known = found.get(key);
    if (known === undefined || bytes.length < known.length) found.set(key, bytes);
  }
}
await differential.close();

console.log(`${runs} inputs, seed ${seed}, ${found.size} kinds of differences that are not reviewed`);
for (const [key, bytes] of found) console.log(`${key}\n    ${JSON.stringify(bytes)}`);
process.exit(found.size === 0 ? 0 : 1);
