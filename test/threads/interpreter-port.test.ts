import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { type Addr, type Bound, type Dtab, empty, fail, leaf, type NameTree, neg } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import type { Binder, Binding } from '../../routers/binding/binder.ts';
import type { IngressRules } from '../../routers/identify/ingress-rules.ts';
import { failed, ok, pending, type State } from '../../src/base/activity.ts';
import { Failure } from '../../src/base/failure.ts';
import { Cell } from '../../src/base/var.ts';
import {
  localBinder,
  type NameSource,
  PortInterpreter,
  serveInterpreters,
} from '../../src/threads/interpreter-port.ts';
import { eventually, path, settle, showAddr, showTree, type Watching, watching } from '../namers/watching.ts';

type Trees = Cell<State<NameTree<Bound>>>;

/** A scripted interpreter: each name is a cell that the test sets. */
class Script {
  readonly names = new Map<string, Trees>();
  readonly asked: { router: number; dtab: Dtab; path: string }[] = [];
  readonly bind: NameSource['bind'] = (router, dtab, name) => {
    this.asked.push({ router, dtab, path: name.show });
    return this.name(name.show);
  };
  explain: NonNullable<NameSource['explain']> = (router, _dtab, name) =>
    `router ${router}: nothing at ${name.show}`;

  readonly ingress = new Cell<State<IngressRules>>(pending);
  readonly source: NameSource = {
    bind: this.bind,
    explain: (...args) => this.explain(...args),
    ingress: () => this.ingress,
  };

  name(text: string): Trees {
    let cell = this.names.get(text);
    if (cell === undefined) {
      cell = new Cell<State<NameTree<Bound>>>(pending);
      this.names.set(text, cell);
    }
    return cell;
  }
}

const endpoint = (...ports: number[]): Addr => ({
  type: 'bound',
  addresses: ports.map((port) => ({ host: '10.0.0.1', port })),
  meta: {},
});
const bound = (id: string, addr: Cell<Addr>, residual = '/'): Bound => ({
  type: 'bound',
  id: path(id),
  addr,
  residual: residual === '/' ? Path.empty : path(residual),
});
const bind = (...names: Bound[]): State<NameTree<Bound>> =>
  ok(
    names.length === 1
      ? leaf(names[0]!)
      : { type: 'union', trees: names.map((name, i) => ({ weight: i + 1, tree: leaf(name) })) },
  );

function show(state: State<Binding>): string {
  if (state.state === 'pending') return 'pending';
  if (state.state === 'failed') return `failed: ${state.failure.message} (${state.failure.cause})`;
  return showTree(state.value.tree) + (state.value.note === undefined ? '' : ` (${state.value.note})`);
}

function leafOf(state: State<Binding>): Bound {
  assert.ok(state.state === 'ok' && state.value.tree.type === 'leaf', show(state));
  return state.value.tree.value;
}

type Transport = { readonly binder: (router: number) => Binder; readonly close: () => void };

const transports: Record<string, (script: Script) => Transport> = {
  localBinder: (script) => ({
    binder: (router) => localBinder(router, script.source),
    close: () => {},
  }),
  PortInterpreter: (script) => {
    const { port1, port2 } = new MessageChannel();
    const server = serveInterpreters(port1, script.source);
    const client = new PortInterpreter(port2);
    return {
      binder: (router) => client.binder(router),
      close: () => {
        client.close();
        server.close();
      },
    };
  },
};

