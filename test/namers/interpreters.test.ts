import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { InterpreterSpec, NamerSpec } from '../../config/spec.ts';
import type { Delegation } from '../../dtab/delegation.ts';
import type { Bound, Dtab, NameTree } from '../../dtab/names.ts';
import { readDtab, readPath } from '../../dtab/parse.ts';
import { endpointSlices } from '../../k8s/resources.ts';
import { FsNamer } from '../../namers/fs.ts';
import { makeInterpreter, makeNamers, type Namers } from '../../namers/index.ts';
import type { ConfiguredInterpreter } from '../../namers/interpreters/configured.ts';
import type { State } from '../../src/base/activity.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/failure.ts';
import { noStats } from '../../src/base/stats.ts';
import { endpoint, FakeKube, slice } from './fake-kube.ts';
import {
  eventually,
  onlyBound,
  type RecordingLog,
  recordingLog,
  showAddr,
  showState,
  type Watching,
  watching,
} from './watching.ts';

let root: string;
let log: RecordingLog;
let open: Watching<unknown>[];
let made: Namers | undefined;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'turnout-interpreter-')));
  log = recordingLog();
  open = [];
  made = undefined;
});

afterEach(() => {
  for (const one of open) one.close();
  for (const { namer } of made?.configured ?? [])
    if (namer instanceof FsNamer) assert.equal(namer.watched, 0);
  rmSync(root, { recursive: true, force: true });
});

const kube = new FakeKube();
const deps = () => ({ clock: systemClock, log, stats: noStats, kube: () => kube, env: {} });
const common = { transformers: [], legacyNames: false } as const;

function fsNamer(prefix = '/io.l5d.fs', directory = '', more: Partial<NamerSpec> = {}): NamerSpec {
  const rootDir = join(root, directory);
  mkdirSync(rootDir, { recursive: true });
  return { ...common, kind: 'io.l5d.fs', prefix, rootDir, ...more } as NamerSpec;
}

function interpreter(
  namers: readonly NamerSpec[] = [fsNamer()],
  spec: Partial<InterpreterSpec> = {},
): ConfiguredInterpreter {
  const all = makeNamers(namers, deps());
  made = all;
  return makeInterpreter({ kind: 'default', transformers: [], ...spec } as InterpreterSpec, all, deps());
}

function bind(by: ConfiguredInterpreter, dtab: string, name: string): Watching<State<NameTree<Bound>>> {
  const one = watching(by.bind(readDtab(dtab), readPath(name)));
  open.push(one);
  return one;
}

const shows = (one: Watching<State<NameTree<Bound>>>, expected: string | RegExp) =>
  eventually(
    () =>
      typeof expected === 'string'
        ? showState(one.latest) === expected
        : expected.test(showState(one.latest)),
    () => ({ expected: String(expected), seen: one.seen.map(showState) }),
  );

const write = (name: string, text: string): void => writeFileSync(join(root, name), text);

