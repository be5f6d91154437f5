/**
 * Golden files: every configuration in the folder, and beside it what is printed about it (`.txt`, absent
 * when nothing is) and the spec that it becomes (`.spec.json`, absent when it is refused).
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { renderDiagnostic } from '../../config/errors.ts';
import { loadConfig } from '../../config/load.ts';
import { readable } from './harness.ts';

const folder = fileURLToPath(new URL('golden', import.meta.url));
const inputs = globSync(['*.yaml', '*.json'], { cwd: folder, exclude: ['*.spec.json'] }).sort();

describe('loadConfig', () => {
  for (const name of inputs) {
    it(`says and makes of golden/${name} what stands beside it`, () => {
      const loaded = loadConfig(read(name), { source: name, readable });
      const printed = [
        ...loaded.warnings.map((warning) => `warning: ${renderDiagnostic(warning)}\n`),
        ...('errors' in loaded ? loaded.errors.map((error) => `${renderDiagnostic(error)}\n`) : []),
      ].join('');
      assert.equal(printed, read(`${name}.txt`));
      const expected = read(`${name}.spec.json`);
      const made: unknown = 'spec' in loaded ? JSON.parse(JSON.stringify(loaded.spec)) : undefined;
      assert.deepEqual(made, expected === '' ? undefined : JSON.parse(expected));
    });
  }
});

function read(name: string): string {
  const path = `${folder}/${name}`;
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
