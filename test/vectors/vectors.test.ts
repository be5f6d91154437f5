/** The naming conformance vectors, one test a file. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { check, loadVectors, opsFor } from './check.ts';

/** Those of the original projects, and our own, which go where those do not. */
const folders = { original: import.meta.dirname, own: join(import.meta.dirname, 'own') };

for (const [kind, folder] of Object.entries(folders)) {
  describe(`The ${kind} vectors`, () => {
    for (const [file, vectors] of loadVectors(folder)) {
      it(`of ${file} pass`, async () => {
        const ops = await opsFor(file);
        for (const vector of vectors) {
          const problem = await check(vector, ops);
          assert.equal(problem, undefined, `${vector.name}: ${JSON.stringify(problem)}`);
        }
      });
    }
  });
}
