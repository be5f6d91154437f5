import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bindByChangingDtab, bindPath } from '../../dtab/bind.ts';
import { lookup, mapTree, matching } from '../../dtab/lookup.ts';
import { type Bound, type Dtab, leaf, type Name, type NameTree, neg } from '../../dtab/names.ts';
import { readDtab, readPath, readTree } from '../../dtab/parse.ts';
import { Path } from '../../dtab/path.ts';
import { showTreeOf } from '../../dtab/show.ts';
import { ok, pending, type State } from '../../src/base/activity.ts';
import { Cell, constant } from '../../src/base/var.ts';
import { fewDtab, fewPaths, treeOf } from './arbitrary.ts';
import { type Answer, boundTo, broken, FakeNamer } from './fake-namer.ts';

const root = Path.empty;

function shown(state: State<NameTree<Bound>> | undefined): string {
  if (state === undefined || state.state === 'pending') return 'pending';
  if (state.state === 'failed') return `failed: ${state.failure.message.split(':')[0]}`;
  return showTreeOf(state.value, (bound) => bound.id.show);
}

/** Binds `path` and collects what is told. */
function rig(dtabText: string, path: string, namers: readonly FakeNamer[]) {
  const told: string[] = [];
  const dtab = readDtab(dtabText);
  const table = namers.map((namer) => ({ prefix: root, namer }));
  const binding = bindPath({ dtab, path: readPath(path), namers: table });
  const subscription = binding.observe((state) => told.push(shown(state)));
  return { told, close: () => subscription.close() };
}

describe('a binding', () => {
  it('follows what the namer answers', () => {
    const namer = new FakeNamer();
    const { told, close } = rig('/svc => /here', '/svc/web', [namer]);
    namer.exists('/here/web');
    namer.waits('/here/web');
    namer.set('/here/web', broken);
    namer.set('/here/web', ok({ type: 'fail' }));
    namer.goes('/here/web');
    assert.deepEqual(told, ['~', '/here/web', 'pending', 'failed: the namer is broken', '!', '~']);
    close();
    assert.equal(namer.listening, 0);
  });

  it('falls back, and returns, as names come and go', () => {
    const namer = new FakeNamer();
    namer.exists('/b');
    const { told, close } = rig('/svc => /a | /b | /c', '/svc', [namer]);
    assert.deepEqual(namer.asked, ['/a', '/b']);
    namer.goes('/b');
    namer.exists('/c');
    namer.exists('/a');
    assert.deepEqual(told, ['/b', '~', '/c', '/a']);
    // Nothing after the first alternative matters now.
    assert.equal(namer.listening, 1);
    close();
  });

  it('leaves a pending or failed member of a union out until it has a value', () => {
    const namer = new FakeNamer(pending);
    const { told, close } = rig('/svc => 0.9*/a & 0.1*/b', '/svc', [namer]);
    namer.set('/b', broken);
    namer.exists('/a');
    namer.exists('/b');
    namer.goes('/a');
    assert.deepEqual(told, ['pending', 'failed: the namer is broken', '/a', '0.90*/a & 0.10*/b', '/b']);
    close();
  });

  it('is not held up by a failure that a union ignores, but stopped by one among alternatives', () => {
    const namer = new FakeNamer();
    namer.set('/bad', broken);
    namer.exists('/a');
    assert.deepEqual(rig('/svc => /bad & /a', '/svc', [namer]).told, ['/a']);
    assert.deepEqual(rig('/svc => /bad | /a', '/svc', [namer]).told, ['failed: the namer is broken']);
  });

  it('is not told of a change that leaves the outcome as it is', () => {
    const namer = new FakeNamer();
    namer.exists('/a');
    const { told, close } = rig('/svc => /a; /other => /b', '/svc', [namer]);
    namer.exists('/b');
    namer.exists('/a');
    namer.set('/a', ok({ type: 'alt', trees: [neg, boundTo(Path.of('a'))] }));
    assert.deepEqual(told, ['/a']);
    close();
  });

  it('is told of a new address set for the same id', () => {
    const namer = new FakeNamer();
    namer.exists('/a');
    const { told, close } = rig('/svc => /a', '/svc', [namer]);
    const addr = constant({ type: 'neg' } as const);
    namer.set('/a', ok(leaf<Name>({ type: 'bound', id: Path.of('a'), addr, residual: root })));
    assert.deepEqual(told, ['/a', '/a']);
    close();
  });

  it('asks only who depends on a change', () => {
    const namer = new FakeNamer();
    for (const name of ['/a', '/b', '/c']) namer.exists(name);
    const { close } = rig('/svc => /a & /b & /c', '/svc', [namer]);
    namer.asked.length = 0;
    namer.goes('/b');
    namer.set('/b', ok(leaf<Name>(Path.of('d'))));
    assert.deepEqual(namer.asked, ['/d']);
    close();
  });

  it('asks the next namer after neg only, and stops listening to it when the first answers', () => {
    const [first, second] = [new FakeNamer(), new FakeNamer()];
    second.exists('/svc');
    const { told, close } = rig('', '/svc', [first, second]);
    assert.deepEqual([first.listening, second.listening], [1, 1]);
    first.waits('/svc');
    assert.deepEqual([first.listening, second.listening], [1, 0]);
    first.goes('/svc');
    first.set('/svc', ok({ type: 'empty' }));
    assert.deepEqual(told, ['/svc', 'pending', '/svc', '$']);
    close();
    assert.deepEqual([first.listening, second.listening], [0, 0]);
  });

  it('takes alternatives of nothing for an answer, as only a plain neg is none', () => {
    const [first, second] = [new FakeNamer(ok(readTree('~ | ~') as NameTree<Name>)), new FakeNamer()];
    second.exists('/svc');
    assert.deepEqual(rig('', '/svc', [first, second]).told, ['~']);
  });

  it('asks the namers when the only entry is ~, and does not when there are two', () => {
    const namer = new FakeNamer();
    namer.exists('/a');
    assert.deepEqual(rig('/a => ~', '/a', [namer]).told, ['/a']);
    assert.deepEqual(rig('/a => ~; /a => ~', '/a', [namer]).told, ['~']);
  });

  it('keeps the watch of a name that is reached another way after a change', () => {
    const namer = new FakeNamer();
    namer.exists('/a');
    namer.set('/x', ok(leaf<Name>(Path.of('a'))));
    const { told, close } = rig('', '/x', [namer]);
    namer.set('/x', ok(leaf<Name>(Path.of('a', 'b'))));
    assert.deepEqual(told, ['/a', '~']);
    assert.equal(namer.listening, 2);
    close();
    assert.equal(namer.listening, 0);
  });

  it('may be left while it is being told', () => {
    const namer = new FakeNamer();
    const binding = bindPath({ dtab: [], path: readPath('/a'), namers: [{ prefix: root, namer }] });
    const told: string[] = [];
    const subscription = binding.observe((state) => {
      told.push(shown(state));
      if (told.length === 2) subscription.close();
    });
    namer.exists('/a');
    namer.goes('/a');
    assert.deepEqual(told, ['~', '/a']);
    assert.equal(namer.listening, 0);
  });
});

