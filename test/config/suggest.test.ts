import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { editDistance, suggest } from '../../config/suggest.ts';

describe('editDistance', () => {
  it('counts inserted, deleted, replaced and swapped characters', () => {
    assert.equal(editDistance('port', 'port'), 0);
    assert.equal(editDistance('prot', 'port'), 1);
    assert.equal(editDistance('por', 'port'), 1);
    assert.equal(editDistance('portt', 'port'), 1);
    assert.equal(editDistance('pest', 'port'), 2);
    assert.equal(editDistance('', 'abc'), 3);
  });
});

describe('suggest', () => {
  it('finds the nearest word, upper or lower case alike', () => {
    assert.equal(suggest('prot', ['label', 'port']), 'port');
    assert.equal(suggest('DTAB', ['label', 'dtab']), 'dtab');
    assert.equal(
      suggest('io.l5d.header.tokn', ['io.l5d.header', 'io.l5d.header.token']),
      'io.l5d.header.token',
    );
  });

  it('finds nothing when no word is near, or the word is absurdly long', () => {
    assert.equal(suggest('zzz', ['port', 'label']), undefined);
    assert.equal(suggest('x'.repeat(1000), ['x'.repeat(1000)]), undefined);
  });
});
