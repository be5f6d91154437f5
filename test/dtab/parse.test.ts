import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Dentry } from '../../dtab/names.ts';
import { readDentry, readDtab, readPath, readPrefix, readTree } from '../../dtab/parse.ts';
import { showDentry, showDtab, showPrefix, showTree } from '../../dtab/show.ts';
import { DtabSyntaxError } from '../../dtab/syntax-error.ts';
import { anyDtab, anyPath, dentry, prefix, treeOf } from './arbitrary.ts';

const readers = [readPath, readPrefix, readTree, readDentry, readDtab];

function syntaxError(read: () => unknown): DtabSyntaxError {
  try {
    read();
  } catch (error) {
    if (error instanceof DtabSyntaxError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'it was read without an error' });
}

function withoutPlace({ prefix: elements, dst }: Dentry): object {
  return { prefix: elements, dst };
}

describe('reading what was printed', () => {
  it('gives the same path', () => {
    fc.assert(fc.property(anyPath, (path) => assert.deepEqual(readPath(path.show).segments, path.segments)));
  });

  it('gives the same prefix', () => {
    fc.assert(
      fc.property(prefix, (elements) => assert.deepEqual(readPrefix(showPrefix(elements)), elements)),
    );
  });

  it('gives the same tree', () => {
    fc.assert(
      fc.property(treeOf(anyPath, 2), (tree) => {
        const shown = showTree(tree);
        assert.deepEqual(showTree(readTree(shown)), shown);
        assert.equal(JSON.stringify(readTree(shown)), JSON.stringify(tree));
      }),
    );
  });

  it('gives the same dentry', () => {
    fc.assert(
      fc.property(dentry, (each) => {
        const read = readDentry(showDentry(each));
        assert.equal(JSON.stringify(withoutPlace(read)), JSON.stringify(withoutPlace(each)));
      }),
    );
  });

  it('gives the same dtab', () => {
    fc.assert(
      fc.property(anyDtab, (dtab) => {
        const read = readDtab(showDtab(dtab));
        assert.equal(JSON.stringify(read.map(withoutPlace)), JSON.stringify(dtab.map(withoutPlace)));
      }),
    );
  });
});