describe('a binding by a dtab that changes', () => {
  it('follows the dtab and keeps the watches that it still needs', () => {
    const namer = new FakeNamer();
    namer.exists('/a');
    namer.exists('/b');
    const dtabs = new Cell<State<Dtab>>(pending);
    const told: string[] = [];
    const inputs = { path: readPath('/svc'), namers: [{ prefix: root, namer }] };
    const subscription = bindByChangingDtab(dtabs, inputs).observe((state) => told.push(shown(state)));
    dtabs.set(ok(readDtab('/svc => /a')));
    dtabs.set(ok(readDtab('/svc => /a; /other => /b')));
    dtabs.set(ok(readDtab('/svc => /b')));
    assert.deepEqual(told, ['pending', '/a', '/b']);
    subscription.close();
    assert.equal(namer.listening, 0);
  });
});

describe('limits of a binding', () => {
  const hostile: [string, string][] = [
    ['a loop in a union', '/a => /a & /a'],
    ['a loop behind what does not exist', '/a => /x | /a & /a'],
    ['a path that grows', `/a => /a${'/b'.repeat(4000)}`],
    ['paths that grow in several ways', `/a => /a${'/b'.repeat(900)} & /a${'/c'.repeat(900)}`],
    ['parentheses at every step', `/a => ${'($ & '.repeat(99)}/a${')'.repeat(99)}`],
    ['a wide table', `/a => /b${' & /b'.repeat(1500)}; /b => $${' & $'.repeat(1000)}`],
  ];
  for (const [what, dtab] of hostile) {
    it(`end ${what} soon, with a failure and nothing left open`, () => {
      const namer = new FakeNamer();
      const start = performance.now();
      const { told, close } = rig(dtab, '/a', [namer]);
      assert.match(told.join(), /^failed: More than (10000 steps|500 nested)/);
      close();
      assert.equal(namer.listening, 0);
      assert.ok(performance.now() - start < 2000);
    });
  }

  it('let go of a limit when a change brings the name back below it', () => {
    const namer = new FakeNamer();
    const loop = readTree('/b & /b') as NameTree<Name>;
    namer.set('/b', ok(loop));
    const { told, close } = rig('/a => /b', '/a', [namer]);
    namer.exists('/b');
    assert.deepEqual(told.at(-1), '/b');
    assert.match(told[0] ?? '', /^failed: More than 10000 steps/);
    close();
    assert.equal(namer.listening, 0);
  });

  it('are not used up by changes, however many', () => {
    const namer = new FakeNamer();
    const tree = readTree('/b & /c | /d') as NameTree<Name>;
    const { told, close } = rig('/a => /x | /e', '/a', [namer]);
    for (let i = 0; i < 10_000; i++) namer.set('/x', ok(i % 2 === 0 ? tree : boundTo(Path.of('x'))));
    assert.equal(told.at(-1), '/x');
    assert.equal(namer.listening, 1);
    close();
  });

  it('say how deep, where, and by which entry', () => {
    const dtab = readDtab('/a => /b;\n/b => /a', { source: 'l5d.yaml' });
    let message = '';
    const watch = bindPath({ dtab, path: readPath('/a'), namers: [] }).observe((state) => {
      if (state.state === 'failed') message = state.failure.message;
    });
    watch.close();
    const expected =
      'Max recursion level: 100 reached in Namer lookup: /a; led there by /b=>/a (l5d.yaml:2:1)';
    assert.equal(message, expected);
  });
});

