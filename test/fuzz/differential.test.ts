/** Half a minute of the differential run: no difference but the reviewed ones. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { noSocketsLeft } from '../support/rig.ts';
import { Differential } from './differential.ts';
import { requestStreams, responseStreams } from './messages.ts';
import { isReviewed, reviewed } from './reviewed.ts';

const LIMIT_MS = 12_000;
/** The same messages every time; `npm run nightly` looks for new ones. */
const SEED = 20_261_121;

after(noSocketsLeft);

describe('The router and node:http with http-proxy', () => {
  for (const [of, streams] of [
    ['requests', requestStreams],
    ['response', responseStreams],
  ] as const) {
    it(`understand ${of} alike, or in a way that has been reviewed`, async (context) => {
      const differential = await Differential.open();
      context.after(() => differential.close());
      let runs = 0;
      const property = fc.asyncProperty(streams, async (bytes) => {
        runs++;
        const difference = await differential[of](bytes);
        if (difference === undefined || isReviewed(of, bytes, difference)) return;
        assert.fail(`${difference.kind}: ${difference.why}`);
      });
      await fc.assert(property, {
        seed: SEED,
        numRuns: 1_000_000,
        interruptAfterTimeLimit: LIMIT_MS,
        markInterruptAsFailure: false,
      });
      assert.ok(runs > 20, `only ${runs} runs`);
    });
  }

  it('have reviewed differences with a reason each', () => {
    for (const { reason } of reviewed) assert.ok(reason.length > 5);
  });
});