for (const [name, make] of Object.entries(transports)) {
  describe(`${name} as a transport`, () => {
    let script: Script;
    let transport: Transport;
    let opened: Watching<unknown>[];

    beforeEach(() => {
      script = new Script();
      transport = make(script);
      opened = [];
    });
    afterEach(() => {
      for (const one of opened) one.close();
      transport.close();
    });

    function watch<T>(source: { observe(f: (value: T) => void): { close(): void } }): Watching<T> {
      const one = watching(source);
      opened.push(one);
      return one;
    }
    const observe = (text: string, router = 0, dtab: Dtab = []): Watching<State<Binding>> =>
      watch<State<Binding>>(transport.binder(router).bind(dtab, path(text)));
    const shows = (one: Watching<State<Binding>>, expected: string) =>
      eventually(
        () => show(one.latest) === expected,
        () => ({ expected, seen: one.seen.map(show) }),
      );
    const hasAddr = (one: Watching<Addr>, expected: string) =>
      eventually(
        () => showAddr(one.latest) === expected,
        () => ({ expected, seen: one.seen.map(showAddr) }),
      );

    it('asks with the router, the local dtab and the path, byte for byte', async () => {
      const dtab: Dtab = [
        { prefix: ['svc', null], dst: { type: 'alt', trees: [leaf(path('/a/\u00ff')), neg, fail] } },
        { prefix: [], dst: { type: 'union', trees: [{ weight: 0.5, tree: leaf(Path.empty) }] } },
      ];
      observe('/svc/\u00fc', 3, dtab);
      await eventually(() => script.asked.length === 1);
      const asked = script.asked[0]!;
      assert.deepEqual([asked.router, asked.path], [3, path('/svc/\u00fc').show]);
      assert.deepEqual(asked.dtab, dtab);
      const first = asked.dtab[0]!.dst;
      assert.ok(first.type === 'alt' && first.trees[0]?.type === 'leaf');
      assert.equal(first.trees[0].value.show, path('/a/\u00ff').show);
    });

    it('carries the table of the Ingress objects, and what goes wrong with it', async () => {
      const table = watch(transport.binder(2).ingress(1));
      const now = (): State<IngressRules> => table.latest;
      assert.equal(now().state, 'pending');
      const rules: IngressRules = {
        routes: [{ host: 'web', type: 'exact', path: '/', backend: ['default', '80', 'web'] }],
        defaultBackend: ['default', 'http', 'rest'],
      };
      script.ingress.set(ok(rules));
      await eventually(() => now().state === 'ok');
      assert.deepEqual(now(), ok(rules));
      script.ingress.set(failed(new Failure('naming', 'forbidden')));
      await eventually(() => now().state === 'failed');
      const last = now();
      assert.ok(last.state === 'failed' && last.failure instanceof Failure);
      table.close();
      await eventually(() => !script.ingress.observed);
    });

    it('tells the source of an address set when it may be out of date', async () => {
      let refreshed = 0;
      const web = { ...bound('/#/fs/web', new Cell<Addr>(endpoint(80))), refresh: () => void refreshed++ };
      script.name('/svc/web').set(bind(web));
      const one = observe('/svc/web');
      await shows(one, '/#/fs/web + /');
      leafOf(one.latest).refresh?.();
      await eventually(() => refreshed === 1);
      one.close();
      await settle();
      leafOf(one.latest).refresh?.();
      await settle();
    });

    it('follows a name from pending through bound to something else', async () => {
      const one = observe('/svc/web');
      assert.equal(show(one.latest), 'pending');
      const web = new Cell<Addr>(endpoint(80));
      script.name('/svc/web').set(bind(bound('/#/web', web, '/rest')));
      await shows(one, '/#/web + /rest');
      script.name('/svc/web').set(bind(bound('/#/web', web), bound('/#/api', new Cell<Addr>(endpoint(81)))));
      await shows(one, '1*/#/web + / & 2*/#/api + /');
    });

    it('explains what is neg, empty or fail, and nothing else', async () => {
      const one = observe('/svc/web', 1);
      for (const [tree, shown] of [
        [neg, 'neg'],
        [empty, 'empty'],
        [fail, 'fail'],
      ] as const) {
        script.name('/svc/web').set(ok(tree));
        await shows(one, `${shown} (router 1: nothing at /svc/web)`);
      }
      script.name('/svc/web').set(bind(bound('/#/web', new Cell<Addr>(endpoint(80)))));
      await shows(one, '/#/web + /');
    });

    it('carries a failure whole, with its explanation', async () => {
      const one = observe('/svc/web');
      script.name('/svc/web').set(failed(new Failure('naming', 'unknown namer', true)));
      await shows(one, 'failed: unknown namer (router 0: nothing at /svc/web)');
      assert.ok(one.latest.state === 'failed' && one.latest.failure instanceof Failure);
      assert.deepEqual([one.latest.failure.kind, one.latest.failure.undelivered], ['naming', true]);
    });

    it('waits for a late explanation, unless the name has changed meanwhile', async () => {
      const notes: ((text: string) => void)[] = [];
      script.explain = () => new Promise((resolve) => notes.push(resolve));
      const one = observe('/svc/web');
      script.name('/svc/web').set(ok(neg));
      await eventually(() => notes.length === 1);
      assert.equal(show(one.latest), 'pending');
      script.name('/svc/web').set(ok(fail));
      await eventually(() => notes.length === 2);
      notes[0]?.('late');
      notes[1]?.('why');
      await shows(one, 'fail (why)');
      assert.ok(!one.seen.map(show).includes('neg (late)'));
    });

    it('answers without a note when the explanation fails', async () => {
      script.explain = () => Promise.reject(new Error('no'));
      script.name('/svc/web').set(ok(neg));
      script.name('/svc/api').set(ok(neg));
      await shows(observe('/svc/web'), 'neg');
      script.explain = () => {
        throw new Error('no');
      };
      await shows(observe('/svc/api'), 'neg');
    });

    it('follows the address set of a bound name', async () => {
      const web = new Cell<Addr>({ type: 'pending' });
      script.name('/svc/web').set(bind(bound('/#/web', web)));
      const one = observe('/svc/web');
      await shows(one, '/#/web + /');
      const addr = watch<Addr>(leafOf(one.latest).addr);
      await hasAddr(addr, 'pending');
      web.set({
        type: 'bound',
        addresses: [{ host: '10.0.0.1', port: 80, meta: { weight: 2 } }],
        meta: { status: 404 },
      });
      await hasAddr(addr, '10.0.0.1:80*2');
      assert.deepEqual(addr.latest, web.current);
      web.set({ type: 'failed', failure: new Failure('naming', 'gone') });
      await hasAddr(addr, 'failed: gone');
      assert.ok(addr.latest.type === 'failed' && addr.latest.failure instanceof Failure);
      web.set({ type: 'neg' });
      await hasAddr(addr, 'neg');
    });

    it('keeps the address set of a name while only the tree around it changes', async () => {
      const web = new Cell<Addr>(endpoint(80));
      script.name('/svc/web').set(bind(bound('/#/web', web)));
      const one = observe('/svc/web');
      const other = observe('/svc/web');
      await shows(one, '/#/web + /');
      await shows(other, '/#/web + /');
      const { addr } = leafOf(one.latest);
      assert.equal(leafOf(other.latest).addr, addr);
      script.name('/svc/web').set(bind(bound('/#/web', web, '/x')));
      await shows(one, '/#/web + /x');
      assert.equal(leafOf(one.latest).addr, addr);
    });

    it('lets go of everything with the last observer', async () => {
      const web = new Cell<Addr>(endpoint(80));
      script.name('/svc/web').set(bind(bound('/#/web', web)));
      const one = observe('/svc/web');
      const other = observe('/svc/web');
      await shows(one, '/#/web + /');
      await shows(other, '/#/web + /');
      const addr = watch<Addr>(leafOf(one.latest).addr);
      one.close();
      other.close();
      await eventually(() => !script.name('/svc/web').observed);
      // Its client still looks at the addresses.
      web.set(endpoint(81));
      await hasAddr(addr, '10.0.0.1:81');
      addr.close();
      await eventually(() => !web.observed);
    });

    it('finds a name again that it had let go', async () => {
      const web = new Cell<Addr>(endpoint(80));
      script.name('/svc/web').set(bind(bound('/#/web', web)));
      for (let i = 0; i < 3; i++) {
        const one = observe('/svc/web');
        await shows(one, '/#/web + /');
        const addr = watch<Addr>(leafOf(one.latest).addr);
        await hasAddr(addr, '10.0.0.1:80');
        addr.close();
        one.close();
        // The next observation may cross the end of this one on its way.
        if (i === 1) await eventually(() => !web.observed);
      }
    });
  });
}

