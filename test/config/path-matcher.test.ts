import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mergeConfigs, PathMatcher, PatternError, substitute } from '../../config/path-matcher.ts';
import { readPath } from '../../dtab/parse.ts';
import { Path } from '../../dtab/path.ts';

const extract = (pattern: string, path: string) => new PathMatcher(pattern).extract(readPath(path));

describe('PathMatcher', () => {
  it('matches the beginning of a path', () => {
    assert.deepEqual(extract('/a/*/c', '/a/b/c/d'), {});
    assert.equal(extract('/a/*/c', '/a/b'), undefined);
    assert.deepEqual(extract('/', '/a'), {});
    assert.deepEqual(extract('', '/'), {});
    assert.deepEqual(extract('a/b', '/a/b'), {});
  });

  it('lets the first capture take the most', () => {
    assert.deepEqual(extract('/{a}-{b}', '/x-y-z'), { a: 'x-y', b: 'z' });
    assert.deepEqual(extract('/{a}.{b}.{c}', '/1.2.3.4.5'), { a: '1.2.3', b: '4', c: '5' });
  });

  it('finds the literal text anywhere in the segment, unless it is tied to an end', () => {
    assert.deepEqual(extract('/{h}.com', '/foo.com.evil'), { h: 'foo' });
    assert.equal(extract('/{h}.com$', '/foo.com.evil'), undefined);
    assert.deepEqual(extract('/{h}.com$', '/foo.com.com'), { h: 'foo.com' });
    assert.deepEqual(extract('/web-{v}', '/my-web-2'), { v: '2' });
    assert.equal(extract('/^web-{v}', '/my-web-2'), undefined);
    assert.deepEqual(extract('/^web-{v}', '/web-2'), { v: '2' });
  });

  it('gives a name that stands twice its last value', () => {
    assert.deepEqual(extract('/{a}-{a}/{b}/{b}', '/1-2/3/4'), { a: '2', b: '4' });
  });

  it('compares the printed form', () => {
    assert.deepEqual(extract('/\\x61\\x2f', '/a\\x2f'), {});
    assert.deepEqual(extract('/{a}', '/\\xff'), { a: '\\xff' });
  });

  it('knows the names of its captures', () => {
    assert.deepEqual(new PathMatcher('/{ns}/*/{svc}:{port}/{my-var}').names, ['ns', 'svc', 'port']);
  });

  it('refuses what linkerd would read as a regular expression, with a reason', () => {
    for (const pattern of [
      '/{a}+',
      '/({a}|{b})',
      '/{a}{my-var}',
      '/{a}[0-9]',
      '/x$y{a}',
      '/{a}\\d',
      '/{a}*',
    ]) {
      assert.throws(() => new PathMatcher(pattern), PatternError, pattern);
    }
    assert.throws(() => new PathMatcher(`/${'{a}'.repeat(17)}`), /at most 16 captures/);
    assert.throws(() => new PathMatcher('/a'.repeat(6000)), /10000 characters/);
  });

  it('does what the regular expression of linkerd does', () => {
    const literal = fc.stringMatching(/^[ab.:]{0,3}$/);
    const segment = fc.array(literal, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(segment, fc.boolean(), fc.stringMatching(/^[ab.:]{1,10}$/), (literals, toEnd, text) => {
        const names = literals.slice(1).map((_, i) => `v${i}`);
        const end = toEnd ? '$' : '';
        const pattern = literals.map((each, i) => `${i > 0 ? `{v${i - 1}}` : ''}${each}`).join('') + end;
        const match = new RegExp(literals.map((each) => each.replaceAll('.', '\\.')).join('(.*)') + end).exec(
          text,
        );
        const expected =
          match === null ? undefined : Object.fromEntries(names.map((n, i) => [n, match[i + 1]]));
        assert.deepEqual(new PathMatcher(`/${pattern}`).extract(Path.of(text)), expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes time linear in the segment', () => {
    const matcher = new PathMatcher(`/${'{a}x'.repeat(16)}y`);
    const start = performance.now();
    assert.equal(matcher.extract(Path.of('x'.repeat(1_000_000))), undefined);
    assert.ok(performance.now() - start < 2000);
  });
});

describe('substitute', () => {
  it('replaces what has a value and leaves the rest', () => {
    assert.equal(substitute({ a: '1' }, '{a}{b}{a}{'), '1{b}1{');
    assert.equal(substitute({ a: '1' }, '{{a}}'), '{1}');
    assert.equal(substitute({}, '{toString}'), '{toString}');
  });

  it('does not look into what it has put in', () => {
    assert.equal(substitute({ a: '{b}', b: '$&' }, '{a} {b}'), '{b} $&');
  });
});

describe('mergeConfigs', () => {
  type Params = { tls?: string; timeoutMs?: number; pool?: number };
  const configs: { prefix: PathMatcher; params: Params }[] = [
    { prefix: new PathMatcher('/'), params: { timeoutMs: 1, pool: 5 } },
    { prefix: new PathMatcher('/#/k8s/{ns}/*/{svc}'), params: { tls: '{svc}.{ns}' } },
    { prefix: new PathMatcher('/#/k8s/{x}'), params: { timeoutMs: 2 } },
  ];

  it('takes each parameter from the last entry that has it, with the captures of that entry', () => {
    const merged = mergeConfigs(configs, readPath('/#/k8s/prod/http/web'));
    assert.deepEqual(merged.params, { timeoutMs: 2, pool: 5, tls: '{svc}.{ns}' });
    assert.deepEqual(merged.variablesOf('tls'), { ns: 'prod', svc: 'web' });
    assert.deepEqual(merged.variablesOf('timeoutMs'), { x: 'prod' });
    assert.deepEqual(merged.variablesOf('pool'), {});
  });

  it('leaves out what no matching entry has', () => {
    const merged = mergeConfigs(configs, readPath('/$/inet/127.1/80'));
    assert.deepEqual(merged.params, { timeoutMs: 1, pool: 5 });
    assert.deepEqual(merged.variablesOf('tls'), {});
  });
});