describe('the default interpreter', () => {
  it('binds through the dtab, the namers and the system names, and keeps up with all of them', async () => {
    const by = interpreter();
    const web = bind(by, '/svc => /$/inet/127.1/9 ; /svc => /#/io.l5d.fs', '/svc/web/x');
    await shows(web, '/$/inet/127.1/9 + /web/x');
    write('web', '10.0.0.1 80');
    await shows(web, '/#/io.l5d.fs/web + /x');
    const addr = watching(onlyBound(web.latest).addr);
    open.push(addr);
    await eventually(() => showAddr(addr.latest) === '10.0.0.1:80');
    rmSync(join(root, 'web'));
    await shows(web, '/$/inet/127.1/9 + /web/x');
  });

  it('resolves the system names', async () => {
    const by = interpreter([]);
    for (const [name, expected] of [
      ['/$/inet/8080/a', '/$/inet/8080 + /a'],
      ['/$/fixedinet/127.1/80', '/$/fixedinet/127.1/80 + /'],
      ['/$/io.buoyant.rinet/80/localhost/x', '/$/io.buoyant.rinet/80/localhost + /x'],
      ['/$/io.buoyant.http.status/503', '/$/io.buoyant.http.status/503 + /'],
      ['/$/nil/x', 'empty'],
      ['/$/fail', 'fail'],
      ['/$/io.buoyant.hostportPfx/inet/a:80', 'neg'],
      ['/$/inet/foo', /^failed: Unknown namer: inet/],
      ['/$/inet', /^failed: Unknown namer: inet/],
      ['/%/io.l5d.port/80/#/io.l5d.fs/web', 'neg'],
    ] as const) {
      await shows(bind(by, '', name), expected);
    }
  });

  it('asks the last of two namers first, and the other when that says neg', async () => {
    const by = interpreter([fsNamer('/fs', 'one'), fsNamer('/fs', 'two'), fsNamer('/fs/sub', 'three')]);
    write('one/a', '10.0.0.1 1');
    write('one/b', '10.0.0.1 2');
    write('two/b', '10.0.0.2 2');
    for (const [name, expected] of [
      ['/#/fs/a', '10.0.0.1:1'],
      ['/#/fs/b', '10.0.0.2:2'],
    ] as const) {
      const one = bind(by, '', name);
      await shows(one, `${name} + /`);
      const addr = watching(onlyBound(one.latest).addr);
      open.push(addr);
      await eventually(() => showAddr(addr.latest) === expected);
    }
  });

  it('knows names without /# only for namers of old configurations, by the same ids', async () => {
    write('web', '10.0.0.1 80');
    await shows(bind(interpreter([fsNamer('/ns')]), '/svc => /ns', '/svc/web'), 'neg');
    const old = interpreter([fsNamer('/ns', '', { legacyNames: true })]);
    await shows(bind(old, '/svc => /ns', '/svc/web/x'), '/#/ns/web + /x');
    await shows(bind(old, '/svc => /#/ns', '/svc/web/x'), '/#/ns/web + /x');
  });

  it('rewrites names by io.l5d.rewrite', async () => {
    mkdirSync(join(root, 'prod'));
    write('prod/web', '10.0.0.1 80');
    const rewrite: NamerSpec = {
      ...common,
      kind: 'io.l5d.rewrite',
      prefix: '/split',
      pattern: '/{svc}.{ns}',
      name: '/#/io.l5d.fs/{ns}/{svc}',
    };
    await shows(
      bind(interpreter([fsNamer(), rewrite]), '/svc => /#/split', '/svc/web.prod/x'),
      '/#/io.l5d.fs/prod/web + /',
    );
  });

  it('applies the transformers of a namer to its own names and those of the interpreter to all', async () => {
    write('web', '127.0.0.1 80\n192.0.2.1 80');
    const local = [{ kind: 'io.l5d.localhost', prefix: '/io.l5d.localhost' }] as const;
    const port = [{ kind: 'io.l5d.port', prefix: '/io.l5d.port/4141', port: 4141 }] as const;
    const by = interpreter([fsNamer('/fs', '', { transformers: local })], { transformers: port });
    const one = bind(by, '', '/#/fs/web/x');
    await shows(one, '/%/io.l5d.port/4141/%/io.l5d.localhost/#/fs/web + /x');
    const addr = watching(onlyBound(one.latest).addr);
    open.push(addr);
    await eventually(() => showAddr(addr.latest) === '127.0.0.1:4141');
    await shows(bind(by, '', '/$/inet/9'), '/%/io.l5d.port/4141/$/inet/9 + /');
  });

  it('binds the path of const and replace without any dtab', async () => {
    write('gateway', '10.9.9.9 80');
    for (const [kind, missing] of [
      ['io.l5d.const', '/%/p/#/io.l5d.fs/gateway + /'],
      ['io.l5d.replace', 'neg'],
    ] as const) {
      const transformers = [{ kind, prefix: '/p', path: '/#/io.l5d.fs/gateway' }];
      const by = interpreter([fsNamer()], { transformers });
      const dtab = '/#/io.l5d.fs/gateway => ! ; /svc/web => /$/inet/1';
      await shows(bind(by, dtab, '/svc/web'), '/%/p/#/io.l5d.fs/gateway + /');
      await shows(bind(by, dtab, '/svc/none'), missing);
    }
  });
});

describe('an explanation', () => {
  it('says which entry decided, what the namer said and which names are near', async () => {
    write('web', '');
    write('api', '');
    const by = interpreter();
    const dtab = readDtab('/x => /y ;\n/svc => /#/io.l5d.fs', { source: 'linker.yaml' });
    const one = watching(by.bind(dtab, readPath('/svc/wep')));
    open.push(one);
    await shows(one, 'neg');
    assert.equal(
      by.explain(dtab, readPath('/svc/wep')),
      '/svc/wep does not exist\n/#/io.l5d.fs/wep: absent: the namer /#/io.l5d.fs knows no such name; ' +
        'led here by /svc=>/#/io.l5d.fs (linker.yaml:2:1); nearest names: /#/io.l5d.fs/web',
    );
    assert.equal(by.explain([], readPath('/$/inet/80')), undefined);
    assert.match(by.explain([], readPath('/$/nope')) ?? '', /cannot be resolved[\s\S]*Unknown namer: nope/);
  });

  it('compares as many segments as names have', () => {
    const api = { kind: 'io.l5d.k8s', prefix: '/io.l5d.k8s', api: {} } as const;
    const by = interpreter([{ ...common, ...api }]);
    kube.put(endpointSlices, slice('web-1', 'web', { http: 8080 }, [endpoint('10.0.0.1')]));
    open.push(watching(by.bind([], readPath('/#/io.l5d.k8s/default/http/web'))));
    assert.match(
      by.explain([], readPath('/#/io.l5d.k8s/default/htp/wep/rest')) ?? '',
      /nearest names: \/#\/io\.l5d\.k8s\/default\/http\/web$/,
    );
    assert.doesNotMatch(by.explain([], readPath('/#/io.l5d.k8s/default/http/shop')) ?? '', /nearest/);
  });

  it('shows every step of a name, with its transformers', async () => {
    write('web', '10.0.0.1 80');
    const port = { kind: 'io.l5d.port', prefix: '/io.l5d.port/4141', port: 4141 } as const;
    const by = interpreter([fsNamer()], { transformers: [port] });
    const tree = await by.delegate(readDtab('/svc => /#/io.l5d.fs'), readPath('/svc/web'));
    assert.equal(
      outline(tree),
      'delegate /svc/web > transformation /#/io.l5d.fs/web > leaf /%/io.l5d.port/4141/#/io.l5d.fs/web',
    );
  });

  it('shows what takes the place of a name', async () => {
    write('gateway', '10.0.0.1 80');
    const path = '/#/io.l5d.fs/gateway';
    const substitute = (kind: 'io.l5d.const' | 'io.l5d.replace') =>
      interpreter([fsNamer()], { transformers: [{ kind, prefix: '/p', path }] });
    const after = `transformation ${path} > leaf /%/p${path}`;
    assert.equal(outline(await substitute('io.l5d.const').delegate([], readPath('/none'))), after);
    assert.equal(outline(await substitute('io.l5d.replace').delegate([], readPath('/none'))), 'neg /none');
    assert.equal(
      outline(await substitute('io.l5d.replace').delegate([], readPath('/$/inet/1'))),
      `transformation /$/inet/1 > ${after}`,
    );
  });
});

