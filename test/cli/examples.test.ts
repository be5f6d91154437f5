/** Every YAML example of the documentation is a configuration that loads. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { renderDiagnostic } from '../../config/errors.ts';
import { loadConfig } from '../../config/load.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const documents = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).sort()];

describe('The configurations in the documentation', () => {
  for (const document of documents) {
    const text = readFileSync(join(root, document), 'utf8');
    for (const match of text.matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)) {
      const line = text.slice(0, match.index).split('\n').length;
      it(`load: ${document}, line ${line}`, () => {
        const source = `${document}:${line}`;
        const loaded = loadConfig(match[1] ?? '', { source, readable: standing });
        const errors = 'errors' in loaded ? loaded.errors : [];
        assert.equal([...errors, ...loaded.warnings].map(renderDiagnostic).join('\n'), '');
      });
    }
  }
});

/** The files that examples name stand on no machine of ours. */
const standing = (path: string): 'file' | 'directory' => (/\.\w+$/.test(path) ? 'file' : 'directory');
