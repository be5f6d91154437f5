import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Addr, Name, NameTree } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import { FsNamer } from '../../namers/fs.ts';
import type { State } from '../../src/base/activity.ts';
import { systemClock } from '../../src/base/clock.ts';
import { noStats } from '../../src/base/stats.ts';
import { constant, flatMap, type Var } from '../../src/base/var.ts';
import {
  eventually,
  onlyBound,
  path,
  type RecordingLog,
  recordingLog,
  showAddr,
  showState,
  type Watching,
  watching,
} from './watching.ts';

let root: string;
let log: RecordingLog;
let namer: FsNamer;
let open: Watching<unknown>[];

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'turnout-fs-')));
  log = recordingLog();
  namer = new FsNamer(Path.of('#', 'io.l5d.fs'), root, { clock: systemClock, log, stats: noStats });
  open = [];
});

afterEach(() => {
  for (const one of open) one.close();
  assert.equal(namer.watched, 0, 'something is still watched');
  rmSync(root, { recursive: true, force: true });
});

function write(name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

function look(text: string): Watching<State<NameTree<Name>>> {
  const found = watching(namer.lookup(path(text)));
  open.push(found);
  return found;
}

/** The name and its addresses, as one line: what a client would see. */
function resolved(text: string): Watching<string> {
  const line = flatMap<State<NameTree<Name>>, string>(namer.lookup(path(text)), (state): Var<string> => {
    if (state.state !== 'ok' || state.value.type !== 'leaf') return constant(showState(state));
    return { observe: (tell) => onlyBound(state).addr.observe((addr: Addr) => tell(showAddr(addr))) };
  });
  const found = watching(line);
  open.push(found);
  return found;
}

async function becomes(line: Watching<string>, expected: string | RegExp): Promise<void> {
  const matches = () =>
    typeof expected === 'string' ? line.latest === expected : expected.test(line.latest);
  const startedMs = performance.now();
  await eventually(matches, () => ({ expected: String(expected), seen: line.seen }));
  assert.ok(performance.now() - startedMs < 1500, `took ${performance.now() - startedMs} ms`);
}

describe('FsNamer', () => {
  it('binds a file and leaves the rest', async () => {
    write('web', '10.0.0.1 80\n10.0.0.2 80 * 3\n');
    const tree = look('/web/a/b');
    assert.equal(tree.latest.state, 'pending');
    await eventually(() => showState(tree.latest) === '/#/io.l5d.fs/web + /a/b');
    await becomes(resolved('/web'), '10.0.0.1:80 10.0.0.2:80*3');
  });

  it('goes into directories and is neg where the path ends on one', async () => {
    write('a/b/web', '10.0.0.1 80');
    const inner = look('/a/b/web/rest');
    const directory = look('/a/b');
    await eventually(() => showState(inner.latest) === '/#/io.l5d.fs/a/b/web + /rest');
    await eventually(() => showState(directory.latest) === 'neg');
    assert.equal(showState(look('').latest), 'neg');
  });

  it('is neg for a missing file, bound when it appears, neg when it is deleted', async () => {
    const web = resolved('/web');
    await becomes(web, 'neg');
    write('web', '10.0.0.1 80');
    await becomes(web, '10.0.0.1:80');
    rmSync(join(root, 'web'));
    await becomes(web, 'neg');
  });

  it('follows an edit, an append and a rename over the file', async () => {
    write('web', '10.0.0.1 80\n');
    const web = resolved('/web');
    await becomes(web, '10.0.0.1:80');
    write('web', '10.0.0.2 80\n');
    await becomes(web, '10.0.0.2:80');
    appendFileSync(join(root, 'web'), '10.0.0.3 80\n');
    await becomes(web, '10.0.0.2:80 10.0.0.3:80');
    write('.web.tmp', '10.0.0.4 80\n');
    renameSync(join(root, '.web.tmp'), join(root, 'web'));
    await becomes(web, '10.0.0.4:80');
    assert.ok(!web.seen.slice(1).includes('neg') && !web.seen.includes(''), String(web.seen));
  });

  it('finds a name in a directory that is made later, and in one that replaces it', async () => {
    const web = resolved('/new/dir/web');
    await becomes(web, 'neg');
    write('new/dir/web', '10.0.0.1 80');
    await becomes(web, '10.0.0.1:80');
    write('next/dir/web', '10.0.0.2 80');
    renameSync(join(root, 'new'), join(root, 'old'));
    renameSync(join(root, 'next'), join(root, 'new'));
    await becomes(web, '10.0.0.2:80');
    write('new/dir/web', '10.0.0.3 80');
    await becomes(web, '10.0.0.3:80');
  });

  it('follows the link swap of a Kubernetes volume', async () => {
    write('..v1/web', '10.0.0.1 80');
    symlinkSync('..v1', join(root, '..data'));
    symlinkSync('..data/web', join(root, 'web'));
    const web = resolved('/web');
    await becomes(web, '10.0.0.1:80');
    write('..v2/web', '10.0.0.2 80');
    symlinkSync('..v2', join(root, '..data_tmp'));
    renameSync(join(root, '..data_tmp'), join(root, '..data'));
    await becomes(web, '10.0.0.2:80');
    assert.deepEqual(
      namer.names().map((name) => name.show),
      ['/web'],
    );
  });

  it('follows its directory when that is deleted and made again, and when another takes its place', async () => {
    write('a/web', '10.0.0.1 80');
    const web = resolved('/a/web');
    await becomes(web, '10.0.0.1:80');
    rmSync(join(root, 'a'), { recursive: true });
    await becomes(web, 'neg');
    write('a/web', '10.0.0.2 80');
    await becomes(web, '10.0.0.2:80');
    write('b/web', '10.0.0.3 80');
    renameSync(join(root, 'a'), join(root, 'c'));
    renameSync(join(root, 'b'), join(root, 'a'));
    await becomes(web, '10.0.0.3:80');
    write('a/web', '10.0.0.4 80');
    await becomes(web, '10.0.0.4:80');
  });

  it('looks often only at what a directory watch cannot tell of', async () => {
    const waits: number[] = [];
    const clock = {
      ...systemClock,
      after(delayMs: number, callback: () => void) {
        waits.push(Math.round(delayMs));
        return systemClock.after(delayMs, callback);
      },
    };
    namer = new FsNamer(Path.of('#', 'io.l5d.fs'), root, { clock, log, stats: noStats });
    for (let n = 0; n < 20; n++) write(`web${n}`, '10.0.0.1 80');
    symlinkSync('web0', join(root, 'link'));
    const times = (ms: number) => waits.filter((each) => each === ms).length;
    for (let n = 0; n < 20; n++) await becomes(resolved(`/web${n}`), '10.0.0.1:80');
    await eventually(() => times(20_000) === 20);
    const before = times(500);
    await becomes(resolved('/link'), '10.0.0.1:80');
    await eventually(() => times(500) >= before + 3);
    assert.equal(times(20_000), 20);
  });

  it('follows a link that takes the place of a file, and what is behind it', async () => {
    const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), 'turnout-fs-')));
    try {
      write('web', '10.0.0.1 80');
      const web = resolved('/web');
      await becomes(web, '10.0.0.1:80');
      writeFileSync(join(elsewhere, 'target'), '10.0.0.2 80');
      symlinkSync(join(elsewhere, 'target'), join(root, '.next'));
      renameSync(join(root, '.next'), join(root, 'web'));
      await becomes(web, '10.0.0.2:80');
      writeFileSync(join(elsewhere, 'target'), '10.0.0.3 80');
      await becomes(web, '10.0.0.3:80');
      rmSync(join(elsewhere, 'target'));
      await becomes(web, 'neg');
      writeFileSync(join(elsewhere, 'target'), '10.0.0.4 80');
      await becomes(web, '10.0.0.4:80');
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('follows changes behind a link to a file elsewhere', async () => {
    const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), 'turnout-fs-')));
    try {
      writeFileSync(join(elsewhere, 'target'), '10.0.0.1 80');
      symlinkSync(join(elsewhere, 'target'), join(root, 'web'));
      const web = resolved('/web');
      await becomes(web, '10.0.0.1:80');
      writeFileSync(join(elsewhere, 'target'), '10.0.0.2 80');
      await becomes(web, '10.0.0.2:80');
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('never shows the empty file between truncating and writing', async () => {
    write('web', '10.0.0.1 80\n');
    const web = resolved('/web');
    await becomes(web, '10.0.0.1:80');
    truncateSync(join(root, 'web'));
    // Longer than a change has to be quiet, so that the empty file is read.
    await new Promise((resolve) => setTimeout(resolve, 90));
    write('web', '10.0.0.2 80\n');
    await becomes(web, '10.0.0.2:80');
    assert.deepEqual(
      web.seen.filter((line) => line !== 'pending'),
      ['10.0.0.1:80', '10.0.0.2:80'],
    );
  });

  it('has an empty set for a file that stays empty', async () => {
    write('web', '10.0.0.1 80\n');
    const web = resolved('/web');
    await becomes(web, '10.0.0.1:80');
    truncateSync(join(root, 'web'));
    await becomes(web, '');
  });

  it('keeps the last good addresses and reports a bad line with its place', async () => {
    write('web', '10.0.0.1 80\n');
    const web = resolved('/web');
    await becomes(web, '10.0.0.1:80');
    write('web', '10.0.0.2 80\noops\n');
    await eventually(() => log.warnings.length > 0);
    assert.deepEqual(log.warnings, [
      `malformed address: ${root}/web:2: expected "host port" or "host port * weight" in "oops"; ` +
        'the last good addresses are kept',
    ]);
    assert.equal(web.latest, '10.0.0.1:80');
    write('web', '10.0.0.3 80\n');
    await becomes(web, '10.0.0.3:80');
  });

  it('fails a name whose file never was good, without falling back', async () => {
    write('web', 'oops\n');
    await becomes(resolved('/web'), /^failed: malformed address: .*web:1: expected "host port"/);
    assert.match(log.warnings[0] ?? '', /the name fails$/);
  });

  it('fails a file above 500 kB', async () => {
    write('web', '#'.repeat(500_001));
    await becomes(
      resolved('/web'),
      /^failed: cannot read .*web: the file has 500001 bytes; at most 500000 are read$/,
    );
  });

  it('fails a name that cannot be read, until it can', async () => {
    symlinkSync('web', join(root, 'web'));
    const web = resolved('/web');
    await becomes(web, /^failed: cannot read .*ELOOP/);
    rmSync(join(root, 'web'));
    write('web', '10.0.0.1 80');
    await becomes(web, '10.0.0.1:80');
  });

  it('keeps the bound name and its address set as they are when only the content changes', async () => {
    write('web', '10.0.0.1 80\n');
    const tree = look('/web');
    const other = look('/web/x');
    await eventually(() => tree.latest.state === 'ok' && other.latest.state === 'ok');
    const { addr } = onlyBound(tree.latest);
    assert.equal(onlyBound(other.latest).addr, addr);
    const addresses = watching(addr);
    open.push(addresses);
    const changes = tree.seen.length;
    write('web', '10.0.0.2 80\n');
    await eventually(() => showAddr(addresses.latest) === '10.0.0.2:80');
    assert.equal(tree.seen.length, changes);
  });

  it('never leaves its directory', async () => {
    write('web', '10.0.0.1 80');
    const inside = new FsNamer(Path.of('#', 'io.l5d.fs'), join(root, 'sub'), {
      clock: systemClock,
      log,
      stats: noStats,
    });
    for (const segments of [
      ['..', 'web'],
      ['.', 'web'],
      ['../web'],
      ['web\0'],
      ['..\0', 'web'],
      ['/'],
      ['\xff'],
    ]) {
      assert.equal(showState(watching(inside.lookup(new Path(segments))).latest), 'neg');
    }
    assert.equal(inside.watched, 0);
  });

  it('takes labels as bytes of UTF-8 names', async () => {
    write('w\u00fcrfel', '10.0.0.1 80');
    const tree = watching(namer.lookup(Path.of(Buffer.from('w\u00fcrfel').toString('latin1'))));
    open.push(tree);
    await eventually(() => tree.latest.state === 'ok' && tree.latest.value.type === 'leaf');
    assert.deepEqual(
      namer.names().map((name) => name.segments),
      [['w\u00c3\u00bcrfel']],
    );
  });

  it('is neg for a link to nothing and for names that cannot exist', async () => {
    const dangling = resolved('/dangling');
    symlinkSync('nowhere', join(root, 'dangling'));
    await becomes(resolved(`/${'x'.repeat(300)}`), 'neg');
    await becomes(dangling, 'neg');
  });

  it('lists its top-level names', () => {
    write('web', '');
    write('api', '');
    write('dir/deep', '');
    assert.deepEqual(
      namer.names().map((name) => name.show),
      ['/api', '/dir', '/web'],
    );
  });

  it('starts to watch with the first observer and stops with the last', async () => {
    write('web', '10.0.0.1 80');
    const first = watching(namer.lookup(path('/web')));
    const second = watching(namer.lookup(path('/web/x')));
    await eventually(() => first.latest.state === 'ok' && second.latest.state === 'ok');
    assert.equal(namer.watched, 1);
    first.close();
    assert.equal(namer.watched, 1);
    second.close();
    assert.equal(namer.watched, 0);
  });
});
