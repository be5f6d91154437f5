import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { listTokens } from '../../../routers/headers/list-tokens.ts';

describe('listTokens', () => {
  it('takes blanks away around members, and nothing else (RFC 9110 5.6.1)', () => {
    assert.deepEqual(listTokens(' a \t,\tb c ,, \xa0d\xa0 ,'), ['a', 'b c', '', '\xa0d\xa0', '']);
    assert.deepEqual(listTokens(''), ['']);
    assert.deepEqual(listTokens(' \t '), ['']);
  });

  it('means what a pattern would', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '\t', ',', '\xa0'), maxLength: 12 });
    fc.assert(
      fc.property(text, (value) =>
        assert.deepEqual(
          listTokens(value),
          value.split(',').map((each) => each.replace(/^[ \t]+|[ \t]+$/g, '')),
        ),
      ),
    );
  });

  it('takes no longer for many blanks inside of a member than for as many letters', () => {
    const time = (inside: string): number => {
      const value = `a${inside.repeat(8000)}b`;
      const begunMs = performance.now();
      for (let i = 0; i < 20; i++) listTokens(value);
      return performance.now() - begunMs;
    };
    // A pattern takes 200 times as long. The best of some rounds, whatever else the machine does.
    const best = (inside: string): number => Math.min(...Array.from({ length: 5 }, () => time(inside)));
    assert.ok(best(' ') < 20 * best('x') + 5);
  });
});
