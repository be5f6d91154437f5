import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Addr, type Address, type Bound, leaf, type NameTree, neg } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import { HostResolver } from '../../namers/host-resolver.ts';
import { constName } from '../../namers/transformers/const.ts';
import { localhost } from '../../namers/transformers/localhost.ts';
import { transformAll } from '../../namers/transformers/make-transformers.ts';
import { port } from '../../namers/transformers/port.ts';
import { replace } from '../../namers/transformers/replace.ts';
import { specificHost } from '../../namers/transformers/specific-host.ts';
import type { Transformer } from '../../namers/transformers/transform.ts';
import { failed, ok, okActivity, pending, type State } from '../../src/base/activity.ts';
import { Failure } from '../../src/base/failure.ts';
import { Cell } from '../../src/base/var.ts';
import { ManualClock } from './manual-clock.ts';
import { onlyBound, path, recordingLog, settle, showAddr, showState, watching } from './watching.ts';

const HOSTS: Record<string, readonly string[]> = { here: ['10.0.0.1'], both: ['10.0.0.2', '10.0.0.1'] };

const resolver = () =>
  new HostResolver({
    clock: new ManualClock(),
    log: recordingLog(),
    lookup: async (host) => HOSTS[host] ?? [],
  });

function set(...lines: string[]): Addr {
  const addresses = lines.map((line): Address => {
    const [, host, portText, weight] = /^(.*):(\d+)(?:\*(.*))?$/.exec(line) ?? [];
    assert.ok(host !== undefined);
    return { host, port: Number(portText), ...(weight && { meta: { weight: Number(weight) } }) };
  });
  return { type: 'bound', addresses, meta: {} };
}

function rig(transformers: Transformer | Transformer[], first: Addr) {
  const addr = new Cell<Addr>(first);
  const web: Bound = { type: 'bound', id: path('/#/fs/web'), addr, residual: path('/rest') };
  const trees = new Cell<State<NameTree<Bound>>>(ok(leaf(web)));
  const tree = watching(transformAll([transformers].flat(), trees));
  const changed = watching(onlyBound(tree.latest).addr);
  return { addr, trees, tree, changed, close: () => [tree, changed].forEach((each) => void each.close()) };
}

const LOCAL = path('/%/io.l5d.localhost');

describe('io.l5d.localhost', () => {
  const local = localhost(LOCAL, resolver(), ['127.0.0.1', '10.0.0.1', '::1']);

  it('keeps the addresses of this machine with their metadata, under an id of its own', () => {
    const { tree, changed } = rig(local, set('10.0.0.1:80*2', '10.0.0.2:80', '127.0.0.1:81', '::1:80'));
    assert.equal(showState(tree.latest), '/%/io.l5d.localhost/#/fs/web + /rest');
    assert.equal(showAddr(changed.latest), '10.0.0.1:80*2 127.0.0.1:81');
  });

  it('is neg when nothing is left, and passes other states through', () => {
    const { addr, changed } = rig(local, set('10.0.0.2:80'));
    assert.equal(showAddr(changed.latest), 'neg');
    addr.set({ type: 'pending' });
    assert.equal(showAddr(changed.latest), 'pending');
    addr.set({ type: 'failed', failure: new Failure('naming', 'no') });
    assert.equal(showAddr(changed.latest), 'failed: no');
    addr.set(set());
    assert.equal(showAddr(changed.latest), 'neg');
  });

  it('keeps of a host name the addresses that match', async () => {
    const { changed } = rig(local, set('both:80', 'unknown:80', 'localhost:82'));
    await settle();
    assert.equal(showAddr(changed.latest), '10.0.0.1:80 127.0.0.1:82');
  });

  it('knows the interfaces of the machine', () => {
    const { changed } = rig(localhost(LOCAL, resolver()), set('127.0.0.1:80', '192.0.2.1:80'));
    assert.equal(showAddr(changed.latest), '127.0.0.1:80');
  });

  it('keeps the same set for a name while only the tree changes, and lets go of all of it', () => {
    const { addr, trees, tree, close } = rig(local, set('10.0.0.1:80'));
    const before = onlyBound(tree.latest).addr;
    trees.set(ok(leaf<Bound>({ type: 'bound', id: path('/#/fs/web'), addr, residual: path('/x') })));
    assert.equal(onlyBound(tree.latest).addr, before);
    assert.equal(onlyBound(tree.latest).residual.show, '/x');
    close();
    assert.ok(!addr.observed && !trees.observed);
  });

  it('leaves the shape of a tree, failures and pending alone', () => {
    const { trees, tree } = rig(local, set('10.0.0.1:80'));
    trees.set(
      ok({ type: 'union', trees: [{ weight: 0.5, tree: { type: 'alt', trees: [neg, { type: 'empty' }] } }] }),
    );
    assert.equal(showState(tree.latest), '0.5*neg | empty');
    trees.set(pending);
    assert.equal(showState(tree.latest), 'pending');
    trees.set(failed(new Failure('naming', 'no')));
    assert.equal(showState(tree.latest), 'failed: no');
  });
});