function outline(tree: Delegation | Failure): string {
  if (tree instanceof Failure) return tree.message;
  if (tree.type === 'leaf') return `leaf ${tree.bound.id.show}`;
  const at = `${tree.type} ${tree.path.show}`;
  return tree.type === 'delegate' || tree.type === 'transformation' ? `${at} > ${outline(tree.tree)}` : at;
}

describe('the interpreter io.l5d.fs', () => {
  const fromFile = () =>
    interpreter([fsNamer()], { kind: 'io.l5d.fs', dtabFile: join(root, 'dtab') } as Partial<InterpreterSpec>);

  it('puts the file before the other dtabs and follows it', async () => {
    write('dtab', '/svc => /$/inet/1 ;\n/a => /$/inet/2');
    const by = fromFile();
    const web = bind(by, '', '/svc/web');
    const a = bind(by, '/a => /$/inet/3', '/a');
    await shows(web, '/$/inet/1 + /web');
    await shows(a, '/$/inet/3 + /');
    write('.next', '/svc => /$/inet/4');
    renameSync(join(root, '.next'), join(root, 'dtab'));
    await shows(web, '/$/inet/4 + /web');
    assert.ok(!web.seen.map(showState).includes('neg'));
  });

  it('waits for a file that is not there yet', async () => {
    const by = fromFile();
    const web = bind(by, '', '/svc/web');
    await eventually(() => log.warnings.length > 0);
    assert.equal(showState(web.latest), 'pending');
    assert.match(by.explain([], readPath('/svc/web')) ?? '', /^\/svc\/web is not known yet/);
    write('dtab', '/svc => /$/inet/1');
    await shows(web, '/$/inet/1 + /web');
    const tree = await by.delegate([], readPath('/svc/web'));
    assert.equal(outline(tree), 'delegate /svc/web > leaf /$/inet/1');
  });

  it('reports a dtab that does not parse, with its place, and keeps the last good one', async () => {
    write('dtab', '/svc => /$/inet/1');
    const web = bind(fromFile(), '', '/svc/web');
    await shows(web, '/$/inet/1 + /web');
    write('dtab', '/svc => /$/inet/1 ;\n/svc >> /b');
    await eventually(() => log.warnings.length > 0);
    assert.match(
      log.warnings[0] ?? '',
      /dtab:2:6: expected '=>' after the prefix[\s\S]*the last good dtab is kept$/,
    );
    rmSync(join(root, 'dtab'));
    await eventually(() => log.warnings.length > 1);
    assert.match(log.warnings[1] ?? '', /^there is no dtab file .*; the last good dtab is kept$/);
    assert.equal(showState(web.latest), '/$/inet/1 + /web');
    write('dtab', '/svc => /$/inet/5');
    await shows(web, '/$/inet/5 + /web');
  });

  it('fails every name while the file has never been good', async () => {
    write('dtab', '/svc');
    const by = fromFile();
    const web = bind(by, '', '/svc/web');
    await shows(web, /^failed: .*dtab:1:5: expected '=>'/);
    assert.match(by.explain([], readPath('/svc/web')) ?? '', /cannot be resolved: .*dtab:1:5/);
    const tree = await by.delegate([], readPath('/svc/web'));
    assert.ok(tree instanceof Failure);
    write('dtab', '/svc => /$/inet/1');
    await shows(web, '/$/inet/1 + /web');
  });

  it('gives up waiting for the file when asked to', async () => {
    const dtab: Dtab = [];
    const tree = await fromFile().delegate(dtab, readPath('/svc'), AbortSignal.timeout(20));
    assert.ok(tree instanceof Failure);
  });
});