/** The rules of binding, read off the text one by one, for answers that do not change. */
function expected(tree: NameTree<Name>, dtab: Dtab, namer: FakeNamer, depth: number): State<NameTree<Bound>> {
  switch (tree.type) {
    case 'leaf': {
      if (!(tree.value instanceof Path)) return ok(leaf(tree.value));
      const path = tree.value;
      if (depth + 1 > 20) return broken as State<NameTree<Bound>>;
      const found: NameTree<Name> = lookup(dtab, path);
      const entries = matching(dtab, path).length;
      if (entries > 0 && !(entries === 1 && found.type === 'neg'))
        return expected(found, dtab, namer, depth + 1);
      const answer = namer.current(path.show);
      return answer.state === 'ok' ? expected(answer.value, dtab, namer, depth + 1) : answer;
    }
    case 'alt': {
      for (const each of tree.trees) {
        const state = expected(each, dtab, namer, depth);
        if (state.state !== 'ok' || state.value.type !== 'neg') return state;
      }
      return ok(neg);
    }
    case 'union': {
      const states = tree.trees.map((each) => expected(each.tree, dtab, namer, depth));
      if (states.length === 1) return states[0]!;
      const valued = states.flatMap((state, i) =>
        state.state === 'ok' ? [{ weight: tree.trees[i]!.weight, tree: state.value }] : [],
      );
      if (valued.length === 0 && states.length > 0) {
        return states.find(({ state }) => state === 'failed') ?? pending;
      }
      const kept = valued.filter((each) => each.tree.type !== 'neg' && each.tree.type !== 'fail');
      if (kept.length === 0) return ok(neg);
      return ok(kept.length === 1 ? kept[0]!.tree : { type: 'union', trees: kept });
    }
    default:
      return ok(tree);
  }
}

describe('live evaluation', () => {
  const answers: fc.Arbitrary<Answer> = fc.oneof(
    fc.constantFrom<Answer>(pending, broken, ok(neg)),
    fewPaths.map((path): Answer => ok(boundTo(path))),
    treeOf(fewPaths, 0).map((tree): Answer => ok(mapTree<Path, Name>(tree, (path) => path))),
  );
  const changes = fc.array(fc.tuple(fewPaths, answers), { maxLength: 12 });
  const start = fc.constantFrom<Answer>(ok(neg), pending);

  it('always gives what evaluating afresh by the rules gives, and leaves nothing open', () => {
    fc.assert(
      fc.property(fewDtab, fewPaths, start, changes, (dtab, path, initial, steps) => {
        const namer = new FakeNamer(initial);
        const table = [{ prefix: root, namer }];
        let state: State<NameTree<Bound>> = pending;
        const binding = bindPath({ dtab, path, namers: table, depthMax: 20, nodesMax: 3000 });
        const subscription = binding.observe((next) => {
          state = next;
        });
        const check = (): boolean => {
          const now = shown(state);
          if (now.startsWith('failed: More than')) return false;
          const wanted = shown(expected(leaf<Name>(path), dtab, namer, 0));
          assert.equal(now.replace(/^failed.*/, 'failed'), wanted.replace(/^failed.*/, 'failed'));
          return true;
        };
        for (const [at, answer] of steps) {
          if (!check()) break;
          namer.set(at.show, answer);
        }
        subscription.close();
        assert.equal(namer.listening, 0);
      }),
      { numRuns: 400 },
    );
  });
});
