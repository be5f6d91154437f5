import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Diagnostics, renderDiagnostic } from '../../config/errors.ts';
import { get, offsetsWithin, toJson } from '../../config/value.ts';
import { parseText } from '../../config/yaml.ts';

function read(text: string): { json: unknown; errors: string[] } {
  const diagnostics = new Diagnostics('f', text);
  const value = parseText(diagnostics);
  return {
    json: value && toJson(value),
    errors: diagnostics
      .errors()
      .map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`),
  };
}

/** Where the first occurrence of `part` in the string under `s` stands in the text. */
function placeOf(part: string, text: string): string {
  const diagnostics = new Diagnostics('f', text);
  const value = get(parseText(diagnostics), 's');
  assert.ok(value?.type === 'string');
  const [offset = -1] = offsetsWithin(text, value, [value.value.indexOf(part)]);
  return text.slice(offset, offset + part.length);
}

describe('A configuration text', () => {
  it('is JSON when it begins with a brace, and then strictly so', () => {
    assert.deepEqual(read('\n {"a": [1, true, null, "x\\u0041\\n"], "b": {}}').json, {
      a: [1, true, null, 'xA\n'],
      b: {},
    });
    assert.deepEqual(read('\uFEFF{"a": -1.5e3}').json, { a: -1500 });
    for (const text of [
      '{a: 1}',
      "{'a': 1}",
      '{"a": 1,}',
      '{"a": 01}',
      '{"a": "\n"}',
      '{"a" 1}',
      '{} x',
      '{"a": [1 2]}',
      '{',
      '{"a": "',
    ]) {
      const { json, errors } = read(text);
      assert.equal(json, undefined, text);
      assert.equal(errors.length, 1);
      assert.match(errors[0] ?? '', /strict JSON/);
    }
  });

  it('is YAML 1.2 otherwise: yes and no are text, 010 is ten', () => {
    assert.deepEqual(read('a: yes\nb: off\nc: 010\nd: 0x10\ne: 1_000\nf: ~\ng: !!str 1').json, {
      a: 'yes',
      b: 'off',
      c: 10,
      d: 16,
      e: '1_000',
      g: '1',
    });
    assert.deepEqual(read('%YAML 1.1\n---\na: yes\nb: 2001-01-01').json, { a: 'yes', b: '2001-01-01' });
  });

  it('reports duplicate keys at any depth, in YAML and JSON, and goes on', () => {
    assert.deepEqual(read('a: {b: [{c: 1, c: 2}]}\na: 3').errors, [
      '1:16 a.b[0].c: duplicate key "c"',
      '2:1 a: duplicate key "a"',
    ]);
    assert.deepEqual(read('{"a": {"b": 1, "b": 2}}').errors, ['1:16 a.b: duplicate key "b"']);
    assert.deepEqual(read('a: 1\n"a": 2').errors, ['2:1 a: duplicate key "a"']);
  });

  it('is refused when it is empty, several documents, tagged, or has keys that are no words', () => {
    assert.deepEqual(read(' \n').errors, ['1:1 : the configuration is empty']);
    assert.match(read('a: 1\n---\nb: 2').errors.join(), /here begins another/);
    assert.match(read('a: !!binary x').errors.join(), /tag/);
    assert.match(read('? [a]\n: 1').errors.join(), /a key must be a plain word/);
    assert.match(read('~: 1').errors.join(), /a key must be a plain word/);
    assert.match(read('a: "x').errors.join(), /1:6/);
  });

  it('may use anchors and aliases, whose values are as if written out', () => {
    assert.deepEqual(read('a: &x {k: &y [1]}\nb: [*x, *y]').json, { a: { k: [1] }, b: [{ k: [1] }, [1]] });
    assert.deepEqual(read('a: &x 1\nb: *x\nc: &x 2\nd: *x').json, { a: 1, b: 1, c: 2, d: 2 });
    assert.match(read('a: *x').errors.join(), /the alias \*x has no anchor/);
    assert.match(read('a: &x [*x]').errors.join(), /inside its own anchor/);
    assert.deepEqual(read('a: &x {k: 1}\nb: {<<: *x}').json, { a: { k: 1 }, b: { '<<': { k: 1 } } });
  });

  it('cannot be blown up by aliases of aliases, in number or in depth', () => {
    const laughs = [
      'a0: &a0 [1]',
      ...range(12, (i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]`),
    ].join('\n');
    assert.match(read(laughs).errors.join(), /more than 500000 values/);
    const deep = ['a0: &a0 [1]', ...range(100, (i) => `a${i + 1}: &a${i + 1} [*a${i}]`)].join('\n');
    assert.match(read(deep).errors.join(), /nested deeper than 64 levels/);
  });

  it('has limits on length and depth', () => {
    assert.match(read('a'.repeat(4 * 1024 * 1024 + 1)).errors.join(), /longer than 4 MB/);
    for (const text of [
      '['.repeat(50_000),
      '- '.repeat(3000),
      '{"a":'.repeat(100),
      `${range(70, (i) => `${' '.repeat(i)}a:`).join('\n')} 1`,
    ]) {
      assert.match(read(text).errors.join(), /nested deeper than 64 levels/);
    }
    assert.deepEqual(read(`a: "${'['.repeat(100)}"`).errors, []);
  });

  it('knows where a piece of a string stands, however it is written', () => {
    for (const text of [
      's: /svc => /web',
      's: "/svc => /web"',
      "s: '/svc => /web'",
      's: |\n  /a => /b;\n  /svc => /web',
      's: >-  # /web\n  /svc =>\n     /web',
      's: /svc\n  => /web',
      '{"s": "\\n/svc => \\u0020/web"}',
    ]) {
      assert.equal(placeOf('/web', text), '/web', text);
    }
  });

  it('never makes the reader throw', () => {
    const piece = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '|',
      '>',
      '&x',
      '*x',
      '#',
      ',',
      '!',
      '%',
      '?',
      '\t',
      '1',
      '~',
      '\\',
      '<<',
      '---',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (sample) => {
        const diagnostics = new Diagnostics('f', sample);
        const value = parseText(diagnostics);
        assert.equal(value === undefined, diagnostics.has('syntax'));
        diagnostics.errors().forEach(renderDiagnostic);
      }),
      { numRuns: 1500 },
    );
  });

  it('reads the JSON that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (object) => {
        const { json, errors } = read(JSON.stringify(object));
        assert.deepEqual(errors, []);
        assert.deepEqual(json, JSON.parse(JSON.stringify(object, withoutNulls)));
      }),
    );
  });
});

describe('A rendered mistake', () => {
  it('shows the line with a caret, tabs kept and control characters replaced', () => {
    const diagnostics = new Diagnostics('f.yaml', 'x: 1\r\n\ta:\u001b[31m b\r\n');
    diagnostics.error('type', 8, 'a', 'no \u0007');
    assert.equal(
      diagnostics.errors().map(renderDiagnostic).join(),
      'f.yaml:2:3 a: no ?\n  2 | \ta:?[31m b\n    | \t ^',
    );
  });

  it('cuts a long line around the caret', () => {
    const diagnostics = new Diagnostics('f', `${'x'.repeat(500)}!${'y'.repeat(500)}`);
    diagnostics.error('type', 500, '', 'here');
    const [, line = '', caret = ''] = diagnostics.errors().map(renderDiagnostic).join().split('\n');
    assert.equal(line.length < 130, true);
    assert.equal(line[caret.indexOf('^')], '!');
  });
});

function range<T>(count: number, f: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => f(i));
}

/** Nulls in objects are absent keys. */
function withoutNulls(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null));
}
