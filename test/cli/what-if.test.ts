import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { diffLines } from '../../src/inspect/diff.ts';
import type { Outcome } from '../../src/inspect/node.ts';
import { type Change, movedShare } from '../../src/inspect/what-if.ts';
import { Demo } from './demo.ts';
import { runProgram } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-what-if-'));
after(() => rmSync(folder, { recursive: true }));

let demo: Demo;
before(async () => {
  demo = await Demo.start();
  await demo.request('world');
});
after(() => demo.close());

function changed(name: string, change: (text: string) => string): string {
  const path = join(folder, name);
  writeFileSync(path, change(readFileSync(join(demo.folder, 'turnout.yaml'), 'utf8')));
  return path;
}

describe('turnout what-if', () => {
  const words = ['what-if', '--seconds', '1', '--router', 'incoming', '-o', 'json'];
  const of = (stdout: string, name: string): Change =>
    (JSON.parse(stdout) as Change[]).find((change) => change.name === name) ?? assert.fail(stdout);

  it('says how many requests would go elsewhere by an entry more', async () => {
    let done = false;
    const asked = demo.turnout(...words, '/svc/world => 3 * /srv/world & /srv/world-v2').finally(() => {
      done = true;
    });
    while (!done) await demo.request('world');
    const { code, stdout } = await asked;
    assert.equal(code, 0);
    const { requestsPerSec, movedPerSec, before: now, after: then, lost } = of(stdout, '/svc/world');
    assert.ok(requestsPerSec > 0);
    assert.ok(Math.abs(movedPerSec - requestsPerSec / 4) < 1e-6);
    assert.deepEqual(
      [now, then, lost],
      ['/#/io.l5d.fs/world', '75% /#/io.l5d.fs/world & 25% /#/io.l5d.fs/world-v2', false],
    );
  });

  it('exits with 1 for a configuration by which a name would have no answer', async () => {
    const next = changed('lost.yaml', (text) =>
      text.replaceAll('/srv  => /#/io.l5d.fs;', '/srv  => /#/io.l5d.fs/old;'),
    );
    const { code, stdout } = await demo.turnout(...words, next);
    assert.equal(code, 1);
    const { after: then, lost } = of(stdout, '/svc/world');
    assert.deepEqual([then, lost], ['no-endpoints', true]);
    const text = await demo.turnout('what-if', '--seconds', '1', next);
    assert.match(text.stdout, /^unroutable: .*\/svc\/world/m);
  });

  it('shows where a dtab does not parse', async () => {
    const { code, stderr } = await demo.turnout('what-if', '/a -> /b');
    assert.equal(code, 1);
    assert.match(stderr, /dtab:1:4: expected/);
  });

  it('counts what leaves its place', () => {
    const bound = (shares: [string, number][]): Outcome => ({ type: 'bound', shares: new Map(shares) });
    const none: Outcome = { type: 'error', code: 'no-endpoints', why: '' };
    assert.equal(movedShare(bound([['a', 1]]), bound([['a', 1]])), 0);
    assert.equal(
      movedShare(
        bound([['a', 1]]),
        bound([
          ['a', 0.75],
          ['b', 0.25],
        ]),
      ),
      0.25,
    );
    assert.equal(movedShare(bound([['a', 1]]), none), 1);
    assert.equal(movedShare(none, none), 0);
  });
});

describe('turnout dtab', () => {
  it('shows the tables with the lines of their entries', async () => {
    const { stdout } = await demo.turnout('dtab', 'show', '--router', 'outgoing');
    assert.match(stdout, /^router outgoing\n {4}\d+ {2}\/srv=>\/#\/io\.l5d\.fs;\n/);
    assert.doesNotMatch(stdout, /incoming/);
  });

  it('shows what a configuration would add and take away', async () => {
    const same = await demo.turnout(
      'dtab',
      'diff',
      changed('same.yaml', (text) => text),
    );
    assert.deepEqual([same.code, same.stdout], [0, 'no difference\n']);
    const next = changed('next.yaml', (text) => text.replace('/host => /srv;', '/host => /srv | /new;'));
    const { code, stdout } = await demo.turnout('dtab', 'diff', next);
    assert.equal(code, 1);
    const [plain] = JSON.parse((await demo.turnout('dtab', 'diff', next, '-o', 'json')).stdout);
    assert.deepEqual([plain.router, plain.lines[1]], ['outgoing', { sign: '-', line: '/host=>/srv;' }]);
    assert.match(
      stdout,
      /^router outgoing\n {2}\/srv=>.*\n- \/host=>\/srv;\n\+ \/host=>\/srv \| \/new;\n {2}\/svc=>\/host;\n$/,
    );
  });

  it('finds a difference that leads from one list to the other, and none in the same', () => {
    const list = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const lines = diffLines(a, b);
        assert.deepEqual(
          lines.filter(({ sign }) => sign !== '+').map(({ line }) => line),
          a,
        );
        assert.deepEqual(
          lines.filter(({ sign }) => sign !== '-').map(({ line }) => line),
          b,
        );
        assert.ok(diffLines(a, a).every(({ sign }) => sign === ' '));
      }),
    );
  });
});

describe('turnout metrics and turnout config', () => {
  it('print the metrics that begin with a prefix', async () => {
    const { stdout } = await demo.turnout('metrics', 'jvm/fd_limit');
    assert.match(stdout, /^jvm\/fd_limit {2}\d+\n$/);
    const none = await demo.turnout('metrics', 'nope');
    assert.deepEqual([none.code, none.stderr], [1, 'turnout: no metric begins with nope\n']);
  });

  it('print the configuration in force as YAML that can be used again', async () => {
    const { stdout } = await demo.turnout('config');
    assert.deepEqual(await runProgram(['validate', '-'], stdout), { code: 0, stdout: 'ok\n', stderr: '' });
    assert.equal(JSON.parse((await demo.turnout('config', '-o', 'json')).stdout).routers.length, 2);
  });
});

describe('turnout completion', () => {
  const completed = async (words: string): Promise<string[]> => {
    const script = (await runProgram(['completion', 'bash'])).stdout;
    const code = `${script}\nCOMP_WORDS=(turnout ${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _turnout; echo "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', code], { encoding: 'utf8', cwd: folder }).stdout.trim().split(' ');
  };

  it('completes commands, those of groups, options and their values', async () => {
    assert.deepEqual(await completed('exp'), ['explain']);
    assert.deepEqual(await completed('dtab sh'), ['show']);
    assert.deepEqual(await completed('tap --wh'), ['--where']);
    assert.deepEqual(await completed('stat -o j'), ['json']);
    assert.deepEqual(await completed('completion z'), ['zsh']);
  });

  it('knows three shells, and says so of another', async () => {
    assert.match((await runProgram(['completion', 'fish'])).stdout, /^complete -c turnout .* -a 'explain'/m);
    assert.match((await runProgram(['completion', 'zsh'])).stdout, /bashcompinit/);
    assert.equal((await runProgram(['completion', 'csh'])).code, 2);
  });
});