describe('io.l5d.specificHost', () => {
  const prefix = path('/%/io.l5d.specificHost');

  it('keeps the endpoints on one address', () => {
    const { tree, changed } = rig(
      specificHost(prefix, '10.0.0.1', resolver()),
      set('10.0.0.1:80', '10.0.0.2:80'),
    );
    assert.equal(showState(tree.latest), '/%/io.l5d.specificHost/#/fs/web + /rest');
    assert.equal(showAddr(changed.latest), '10.0.0.1:80');
  });

  it('resolves the host when it is a name', async () => {
    const { changed } = rig(specificHost(prefix, 'here', resolver()), set('10.0.0.1:80', '10.0.0.2:80'));
    assert.equal(showAddr(changed.latest), 'pending');
    await settle();
    assert.equal(showAddr(changed.latest), '10.0.0.1:80');
  });

  it('is neg for a host that does not exist', async () => {
    const { changed } = rig(specificHost(prefix, 'unknown', resolver()), set('10.0.0.1:80'));
    await settle();
    assert.equal(showAddr(changed.latest), 'neg');
  });
});

describe('io.l5d.port', () => {
  it('replaces every port and merges what becomes equal', () => {
    const { tree, changed, addr } = rig(
      port(path('/%/io.l5d.port/4141'), 4141),
      set('10.0.0.1:80*2', '10.0.0.1:81', 'web:80'),
    );
    assert.equal(showState(tree.latest), '/%/io.l5d.port/4141/#/fs/web + /rest');
    assert.equal(showAddr(changed.latest), '10.0.0.1:4141*2 web:4141');
    addr.set(set());
    assert.equal(showAddr(changed.latest), '');
    addr.set({ type: 'neg' });
    assert.equal(showAddr(changed.latest), 'neg');
  });

  it('wraps the id of the transformer before it', () => {
    const local = localhost(LOCAL, resolver(), ['10.0.0.1']);
    const moved = port(path('/%/io.l5d.port/4141'), 4141);
    const { tree, changed } = rig([local, moved], set('10.0.0.1:80', '10.0.0.2:80'));
    assert.equal(showState(tree.latest), '/%/io.l5d.port/4141/%/io.l5d.localhost/#/fs/web + /rest');
    assert.equal(showAddr(changed.latest), '10.0.0.1:4141');
  });
});

const gateway = new Cell<Addr>(set('10.9.9.9:4140'));
const bindPath = (name: Path) => {
  assert.equal(name.show, '/#/fs/gateway/x');
  const bound: Bound = { type: 'bound', id: path('/#/fs/gateway'), addr: gateway, residual: path('/x') };
  return okActivity<NameTree<Bound>>(leaf(bound));
};

describe('io.l5d.const', () => {
  it('takes the place of the whole tree, even of neg', () => {
    const { trees, tree } = rig(constName(path('/%/io.l5d.const'), path('/#/fs/gateway/x'), bindPath), set());
    for (const state of [ok(neg), pending] as const) {
      trees.set(state);
      assert.equal(showState(tree.latest), '/%/io.l5d.const/#/fs/gateway/x + /x');
    }
    assert.equal(onlyBound(tree.latest).addr, gateway);
  });
});

describe('io.l5d.replace', () => {
  it('replaces every leaf and nothing else', () => {
    const { trees, tree, addr } = rig(
      replace(path('/%/io.l5d.replace'), path('/#/fs/gateway/x'), bindPath),
      set(),
    );
    const other = '/%/io.l5d.replace/#/fs/gateway/x + /x';
    assert.equal(showState(tree.latest), other);
    const web = leaf<Bound>({ type: 'bound', id: path('/w'), addr, residual: Path.empty });
    trees.set(
      ok({
        type: 'union',
        trees: [
          { weight: 1, tree: web },
          { weight: 3, tree: neg },
        ],
      }),
    );
    assert.equal(showState(tree.latest), `1*${other} & 3*neg`);
    for (const tree of ['neg', 'fail', 'empty'] as const) {
      trees.set(ok({ type: tree }));
      assert.equal(showState(watching(trees).latest), tree);
    }
    assert.equal(showState(tree.latest), 'empty');
  });
});
