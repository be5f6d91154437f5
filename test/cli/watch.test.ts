import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { paintFor, table } from '../../src/commands/common.ts';
import type { StoryRecord } from '../../src/telemetry/tap.ts';
import { byTrouble, statRows } from '../../src/watch/stat-rows.ts';
import { redacted, tapLine } from '../../src/watch/tap-line.ts';
import { Demo } from './demo.ts';
import { startProgram } from './program.ts';

let demo: Demo;
before(async () => {
  demo = await Demo.start();
});
after(() => demo.close());

/** Requests go on until the command has ended. */
async function underLoad<T>(
  command: Promise<T>,
  host: string,
  headers: Record<string, string> = {},
): Promise<T> {
  let done = false;
  const ended = command.finally(() => {
    done = true;
  });
  const load = (async () => {
    while (!done) await demo.request(host, headers);
  })();
  await load;
  return ended;
}

describe('turnout tap', () => {
  it('shows requests with name, endpoint, TLS, latency and retries', async () => {
    const words = ['tap', '--where', 'path=/svc/world router=outgoing', '--max', '1'];
    const { code, stdout } = await underLoad(demo.turnout(...words), 'world');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^[\d:.]+ router=outgoing src=127\.0\.0\.1:\d+ dst=127\.0\.0\.1:\d+ tls=true tls-name=world /,
    );
    assert.match(
      stdout,
      / :method=GET :authority=world :path=\/ :status=200 latency=[\d.]+ms name=\/svc\/world /,
    );
    assert.match(stdout, / bound=\/%\/io\.l5d\.port\/\d+\/#\/io\.l5d\.fs\/world retries=0\n$/);
  });

  it('tells what reaches its endpoint by TLS from what does not', async () => {
    for (const [secure, router] of [
      ['true', 'outgoing'],
      ['false', 'incoming'],
    ] as const) {
      const words = ['tap', '--where', `path=/svc/world tls=${secure}`, '--max', '2', '-o', 'json'];
      const { stdout } = await underLoad(demo.turnout(...words), 'world');
      const stories = stdout.trimEnd().split('\n');
      assert.deepEqual(
        stories.map((line) => (JSON.parse(line) as StoryRecord).router),
        [router, router],
      );
    }
  });

  it('shows failures with their code, and headers without secrets unless asked', async () => {
    const where = ['tap', '--where', 'status>=500 router=outgoing', '--max', '1', '-o', 'json'];
    const headers = { authorization: 'Bearer secret', 'x-a': 'b' };
    const { stdout } = await underLoad(demo.turnout(...where, '--headers'), 'wrld', headers);
    const story = JSON.parse(stdout) as StoryRecord;
    assert.equal(story.failure, 'no-endpoints');
    const shown = new Map(story.headers);
    assert.deepEqual([shown.get('authorization'), shown.get('x-a')], ['(redacted)', 'b']);
    const whole = await underLoad(demo.turnout(...where, '--unredacted'), 'wrld', headers);
    assert.match(whole.stdout, /Bearer secret/);
  });

  it('ends with 0 at Ctrl-C and says what is wrong with a condition', async () => {
    const { code, stderr } = await demo.turnout('tap', '--where', 'size=3');
    assert.equal(code, 2);
    assert.match(stderr, /^turnout: --where: unknown field "size"; known: router, .*\n$/);
    const share = await demo.turnout('tap', '--rate', '7');
    assert.deepEqual([share.code, /above 0 and up to 1, not 7/.test(share.stderr)], [2, true]);
    const program = startProgram(['tap', '--admin', demo.admin]);
    await underLoad(program.says('name=/svc/world'), 'world');
    program.child.kill('SIGINT');
    assert.equal(await program.ended(), 0);
  });

  it('never lets what a caller chose give orders to a terminal', () => {
    const story = {
      time: '',
      method: 'GET',
      host: 'a',
      target: '/\x1b[2J',
      status: 200,
      peer: '',
      router: '',
    };
    const line = tapLine(
      { ...story, headers: [['a', '\x1b]0;x']] } as unknown as StoryRecord,
      paintFor({ write() {} }),
    );
    assert.doesNotMatch(line, /\x1b/);
    assert.equal(redacted({ ...story } as unknown as StoryRecord).headers, undefined);
  });
});

