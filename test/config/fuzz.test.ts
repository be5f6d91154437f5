import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { renderDiagnostic } from '../../config/errors.ts';
import { validateText } from '../../src/validate.ts';
import { load } from './harness.ts';

const names = ['full.yaml', 'issue-2016.yaml', 'linkerd-0.1.yaml', 'linkerd-0.8.yaml', 'not-supported.yaml'];
const samples = names.map((name) => readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8'));
const words = [...new Set(samples.flatMap((sample) => sample.match(/[\w.]+/g) ?? []))];

/** Loading ends, and ends in a spec or in errors that can be shown. */
function loads(text: string): void {
  const loaded = load(text);
  const errors = 'errors' in loaded ? loaded.errors : undefined;
  assert.equal(errors === undefined, 'spec' in loaded);
  assert.notEqual(errors?.length, 0);
  for (const diagnostic of [...(errors ?? []), ...loaded.warnings]) renderDiagnostic(diagnostic);
}

describe('loadConfig, whatever the text', () => {
  it('survives configurations with pieces replaced, repeated or missing', () => {
    const edit = fc.record({
      at: fc.nat(3000),
      length: fc.nat(30),
      text: fc.oneof(
        fc.constantFrom(...words, '~', '[]', '{}', '-1', '"', '\n', ': ', '- '),
        fc.string({ maxLength: 5 }),
      ),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (sample, edits) => {
          let text = sample;
          for (const { at, length, text: piece } of edits) {
            const from = at % (text.length + 1);
            text = text.slice(0, from) + piece + text.slice(from + length);
          }
          loads(text);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('survives objects of known keys with any values', () => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(...words),
        fc.constantFrom(null, true, -1, 0, 4140, 1e9, 0.5, '', '/', '/a', 'http', 'default', 'io.l5d.static'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(...words, 'kind', 'prefix', 'names', 'strict', '__proto__'),
          tie('tree'),
          { maxKeys: 6 },
        ),
      ),
    }));
    fc.assert(
      fc.property(tree, tree, tree, (namers, router, rest) => {
        loads(JSON.stringify({ namers: [namers], routers: [router], tracers: [rest], baseDtab: rest }));
        loads(
          JSON.stringify({
            routers: [{ protocol: 'http', client: { tls: router }, servers: [rest], service: namers }],
          }),
        );
      }),
      { numRuns: 400 },
    );
  });
});

describe('validateText', () => {
  it('answers every mistake as it is printed, and hands warnings over', () => {
    const warnings: string[] = [];
    const errors = validateText('routers: [{protocol: http, maxChunkKB: 1}]', '<stdin>', (line) =>
      warnings.push(line),
    );
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', /^<stdin>:1:11 routers\[0\]: router 'http' has no servers\n/);
    assert.match(warnings.join(), /^warning: <stdin>:1:28 routers\[0\].maxChunkKB: old form/);
  });
});
