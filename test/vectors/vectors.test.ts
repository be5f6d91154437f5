/** The naming conformance vectors, one test a file. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { check, loadVectors, opsFor } from './check.ts';

describe('vectors', () => {
  for (const [file, vectors] of loadVectors(import.meta.dirname)) {
    it(`${file} passes`, async () => {
      const ops = await opsFor(file);
      for (const vector of vectors) {
        const problem = await check(vector, ops);
        assert.equal(problem, undefined, `${vector.name}: ${JSON.stringify(problem)}`);
      }
    });
  }
});
