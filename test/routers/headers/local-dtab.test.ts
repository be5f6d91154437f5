import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '../../../routers/fields.ts';
import { appendLocalDtab, LocalDtabs, noOverride } from '../../../routers/headers/local-dtab.ts';
import { Failure } from '../../../src/base/failure.ts';

function take(dtabs: LocalDtabs, ...pairs: [string, string][]): string | Failure {
  const fields = Fields.of(pairs);
  const answer = dtabs.take(fields);
  assert.deepEqual(
    fields.pairs().filter(([name]) => /dtab/i.test(name)),
    [],
  );
  return answer instanceof Failure ? answer : answer.show;
}

describe('LocalDtabs', () => {
  it('puts the tables of the user after those of the context, whatever their order', () => {
    assert.equal(
      take(
        new LocalDtabs(),
        ['L5d-Dtab', '/a=>/u'],
        ['l5d-ctx-dtab', '/a => /c'],
        ['l5d-dtab', '/b=>/v;/c=>/w;'],
      ),
      '/a=>/c;/a=>/u;/b=>/v;/c=>/w',
    );
  });

  it('has nothing for requests without a header', () => {
    assert.equal(new LocalDtabs().take(Fields.of([['Host', 'a']])), noOverride);
    assert.equal(new LocalDtabs().take(Fields.of([['l5d-dtab', '']])), noOverride);
  });

  it('refuses all when one is bad, and still removes them', () => {
    for (const bad of ['nope', '/a', '/a=>/b,/c=>/d', ';']) {
      const answer = take(new LocalDtabs(), ['l5d-ctx-dtab', '/a=>/b'], ['l5d-dtab', bad]);
      assert.ok(answer instanceof Failure, bad);
      assert.equal(answer.kind, 'bad-dtab');
      assert.match(answer.message, /^l5d-dtab:1:\d+: expected /);
    }
  });

  it('does not confuse two headers with one', () => {
    const dtabs = new LocalDtabs();
    assert.equal(take(dtabs, ['l5d-dtab', '/a=>/b'], ['l5d-dtab', '/c=>/d']), '/a=>/b;/c=>/d');
    assert.ok(take(dtabs, ['l5d-dtab', '/a=>/b/c=>/d']) instanceof Failure);
  });

  it('parses an override once and remembers a bounded number', () => {
    const dtabs = new LocalDtabs();
    const request = () => dtabs.take(Fields.of([['l5d-dtab', '/a=>/b']]));
    assert.equal(request(), request());
    for (let i = 0; i < 5000; i++) {
      take(dtabs, ['l5d-dtab', `/a=>/${i}`]);
      if (i % 100 === 0) request();
    }
    assert.ok(dtabs.size <= 512, `size ${dtabs.size}`);
  });

  it('does not remember long or bad ones', () => {
    const dtabs = new LocalDtabs();
    take(dtabs, ['l5d-dtab', 'nope']);
    assert.equal(typeof take(dtabs, ['l5d-dtab', `/a=>/${'b'.repeat(4000)}`]), 'string');
    assert.equal(dtabs.size, 0);
  });

  it('is written only when there is one', () => {
    assert.equal(appendLocalDtab('x', ''), 'x');
    assert.equal(appendLocalDtab('', '/a=>/b'), 'l5d-ctx-dtab: /a=>/b\r\n');
  });
});