describe('any text', () => {
  const pieces = fc.constantFrom(
    ...['/', '*', '=>', '=', ';', '|', '&', '(', ')', '!', '~', '$', '#', '\\x', '\\', '2', '.5', '\n', ' '],
    ...['a', 'b.c', '\\x2f', '\u2003', '\ufeff', '\u0000', 'é', '/a', '/a => /b', '(/a | /b)'],
  );
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );

  it('is read, or refused with a DtabSyntaxError that has a place within the text', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(...readers), (text, read) => {
        try {
          read(text);
        } catch (error) {
          assert.ok(error instanceof DtabSyntaxError, String(error));
          assert.ok(error.offset >= 0 && error.offset <= text.length);
          assert.ok(error.render().includes('^') && !error.summary.includes('\n'));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('is read again after printing when it was read once', () => {
    fc.assert(
      fc.property(texts, (text) => {
        let shown: string;
        try {
          shown = showDtab(readDtab(text));
        } catch {
          return;
        }
        assert.equal(showDtab(readDtab(shown)), shown);
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused beyond a megabyte, a hundred parentheses, or ten thousand segments', () => {
    const long = syntaxError(() => readDtab(' '.repeat(1024 * 1024 + 1)));
    assert.match(long.message, /expected at most 1048576 characters, found 1048577/);
    const deep = syntaxError(() => readTree(`${'('.repeat(500_000)}/a`));
    assert.match(deep.message, /^dtab:1:101: expected at most 100 nested parentheses/);
    assert.doesNotThrow(() => readTree(`${'('.repeat(100)}/a${')'.repeat(100)}`));
    const wide = syntaxError(() => readPath('/a'.repeat(10_001)));
    assert.match(wide.message, /expected at most 10000 segments/);
  });

  it('takes time linear in its length', () => {
    const hostile = [
      '/a'.repeat(400_000),
      `/a=>/b;`.repeat(100_000),
      '1'.repeat(1_000_000),
      '\n'.repeat(1_000_000),
    ];
    hostile.push(`/a=>${'/b|'.repeat(300_000)}`, `/a=>/b\n;${'#'.repeat(1_000_000)}`);
    const start = performance.now();
    for (const text of hostile) {
      try {
        readDtab(text);
      } catch (error) {
        assert.ok(error instanceof DtabSyntaxError);
      }
    }
    // Quadratic reading would take minutes.
    assert.ok(performance.now() - start < 10_000);
  });
});

describe('readDtab', () => {
  it('gives every entry its place', () => {
    const dtab = readDtab('/a => /b;\n  # more\n  /c =>\n/d ; /e => ~', { source: 'l5d.yaml' });
    assert.deepEqual(
      dtab.map(({ position }) => position),
      [
        { line: 1, column: 1, offset: 0, source: 'l5d.yaml' },
        { line: 3, column: 3, offset: 21, source: 'l5d.yaml' },
        { line: 4, column: 6, offset: 32, source: 'l5d.yaml' },
      ],
    );
  });

  it('counts from where the text stands in a file, whose lines are indented alike', () => {
    const [first, second] = readDtab('/a => /b;\n/c => /d', { start: { line: 10, column: 5, offset: 200 } });
    assert.deepEqual(first?.position, { line: 10, column: 5, offset: 200, source: 'dtab' });
    assert.deepEqual(second?.position, { line: 11, column: 5, offset: 214, source: 'dtab' });
  });

  it('refuses a weight that no double holds', () => {
    assert.match(syntaxError(() => readTree(`${'9'.repeat(400)} * /a & /b`)).message, /a weight that fits/);
  });
});

describe('DtabSyntaxError', () => {
  it('shows the source line and a caret under the offending character', () => {
    const error = syntaxError(() => readDtab('/svc => /srv;\n/svc/web => ;\n'));
    assert.equal(
      error.render(),
      "dtab:2:13: expected a name tree, found ';'\n  2 | /svc/web => ;\n    |             ^",
    );
    assert.deepEqual([error.line, error.column, error.offset], [2, 13, 26]);
  });

  it('says it in one line as linkerd does', () => {
    const { summary } = syntaxError(() => readPath('/foo^bar'));
    assert.equal(summary, "the end of the path expected but '^' found at '/foo[^]bar'");
    assert.equal(
      syntaxError(() => readDtab('/foo =>')).summary,
      "a name tree expected but end of input found at '/foo =>[]'",
    );
  });

  it('shows a part of a long line', () => {
    const error = syntaxError(() =>
      readDtab(`${'/a => /b; '.repeat(1000)}/c = /d; ${'/a => /b; '.repeat(1000)}`),
    );
    const [, line = '', caret = ''] = error.render().split('\n');
    assert.ok(line.length < 120 && error.summary.length < 600);
    assert.equal(line.at(caret.indexOf('^')), ' ');
    assert.equal(line.slice(caret.indexOf('^') - 1).slice(0, 4), '= /d');
  });

  const places: [string, RegExp][] = [
    ['/a', /^dtab:1:3: expected '=>' after the prefix, found end of input/],
    ['/a = /b', /^dtab:1:5: expected '>' after '=', found ' '/],
    ['/a => (/b', /expected '\|', '&' or '\)', found end of input/],
    ['/a => 2 /b', /^dtab:1:9: expected '\*' after the weight, found '\/'/],
    ['/a => 1.2.3*/b', /^dtab:1:10: expected a weight with one dot, found '.'/],
    ['/a => /b /c', /^dtab:1:10: expected '\|', '&', ';' or the end of the dtab, found '\/'/],
    ['/a/ => /b', /^dtab:1:4: expected a label, found ' '/],
    ['/a\\y => /b', /expected 'x' after '\\'/],
    ['/a\\xg0 => /b', /expected a hex digit, found 'g'/],
    ['/\u00e9 => /b', /expected '=>' after the prefix, found '\\xe9'/],
    ['\u263a', /expected a prefix, which starts with '\/', found '\\u\{263a\}'/],
  ];
  for (const [text, message] of places) {
    it(`says what it expected in ${JSON.stringify(text)}`, () => {
      assert.match(syntaxError(() => readDtab(text)).message, message);
    });
  }
});
