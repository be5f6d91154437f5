import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { delegateNow, delegatePath, delegateSettled } from '../../dtab/delegate.ts';
import { type Delegation, transformDelegation } from '../../dtab/delegation.ts';
import { explain } from '../../dtab/explain.ts';
import { readDtab, readPath } from '../../dtab/parse.ts';
import { Path } from '../../dtab/path.ts';
import { showDentry } from '../../dtab/show.ts';
import { ok } from '../../src/base/activity.ts';
import { Failure } from '../../src/base/failure.ts';
import { boundTo, broken, FakeNamer } from './fake-namer.ts';

const FS = Path.of('#', 'fs');

function inputs(dtab: string, path: string, namer: FakeNamer) {
  const table = [{ prefix: FS, namer }];
  return { dtab: readDtab(dtab, { source: 'l5d.yaml' }), path: readPath(path), namers: table };
}

/** A delegation as nested lists: type, path, entry, and what is below. */
function outline(tree: Delegation | Failure): unknown {
  if (tree instanceof Failure) return tree.message;
  if (tree.type === 'transformation') return [tree.name, tree.path.show, outline(tree.tree)];
  const head = [tree.type, tree.path.show, tree.dentry === undefined ? '' : showDentry(tree.dentry)];
  if (tree.type === 'delegate') return [...head, outline(tree.tree)];
  if (tree.type === 'alt') return [...head, ...tree.trees.map(outline)];
  if (tree.type === 'union') return [...head, ...tree.trees.map((each) => outline(each.tree))];
  return head;
}

describe('a delegation', () => {
  it('does not grow with the square of the entries that match, however they lead on', () => {
    const namer = new FakeNamer();
    for (const text of ['/*/*=>/svc/x;', '/svc=>/svc/a;', '/svc=>/svc/a & /svc/b;']) {
      const tree = delegateNow(inputs(text.repeat(500), '/svc/web', namer));
      // The budget of an evaluation, and once more the entries that match where it is spent.
      const size = JSON.stringify(outline(tree)).split('[').length;
      assert.ok(size < 12_000, `${size} nodes for ${text}`);
    }
  });

  it('shows every alternative, with the entry that led to it', () => {
    const namer = new FakeNamer();
    namer.exists('/b');
    const tree = delegateNow(inputs('/svc => /#/fs/b | /#/fs/c; /svc => /#/fs/a', '/svc', namer));
    assert.deepEqual(outline(tree), [
      'alt',
      '/svc',
      '',
      ['neg', '/#/fs/a', '/svc=>/#/fs/a'],
      ['leaf', '/#/fs/b', '/svc=>/#/fs/b | /#/fs/c'],
      ['neg', '/#/fs/c', '/svc=>/#/fs/b | /#/fs/c'],
    ]);
    assert.equal(namer.listening, 0);
  });

  it('knows where the entry is written', () => {
    const tree = delegateNow(inputs('\n  /svc => /#/fs', '/svc/web', new FakeNamer()));
    assert.ok(!(tree instanceof Failure) && tree.type === 'delegate' && tree.tree.type === 'neg');
    assert.deepEqual(tree.tree.dentry?.position, { line: 2, column: 3, offset: 3, source: 'l5d.yaml' });
  });

  it('shows a branch that leads back to itself as an exception', () => {
    const tree = delegateNow(inputs('/svc => /loop | /#/fs/a; /loop => /loop', '/svc', new FakeNamer()));
    assert.deepEqual(outline(tree), [
      'alt',
      '/svc',
      '',
      ['exception', '/svc', '/svc=>/loop | /#/fs/a'],
      ['neg', '/#/fs/a', '/svc=>/loop | /#/fs/a'],
    ]);
  });

  it('is a failure when the name leads back to itself', () => {
    assert.match(
      String(outline(delegateNow(inputs('/a => /a', '/a', new FakeNamer())))),
      /^Max recursion level/,
    );
  });

  it('shows what a namer failed with, and that it has not answered', () => {
    const namer = new FakeNamer();
    namer.set('/bad', broken);
    namer.waits('/slow');
    const tree = delegateNow(inputs('/svc => /#/fs/bad & /#/fs/slow', '/svc', namer));
    assert.deepEqual(outline(tree), [
      'union',
      '/svc',
      '',
      ['exception', '/#/fs/bad', '/svc=>/#/fs/bad & /#/fs/slow'],
      ['pending', '/#/fs/slow', '/svc=>/#/fs/bad & /#/fs/slow'],
    ]);
  });

  it('shows the namer when the only entry is ~ and so does not count', () => {
    const namer = new FakeNamer();
    namer.exists('/web');
    assert.deepEqual(outline(delegateNow(inputs('/#/fs/web => ~', '/#/fs/web', namer))), [
      'leaf',
      '/#/fs/web',
      '',
    ]);
  });

  it('shows the entry that says ~ when the namers know nothing either', () => {
    const tree = delegateNow(inputs('/#/fs/web => ~', '/#/fs/web', new FakeNamer()));
    assert.deepEqual(outline(tree), ['delegate', '/#/fs/web', '', ['neg', '/', '/#/fs/web=>~']]);
  });

  it('is live', () => {
    const namer = new FakeNamer();
    const types: string[] = [];
    const watch = delegatePath(inputs('/svc => /#/fs', '/svc/a', namer)).observe((state) => {
      if (state.state === 'ok' && state.value.type === 'delegate') types.push(state.value.tree.type);
    });
    namer.exists('/a');
    namer.set('/a', ok({ type: 'empty' }));
    watch.close();
    assert.deepEqual(types, ['neg', 'leaf', 'empty']);
    assert.equal(namer.listening, 0);
  });

  it('can be waited for until every step is answered', async () => {
    const namer = new FakeNamer();
    namer.waits('/a');
    const settled = delegateSettled(inputs('/svc => /#/fs/a | /#/fs/b', '/svc', namer));
    namer.exists('/a');
    assert.deepEqual(outline(await settled), [
      'alt',
      '/svc',
      '',
      ['leaf', '/#/fs/a', '/svc=>/#/fs/a | /#/fs/b'],
      ['neg', '/#/fs/b', '/svc=>/#/fs/a | /#/fs/b'],
    ]);
    await Promise.resolve();
    assert.equal(namer.listening, 0);
  });

  it('gives what there is when the waiting is over', async () => {
    const namer = new FakeNamer();
    namer.waits('/a');
    const waiting = new AbortController();
    const settled = delegateSettled(inputs('/svc => /#/fs/a', '/svc', namer), waiting.signal);
    waiting.abort();
    assert.deepEqual(outline(await settled), [
      'delegate',
      '/svc',
      '',
      ['pending', '/#/fs/a', '/svc=>/#/fs/a'],
    ]);
    await Promise.resolve();
    assert.equal(namer.listening, 0);
    const over = await delegateSettled(inputs('', '/#/fs/a', namer), AbortSignal.abort());
    assert.deepEqual(outline(over), ['pending', '/#/fs/a', '']);
  });

  it('shows what a transformer makes of a bound name', () => {
    const namer = new FakeNamer();
    namer.exists('/web');
    const tree = delegateNow(inputs('/svc => /#/fs', '/svc/web', namer));
    assert.ok(!(tree instanceof Failure));
    const transformed = transformDelegation(tree, 'port', (bound) => ({
      ...bound,
      id: Path.of('%', 'port').concat(bound.id),
    }));
    assert.deepEqual(
      outline(transformed),
      ['delegate', '/svc', '', ['port', '/#/fs/web', ['leaf', '/%/port/web', '/svc=>/#/fs']]].with(
        1,
        '/svc/web',
      ),
    );
  });
});

