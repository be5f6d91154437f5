import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Name, Namer, NameTree } from '../../dtab/names.ts';
import { readPath } from '../../dtab/parse.ts';
import { Path } from '../../dtab/path.ts';
import { RewriteNamer } from '../../namers/rewrite.ts';
import { systemNamer } from '../../namers/system.ts';
import { okActivity, type State } from '../../src/base/activity.ts';

function answer(namer: Namer, path: string): string {
  let state: State<NameTree<Name>> | undefined;
  namer
    .lookup(readPath(path))
    .observe((next) => {
      state = next;
    })
    .close();
  if (state?.state === 'failed') return `failed: ${state.failure.message}`;
  if (state?.state !== 'ok') return 'pending';
  const tree = state.value;
  return tree.type === 'leaf' && tree.value instanceof Path ? tree.value.show : tree.type;
}

describe('systemNamer', () => {
  const system = systemNamer({
    inet: (rest) => (rest.isEmpty ? undefined : okActivity({ type: 'leaf', value: rest })),
  });

  const cases: [string, string][] = [
    ['/', 'neg'],
    ['/nil/a', 'empty'],
    ['/fail', 'fail'],
    ['/inet/80', '/80'],
    ['/io.buoyant.hostportPfx/p/h:80:', '/p/h/80'],
    ['/io.buoyant.hostportPfx/p/h:', 'neg'],
    ['/io.buoyant.hostportPfx/p/h:a-', '/p/h/a-'],
    ['/io.buoyant.http.subdomainOf/a.b/.a.b', 'neg'],
    ['/io.buoyant.http.subdomainOf/a.b/x.y.a.b:80/z', '/x.y/z'],
    ['/io.buoyant.http.subdomainOfPfx/a%b/p/x.a%b', 'neg'],
    ['/io.buoyant.http.domainToPath/.', '/'],
    ['/io.buoyant.http.domainToPathPfx/p/a.b:80/x', '/p/b:80/a/x'],
    ['/io.buoyant.http.anyMethod', 'neg'],
  ];
  for (const [path, expected] of cases) {
    it(`answers /$${path} with ${expected}`, () => assert.equal(answer(system, path), expected));
  }

  it('fails for a name that it does not know, or that is not of its shape', () => {
    assert.equal(answer(system, '/inet'), 'failed: Unknown namer: inet for path: /$/inet');
    assert.equal(answer(system, '/x.Y/z'), 'failed: Unknown namer: x.Y for path: /$/x.Y/z');
    for (const name of ['constructor', '__proto__', 'toString']) {
      assert.match(answer(system, `/${name}`), /^failed: Unknown namer/);
    }
  });

  it('fails for a rewriting that would leave an empty segment', () => {
    assert.match(answer(system, '/io.buoyant.http.domainToPath/.a'), /^failed: .*empty segment/);
    assert.match(answer(system, '/io.buoyant.porthostPfx/p/:80'), /^failed: .*empty segment/);
  });
});

describe('io.l5d.rewrite', () => {
  it('drops what follows the pattern', () => {
    const namer = new RewriteNamer('/{svc}.{ns}', '/#/io.l5d.k8s/{ns}/http/{svc}');
    assert.equal(answer(namer, '/web.prod/more'), '/#/io.l5d.k8s/prod/http/web');
    assert.equal(answer(namer, '/web'), 'neg');
  });

  it('fails when the result is no path', () => {
    const namer = new RewriteNamer('/{a}:{b}', '/{a}/{b}');
    assert.match(answer(namer, '/x:'), /^failed: io\.l5d\.rewrite makes no path of \/x:: a label expected/);
  });
});
