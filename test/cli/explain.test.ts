import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chosenAlternative, type DelegationNode, outcomeOf } from '../../src/inspect/node.ts';
import { questionOf } from '../../src/inspect/question.ts';
import { Demo } from './demo.ts';
import { runProgram } from './program.ts';

let demo: Demo;
before(async () => {
  demo = await Demo.start();
});
after(() => demo.close());

describe('An error of a router', () => {
  it('has its code, the entry with its place, the answer of the namer, names nearby, and what to run', async () => {
    const { status, code, body } = await demo.request('wrld');
    assert.deepEqual([status, code], [502, 'no-endpoints']);
    assert.match(body, /led here by \/srv=>\/#\/io\.l5d\.fs \(.*turnout\.yaml:\d+:5\)/);
    assert.match(body, /absent: the namer \/#\/io\.l5d\.fs knows no such name/);
    assert.match(body, /nearest names: \/#\/io\.l5d\.fs\/world/);
    assert.match(body, /^explain: curl -s /m);
  });
});

describe('turnout explain', () => {
  it('shows each step of a name with its entry and line, the endpoints and the name for TLS', async () => {
    const { code, stdout } = await demo.turnout('explain', '/svc/world', '--router', 'outgoing');
    assert.equal(code, 0);
    const lines = readFileSync(join(demo.folder, 'turnout.yaml'), 'utf8').split('\n');
    const line = lines.findIndex((each) => each.includes('/svc  => /host')) + 1;
    assert.match(stdout, new RegExp(`/host/world {2}by /svc => /host \\(.*turnout\\.yaml:${line}:5\\)`));
    assert.match(
      stdout,
      /bound to \/%\/io\.l5d\.port\/\d+\/#\/io\.l5d\.fs\/world; TLS, must prove world\n +127\.0\.0\.1:\d+/,
    );
    assert.match(stdout, /=> 100% to \/%/);
    assert.doesNotMatch(stdout, /\x1b/);
  });

  it('identifies a request, follows its override, and says what each alternative answered', async () => {
    const override = 'l5d-dtab: /svc/wrld => /svc/nobody | /svc/hello';
    const { code, stdout } = await demo.turnout(
      'explain',
      'http://wrld/x',
      '-H',
      override,
      '--router',
      'incoming',
    );
    assert.equal(code, 0);
    assert.match(stdout, /identified as \/svc\/wrld/);
    assert.match(stdout, /alternative 1: absent\n/);
    assert.match(stdout, /alternative 2: taken\n/);
    assert.match(stdout, /alternative 3: a fallback, not used\n/);
    assert.match(stdout, /=> 100% to \/#\/io\.l5d\.fs\/hello/);
  });

  it('exits with 1 for a name that nothing resolves, with the nearest names and the page to read', async () => {
    const { code, stdout } = await demo.turnout('explain', '/svc/wrld');
    assert.equal(code, 1);
    assert.match(stdout, /absent: .*; nearest names: \/#\/io\.l5d\.fs\/world/);
    assert.match(stdout, /=> no-endpoints: .*docs\/errors\.md#no-endpoints/);
  });

  it('answers the same from the configuration alone, as JSON', async () => {
    const file = join(demo.folder, 'turnout.yaml');
    const words = ['explain', 'http://world', '--router', 'incoming', '-o', 'json'];
    const live = JSON.parse((await demo.turnout(...words)).stdout);
    const offline = await runProgram([...words, '--config', file]);
    assert.equal(offline.code, 0, offline.stderr);
    const [{ outcome, path, tree }] = JSON.parse(offline.stdout);
    assert.deepEqual(
      { outcome, path, tree },
      {
        outcome: { type: 'bound', shares: { '/#/io.l5d.fs/world': 1 } },
        path: '/svc/world',
        tree: live[0].tree,
      },
    );
  });

  it('says in one line what is wrong: no router there, no such router, no request', async () => {
    const absent = await runProgram(['explain', '/svc/a', '--admin', '127.0.0.1:9']);
    assert.equal(absent.code, 1);
    assert.match(
      absent.stderr,
      /^turnout: cannot reach the admin server at 127\.0\.0\.1:9: .*--admin HOST:PORT.*\n$/,
    );
    const router = await demo.turnout('explain', '/svc/a', '--router', 'nope');
    assert.match(router.stderr, /there is no router nope at .*; there are outgoing, incoming/);
    const override = await demo.turnout('explain', 'http://hello/', '-H', 'l5d-dtab: /a -> /b');
    assert.match(override.stdout, /^=> bad-dtab: l5d-dtab:1:4: .* \(docs\/errors\.md#bad-dtab\)$/m);
    const mistake = await demo.turnout('explain', 'ftp://x');
    assert.deepEqual([mistake.code, mistake.stdout], [2, '']);
  });

  if (spawnSync('script', ['--version']).error === undefined) {
    it('is coloured on a terminal, unless NO_COLOR says otherwise', () => {
      const entry = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
      const line = `${process.execPath} ${entry} explain /svc/world --admin ${demo.admin}`;
      const shown = (env: object): string =>
        spawnSync('script', ['-qec', line, '/dev/null'], {
          encoding: 'utf8',
          env: { ...process.env, TERM: 'xterm', ...env },
        }).stdout;
      assert.match(shown({}), /\x1b\[/);
      assert.doesNotMatch(shown({ NO_COLOR: '1' }), /\x1b\[/);
    });
  }
});

describe('A question', () => {
  it('is a name when it begins with a slash, else a request', () => {
    assert.deepEqual(questionOf('web/a?b', ['X: y'], 'POST'), {
      type: 'request',
      request: { method: 'POST', target: '/a?b', host: 'web', headers: ['X: y'] },
    });
    assert.deepEqual(questionOf('/svc/web', ['l5d-dtab: /a=>/b'], 'GET'), {
      type: 'name',
      path: '/svc/web',
      dtab: '/a=>/b',
    });
    assert.throws(() => questionOf('/svc/web', ['nonsense'], 'GET'), /-H takes/);
  });
});

describe('The outcome of a delegation', () => {
  const leaf = (id: string): DelegationNode => ({
    type: 'leaf',
    path: id,
    bound: { id, path: '/', addr: { type: 'bound' } },
  });
  const node = (type: string): DelegationNode => ({ type, path: '/x' });

  it('is the first alternative that exists', () => {
    const alt = [node('neg'), leaf('/a'), leaf('/b')];
    assert.equal(chosenAlternative(alt), 1);
    assert.deepEqual(outcomeOf({ type: 'alt', path: '/', alt }), {
      type: 'bound',
      shares: new Map([['/a', 1]]),
    });
    const stopped = outcomeOf({ type: 'alt', path: '/', alt: [node('fail'), leaf('/b')] });
    assert.equal(stopped.type === 'error' && stopped.code, 'no-endpoints');
  });

  it('is shares by weight, without what does not exist', () => {
    const union = [
      { weight: 3, tree: leaf('/a') },
      { weight: 1, tree: leaf('/b') },
      { weight: 6, tree: node('neg') },
    ];
    const outcome = outcomeOf({ type: 'union', path: '/', union });
    assert.deepEqual(outcome, {
      type: 'bound',
      shares: new Map([
        ['/a', 0.75],
        ['/b', 0.25],
      ]),
    });
  });
});