describe('interpreter-port', () => {
  function rig() {
    const script = new Script();
    const { port1, port2 } = new MessageChannel();
    const toData: { op: string; [key: string]: unknown }[] = [];
    const post = port1.postMessage.bind(port1);
    port1.postMessage = ((message: { op: string }) => {
      toData.push(message);
      post(message);
    }) as typeof port1.postMessage;
    const server = serveInterpreters(port1, { bind: script.bind, ingress: () => script.ingress });
    const client = new PortInterpreter(port2);
    const close = () => {
      client.close();
      server.close();
    };
    const observe = (text: string): Watching<State<Binding>> =>
      watching(client.binder(0).bind([], path(text)));
    return { script, port1, port2, toData, server, client, close, observe };
  }

  it('tells a changed address set in one message, whatever number of names share it', async (t) => {
    const { script, toData, close, observe } = rig();
    t.after(close);
    const web = new Cell<Addr>(endpoint(80));
    const all = ['/svc/a', '/svc/b', '/svc/c'].map((name) => {
      script.name(name).set(bind(bound('/#/web', web, name)));
      return observe(name);
    });
    await eventually(() => all.every((one) => one.latest.state === 'ok'));
    assert.deepEqual(
      toData.map((message) => (message['sets'] as []).length),
      [1, 0, 0],
    );
    const before = toData.length;
    web.set(endpoint(80, 81));
    const addrs = all.map((one) => watching(leafOf(one.latest).addr));
    await eventually(() => addrs.every((addr) => showAddr(addr.latest) === '10.0.0.1:80 10.0.0.1:81'));
    assert.equal(toData.length, before + 1);
  });

  it('follows the newest address set of an id, and does not go back to pending with it', async (t) => {
    const { script, close, observe } = rig();
    t.after(close);
    const first = new Cell<Addr>(endpoint(80));
    const second = new Cell<Addr>({ type: 'pending' });
    script.name('/svc/web').set(bind(bound('/#/web', first)));
    const one = observe('/svc/web');
    await eventually(() => one.latest.state === 'ok');
    const addr = watching(leafOf(one.latest).addr);
    script.name('/svc/web').set(bind(bound('/#/web', second, '/x')));
    await eventually(() => leafOf(one.latest).residual.show === '/x');
    assert.equal(showAddr(addr.latest), '10.0.0.1:80');
    assert.ok(!first.observed);
    second.set(endpoint(82));
    await eventually(() => showAddr(addr.latest) === '10.0.0.1:82');
  });

  it('sends a set again when a reference to it crosses its drop', async (t) => {
    const { script, close, observe } = rig();
    t.after(close);
    const web = new Cell<Addr>(endpoint(80));
    for (const name of ['/svc/a', '/svc/b']) script.name(name).set(bind(bound('/#/web', web)));
    const a = observe('/svc/a');
    await eventually(() => a.latest.state === 'ok');
    // Both go out before either is answered: the drop of a's set is on its way when b's tree is made.
    const b = observe('/svc/b');
    a.close();
    await eventually(() => b.latest.state === 'ok');
    const addr = watching(leafOf(b.latest).addr);
    await eventually(() => showAddr(addr.latest) === '10.0.0.1:80');
    web.set(endpoint(81));
    await eventually(() => showAddr(addr.latest) === '10.0.0.1:81');
    addr.close();
    b.close();
    await eventually(() => !web.observed);
  });

  it('gives back what arrives after its observer has gone', async (t) => {
    const { script, close, observe } = rig();
    t.after(close);
    const web = new Cell<Addr>(endpoint(80));
    script.name('/svc/web').set(bind(bound('/#/web', web)));
    observe('/svc/web').close();
    await eventually(() => script.asked.length === 1);
    await eventually(() => !web.observed && !script.name('/svc/web').observed);
  });

  it('keeps the last state when the port closes and lets go on the control side', async () => {
    const { script, client, server, observe } = rig();
    const web = new Cell<Addr>(endpoint(80));
    script.name('/svc/web').set(bind(bound('/#/web', web)));
    const one = observe('/svc/web');
    const waiting = observe('/svc/none');
    await eventually(() => one.latest.state === 'ok' && script.asked.length === 2);
    const addr = watching(leafOf(one.latest).addr);
    client.close();
    await eventually(() => !web.observed && !script.name('/svc/web').observed);
    web.set(endpoint(81));
    await settle();
    assert.equal(showAddr(addr.latest), '10.0.0.1:80');
    assert.equal(show(one.latest), '/#/web + /');
    assert.equal(show(waiting.latest), 'pending');
    for (const each of [one, waiting, addr]) each.close();
    const late = observe('/svc/web');
    await settle();
    assert.equal(show(late.latest), 'pending');
    late.close();
    server.close();
  });

  it('lets go when the control side closes', async () => {
    const { script, server, observe } = rig();
    const one = observe('/svc/web');
    await eventually(() => script.name('/svc/web').observed);
    server.close();
    assert.ok(!script.name('/svc/web').observed);
    one.close();
  });

  it('ignores messages about what it does not know', async (t) => {
    const { script, port1, port2, close, observe } = rig();
    t.after(close);
    const web = new Cell<Addr>(endpoint(80));
    script.name('/svc/web').set(bind(bound('/#/web', web)));
    port2.postMessage({ op: 'unobserve', observation: 77 });
    port2.postMessage({ op: 'drop', set: 77, references: 1 });
    port2.postMessage({ op: 'nonsense' });
    port1.postMessage({ op: 'addr', set: 77, addr: { type: 'neg' } });
    port1.postMessage({ op: 'state', observation: 77, state: { state: 'pending' }, sets: [] });
    port1.postMessage({ op: 'nonsense' });
    const one = observe('/svc/web');
    await eventually(() => one.latest.state === 'ok');
    one.close();
    await eventually(() => !web.observed);
  });
});
