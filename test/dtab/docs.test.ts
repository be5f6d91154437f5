import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readDtab } from '../../dtab/parse.ts';

describe('docs/dtab.md', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/dtab.md'), 'utf8');

  it('shows tables that can be read', () => {
    const tables = [...text.matchAll(/```dtab\n([\s\S]*?)```/g)].map(([, table = '']) => table);
    assert.ok(tables.length > 0);
    for (const table of tables) assert.ok(readDtab(table).length > 0);
  });

  it('shows an override that can be read', () => {
    const [, header = ''] = /l5d-dtab: ([^']*)'/.exec(text) ?? [];
    assert.equal(readDtab(header).length, 1);
  });
});
