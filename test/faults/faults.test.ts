/** The cheap rows of the fault table, shortened. The whole of it: `npm run faults`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scenarios } from './faults.ts';
import { passes } from './scenario.ts';

const SECONDS = 2;

describe('The fault table', () => {
  for (const { id, fault, promise, run } of scenarios.filter(({ cheap }) => cheap === true)) {
    it(`${id}: ${fault}: ${promise}`, async () => {
      const { checks, reasons } = await run(SECONDS);
      assert.deepEqual(
        checks.filter((check) => !passes(check)),
        [],
        reasons,
      );
    });
  }

  it('has a row of its own for each fault', () => {
    const ids = scenarios.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });
});
