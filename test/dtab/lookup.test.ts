import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { concatDtabs, lookup, matching, prefixMatches } from '../../dtab/lookup.ts';
import { readDtab, readPath } from '../../dtab/parse.ts';
import { showTree } from '../../dtab/show.ts';
import { anyDtab, anyPath, fewDtab, fewPaths } from './arbitrary.ts';

describe('matching', () => {
  it('finds what comparing every entry finds, the last one first', () => {
    const tables = fc.oneof(fewDtab, anyDtab);
    const paths = fc.oneof(fewPaths, anyPath);
    fc.assert(
      fc.property(tables, tables, paths, (earlier, later, path) => {
        const dtab = concatDtabs(earlier, later);
        const all = [...earlier, ...later].filter(({ prefix }) => prefixMatches(prefix, path)).reverse();
        assert.deepEqual(matching(dtab, path), all);
        assert.deepEqual(matching([...earlier, ...later], path), all);
      }),
    );
  });

  it('is not confused by labels that objects have as properties', () => {
    const dtab = readDtab('/constructor => /a; /__proto__ => /b');
    assert.equal(showTree(lookup(dtab, readPath('/__proto__/c'))), '/b/c');
    assert.equal(showTree(lookup(dtab, readPath('/toString'))), '~');
  });
});

describe('concatDtabs', () => {
  it('lets the later entries win', () => {
    const dtab = concatDtabs(readDtab('/a => /base'), readDtab('/a => /local'));
    assert.equal(showTree(lookup(dtab, readPath('/a/x'))), '/local/x | /base/x');
  });

  it('gives the other table itself when one is empty', () => {
    const dtab = readDtab('/a => /b');
    assert.equal(concatDtabs(dtab, []), dtab);
    assert.equal(concatDtabs([], dtab), dtab);
  });
});
