/** The dtab and the config parsers: whatever the text, a result or their own error, in bounded time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { renderDiagnostic } from '../../config/errors.ts';
import { readDtab, readPath, readTree } from '../../dtab/parse.ts';
import { showDtab } from '../../dtab/show.ts';
import { DtabSyntaxError } from '../../dtab/syntax-error.ts';
import { load } from '../config/harness.ts';
import { mutated } from './corpus.ts';

const dtabs: readonly string[] = [
  '/svc => /#/io.l5d.fs;',
  '/a => /b | /c & /d; /e/*/f => 0.5 * /g & 2 * (/h | !) | ~ | $;',
  '# comment\n/svc/web => /$/inet/127.1/8080 ;\n/x\\x20y => /z',
];
const configs: readonly string[] = [
  'routers:\n- protocol: http\n  dtab: /svc => /#/io.l5d.fs\n  servers: [{port: 4140}]\nnamers:\n- kind: io.l5d.fs\n  rootDir: disco\n',
  'admin: {port: 9990}\nrouters: [{protocol: http, servers: [{port: 0, timeoutMs: 5}], client: {hostConnectionPool: {maxSize: 5}}}]\n',
  'telemetry:\n- kind: io.l5d.prometheus\nrouters:\n- &a {protocol: http, label: x, servers: [{port: 1}]}\n',
];

function ownErrorOnly(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof DtabSyntaxError)) throw error;
    error.render();
    return undefined;
  }
}

function quick(what: string, act: () => unknown, ms = 1000): void {
  const before = performance.now();
  act();
  const took = performance.now() - before;
  assert.ok(took < ms, `${what} took ${took} ms`);
}

describe('The dtab parser, whatever the text', () => {
  it('ends in a table that prints as itself, or in a syntax error', () => {
    fc.assert(
      fc.property(fc.oneof(mutated(dtabs, 5), fc.string({ unit: 'binary', maxLength: 60 })), (text) => {
        const dtab = ownErrorOnly(() => readDtab(text));
        if (dtab === undefined) return;
        const shown = showDtab(dtab as ReturnType<typeof readDtab>);
        assert.equal(showDtab(readDtab(shown)), shown);
        assert.match(shown, /^[\x20-\x7e]*$/);
      }),
      { numRuns: 4000 },
    );
  });

  it('ends in time for what is deep, long or repeated', () => {
    for (const text of [
      '('.repeat(50_000),
      '/a => '.repeat(20_000),
      '/a'.repeat(50_000),
      `/a => ${'/b | '.repeat(20_000)}`,
      '/a => /b;'.repeat(20_000),
      '0'.repeat(100_000),
      '\\x'.repeat(50_000),
    ]) {
      quick(text.slice(0, 10), () => ownErrorOnly(() => readDtab(text)));
      quick(text.slice(0, 10), () => ownErrorOnly(() => readTree(text)));
      quick(text.slice(0, 10), () => ownErrorOnly(() => readPath(text)));
    }
  });
});

describe('The config parser, whatever the text', () => {
  const loads = (text: string): void => {
    const loaded = load(text);
    const errors = 'errors' in loaded ? loaded.errors : [];
    for (const diagnostic of [...errors, ...loaded.warnings]) renderDiagnostic(diagnostic);
  };

  it('ends in a spec or in errors that can be shown', () => {
    fc.assert(
      fc.property(fc.oneof(mutated(configs, 4), fc.string({ unit: 'binary', maxLength: 80 })), loads),
      { numRuns: 600 },
    );
  });

  it('ends in time for what is deep, long or refers to itself', () => {
    const levels = [...'bcdefgh'].map((name, i) => `${name}: &${name} [${`*${'abcdefgh'[i]},`.repeat(8)}]`);
    const bomb = `a: &a [x,x,x,x,x,x,x,x]\n${levels.join('\n')}\n`;
    for (const text of [
      '['.repeat(20_000),
      '{a: '.repeat(5_000),
      'a: '.repeat(5_000),
      '- '.repeat(5_000),
      'a: 1\n'.repeat(5_000),
      `a: "${'x'.repeat(200_000)}"`,
      '&a '.repeat(5_000),
      bomb,
      '? '.repeat(3_000),
      '"\\u'.repeat(5000),
    ]) {
      quick(text.slice(0, 10), () => loads(text), 4000);
    }
  });
});