describe('turnout stat', () => {
  it('shows what happens now: a row for each server, service and client', async () => {
    const { code, stdout } = await underLoad(demo.turnout('stat', '--seconds', '1', '-o', 'json'), 'world');
    assert.equal(code, 0);
    const rows = JSON.parse(stdout) as {
      router: string;
      kind: string;
      name: string;
      requestsPerSec: number;
      success: number;
      tls?: number;
    }[];
    const row = rows.find(({ kind, name }) => kind === 'service' && name === '/svc/world');
    assert.ok(row !== undefined && row.requestsPerSec > 0 && row.success === 1, stdout);
    const tlsOf = (router: string, kind: string, name: RegExp) =>
      rows.find((each) => each.router === router && each.kind === kind && name.test(each.name))?.tls;
    assert.equal(tlsOf('outgoing', 'client', /^\/%\/io\.l5d\.port/), 1, 'to the other router');
    assert.equal(tlsOf('incoming', 'server', /./), 1);
    assert.equal(tlsOf('incoming', 'client', /^\/#\/io\.l5d\.fs/), 0, 'to the application');
    assert.equal(tlsOf('outgoing', 'service', /^\/svc\/world$/), undefined);
  });

  it('is a table in a pipe, and top shows one after the other', async () => {
    const { stdout } = await underLoad(demo.turnout('top', '--count', '2', '--router', 'outgoing'), 'wrld');
    assert.equal(stdout.match(/^ROUTER +KIND +NAME +RPS +SUCCESS/gm)?.length, 2);
    assert.match(stdout, /^outgoing +service +\/svc\/wrld +[\d.]+ +0\.00%/m);
    assert.match(stdout, /^outgoing +client +.* +\d+ +100%$/m);
    assert.doesNotMatch(stdout, /\x1b|incoming/);
  });

  it('says which routers there are when it is asked for another', async () => {
    for (const words of [['stat'], ['top'], ['what-if', '/a => /b']]) {
      const { code, stdout, stderr } = await demo.turnout(...words, '--router', 'nope');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /there is no router nope at .*; there are outgoing, incoming/);
    }
  });

  it('goes on as top until Ctrl-C or SIGTERM, and ends with 0', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const program = startProgram(['top', '--admin', demo.admin, '-o', 'json']);
      await program.says('"kind":"server"');
      program.child.kill(signal);
      assert.equal(await program.ended(), 0);
      const [first = ''] = program.stdout().split('\n');
      assert.ok(Array.isArray(JSON.parse(first)));
    }
  });

  it('ends when the reader of its output has seen enough', async () => {
    const program = startProgram(['top', '--admin', demo.admin]);
    await program.says('ROUTER');
    program.child.stdout?.destroy();
    assert.equal(await program.ended(), 0);
  });
});

describe('The rows of stat', () => {
  const metrics = (requests: number, success: number): unknown => ({
    rt: {
      http: { service: { 'svc/a': { requests: { counter: requests }, success: { counter: success } } } },
    },
  });

  it('are of the time between the readings, also when the process is another one', () => {
    const [row] = statRows(metrics(10, 10), metrics(30, 25), 2);
    assert.deepEqual([row?.name, row?.requestsPerSec, row?.success], ['/svc/a', 10, 0.75]);
    assert.equal(statRows(metrics(10, 10), metrics(4, 4), 2)[0]?.requestsPerSec, 2);
    assert.equal(statRows({}, metrics(0, 0), 1)[0]?.success, undefined);
  });

  it('come by failures, then by requests', () => {
    const row = (name: string, requestsPerSec: number, success: number) =>
      ({ name, requestsPerSec, success, router: '', kind: 'service', retriesPerSec: 0 }) as const;
    const rows = [row('busy', 100, 1), row('broken', 2, 0), row('calm', 1, 1)];
    assert.deepEqual(
      rows.toSorted(byTrouble).map(({ name }) => name),
      ['broken', 'busy', 'calm'],
    );
  });

  it('keep their numbers on a narrow terminal: long names give way in their middle', () => {
    const rows = [
      ['NAME', 'RPS', 'SUCCESS'],
      ['/%/io.l5d.port/4141/#/io.l5d.fs/hello', '4.9', '100.00%'],
      ['/svc/web', '1.0', '0.00%'],
    ];
    const lines = table(rows, 40).trimEnd().split('\n');
    assert.ok(lines.every((line) => line.length <= 40));
    assert.match(lines[1] ?? '', /^\/%\/io\.l5.*…\S*\/hello {2}4\.9 {2}100\.00%$/);
    assert.match(lines[2] ?? '', /^\/svc\/web {2,}1\.0 {2}0\.00%$/);
  });

  it('are cut at the width of a terminal, and whole in a pipe', () => {
    assert.equal(
      table(
        [
          ['abc', 'def'],
          ['g', 'h'],
        ],
        6,
      ),
      'abc  …\ng    h\n',
    );
    assert.equal(table([['abc', 'def']]), 'abc  def\n');
  });
});