describe('explain', () => {
  const of = (dtab: string, path: string, namer = new FakeNamer(), suggest?: (path: Path) => string[]) =>
    explain(delegateNow(inputs(dtab, path, namer)), suggest);

  it('says nothing about a name that is bound', () => {
    const namer = new FakeNamer();
    namer.set('/web', ok(boundTo(Path.of('web'))));
    assert.equal(of('/svc => /#/fs | !', '/svc/web', namer), undefined);
  });

  it('names the entry, its place, the answer and the nearest names', () => {
    const suggest = (path: Path) => (path.show === '/#/fs/wbe' ? ['/#/fs/web'] : []);
    assert.equal(
      of('# the table\n/svc => /#/fs', '/svc/wbe', new FakeNamer(), suggest),
      '/svc/wbe does not exist\n' +
        '/#/fs/wbe: absent: the namer /#/fs knows no such name; led here by /svc=>/#/fs (l5d.yaml:2:1); ' +
        'nearest names: /#/fs/web',
    );
  });

  it('shows every place that was tried when nothing was found', () => {
    assert.equal(
      of('/svc => /#/fs; /svc => /http | ~', '/svc/a'),
      '/svc/a does not exist\n' +
        '/http/a: absent: no dtab entry and no namer matches; led here by /svc=>/http | ~ (l5d.yaml:1:16)\n' +
        '/svc/a: absent: the dtab says ~; led here by /svc=>/http | ~ (l5d.yaml:1:16)\n' +
        '/#/fs/a: absent: the namer /#/fs knows no such name; led here by /svc=>/#/fs (l5d.yaml:1:1)',
    );
  });

  it('shows only what stopped the search', () => {
    const blocked = of('/svc => /#/fs; /svc/a => !', '/svc/a');
    assert.equal(
      blocked,
      '/svc/a is blocked\n/svc/a: blocked: the dtab says !; led here by /svc/a=>! (l5d.yaml:1:16)',
    );
    const namer = new FakeNamer();
    namer.set('/a', broken);
    assert.match(
      of('/svc => /#/fs | $', '/svc/a', namer) ?? '',
      /cannot be resolved\n.*failed: the namer \/#\/fs says: /,
    );
    namer.set('/a', ok({ type: 'empty' }));
    assert.match(
      of('/svc => /#/fs', '/svc/a', namer) ?? '',
      /no endpoints\n.*empty: the namer \/#\/fs has it/,
    );
    namer.waits('/a');
    assert.match(
      of('/svc => /#/fs', '/svc/a', namer) ?? '',
      /not known yet\n.*pending: the namer \/#\/fs has not/,
    );
  });

  it('stays short whatever the dtab', () => {
    const many = `/svc => ${Array.from({ length: 50 }, (_, i) => `/n${i}${'/x'.repeat(50)}`).join(' | ')}`;
    const text = of(many, '/svc') ?? '';
    assert.match(text, /\nand 44 more$/);
    assert.ok(text.length < 4000);
  });

  it('gives the message of a limit', () => {
    assert.match(of('/a => /a', '/a') ?? '', /^Max recursion level: 100/);
  });
});
