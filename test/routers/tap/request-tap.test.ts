/** What listeners are told of requests, over real sockets. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { Interest } from '../../../routers/tap/interest.ts';
import type { StoryRecord } from '../../../src/telemetry/tap.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { until } from '../../support/until.ts';

const GET = 'GET /a?b HTTP/1.1\r\nHost: web\r\nUser-Agent: "t"\r\nCookie: secret\r\n\r\n';
const all: Interest = { bit: 3, rate: 1, sampling: 'request', where: [], headers: false };

let backend: ScriptedBackend;
let rig: Rig;
beforeEach(async () => {
  backend = await ScriptedBackend.start();
});
afterEach(async () => {
  await rig.close();
  await backend.close();
});
after(noSocketsLeft);

async function start(interests: readonly Interest[], options: RigOptions = {}): Promise<void> {
  rig = await Rig.over([backend], options);
  rig.tap.set(interests);
}

async function get(text = GET): Promise<number> {
  const client = await rig.connect();
  client.send(text);
  return (await client.answer()).status;
}

function told(): StoryRecord[] {
  rig.tap.flush();
  return rig.stories.flatMap(({ lines, masks }) => {
    const each = lines.toString().trimEnd().split('\n');
    assert.equal(each.length, masks.length);
    return each.map((line): StoryRecord => JSON.parse(line));
  });
}

describe('A request that somebody listens to', () => {
  it('is told once, with its name, its endpoint and its time', async () => {
    await start([all]);
    assert.equal(await get(), 200);
    const [story, ...more] = told();
    assert.ok(story !== undefined && more.length === 0);
    const { router, server, method, host, target, status, path, client, tls, class: outcome } = story;
    assert.deepEqual(
      { router, server, method, host, target, status, path, client, tls, outcome },
      {
        router: 'http',
        server: '127.0.0.1/0',
        method: 'GET',
        host: 'web',
        target: '/a?b',
        status: 200,
        path: '/svc/web',
        client: '/#/test/web',
        tls: false,
        outcome: 'success',
      },
    );
    assert.equal(story.endpoint, `127.0.0.1:${backend.port}`);
    assert.equal(story.userAgent, '"t"');
    assert.equal(story.headers, undefined);
    assert.match(story.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(story.traceId, /^[0-9a-f]{16}$/);
    assert.deepEqual(
      story.attempts.map(({ endpoint, status: each }) => ({ endpoint, each })),
      [{ endpoint: story.endpoint, each: 200 }],
    );
    assert.equal(story.responseBytes, Number(story.length));
  });

  it('tells every attempt, and why the router answered itself', async () => {
    const dead = await ScriptedBackend.start();
    const { port } = dead;
    await dead.close();
    await start([all]);
    rig.addresses('web', [{ port }]);
    assert.equal(await get(), 502);
    const [story] = told();
    assert.equal(story?.failure, 'connect');
    assert.match(story?.message ?? '', /Unable to establish connection/);
    assert.equal(story?.class, 'failure');
    assert.deepEqual(
      story?.attempts.map(({ failure }) => failure),
      ['connect', 'connect'],
    );
    assert.equal(story?.requeues, 1);
  });

  it('has its values in one order, whatever there is to say of it', async () => {
    await start([all]);
    await get(GET.replace('1.1', '1.0').replace('User-Agent: "t"\r\n', ''));
    await get('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\nhello');
    await get(GET.replace('Host: web', 'Host: none'));
    const order = [
      ...['time', 'router', 'server', 'peer', 'tls', 'method', 'host', 'target', 'version', 'status', 'path'],
      ...['client', 'endpoint', 'class', 'failure', 'message', 'latencyMs', 'durationMs', 'requestBytes'],
      ...['responseBytes', 'retries', 'requeues', 'attempts', 'traceId', 'spanId', 'length', 'userAgent'],
    ];
    const stories = told();
    for (const story of stories) {
      const keys = Object.keys(story);
      assert.deepEqual(
        keys,
        order.filter((key) => keys.includes(key)),
      );
      for (const attempt of story.attempts) {
        assert.deepEqual(Object.keys(attempt), ['client', 'endpoint', 'atMs', 'ms', 'spanId', 'status']);
      }
    }
    const facts = stories.map(({ version, requestBytes, retries, requeues, attempts, client, status }) => [
      version,
      requestBytes,
      retries + requeues,
      attempts.map((attempt) => [attempt.client === client, attempt.status === status]),
    ]);
    assert.deepEqual(facts, [
      ['1.0', 0, 0, [[true, true]]],
      ['1.1', 5, 0, [[true, true]]],
      ['1.1', 0, 0, []],
    ]);
  });

  it('is told as cancelled when its caller leaves', async () => {
    await start([all]);
    rig.pend('web');
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.serverStat('pending') === 1, 'the request');
    client.socket.resetAndDestroy();
    await until(() => rig.serverStat('pending') === 0, 'its end');
    const [story] = told();
    assert.equal(story?.class, 'cancelled');
    assert.equal(story?.status, 0);
  });

  it('keeps one line a request, whatever the caller writes into it', async () => {
    await start([{ ...all, headers: true }]);
    await get('GET /"\\x HTTP/1.1\r\nHost: web\r\nX-Odd: a"b\\c\u00c3\u00a9\r\n\r\n');
    const [story] = told();
    assert.equal(story?.target, '/"\\x');
    assert.ok(story?.headers?.some(([name, value]) => name === 'X-Odd' && value === 'a"b\\cé'));
  });

  it('shows its headers to nobody who has not asked for them, while others have', async () => {
    await start([all, { ...all, bit: 4, headers: true }]);
    await get();
    const stories = told();
    const masks = rig.stories.flatMap((batch) => [...batch.masks]);
    const heard = (bit: number) => stories.filter((_, i) => ((masks[i] ?? 0) & (1 << bit)) !== 0);
    assert.deepEqual(
      [3, 4].map((bit) => heard(bit).map(({ headers }) => JSON.stringify(headers)?.includes('secret'))),
      [[undefined], [true]],
    );
  });
});

describe('Interests', () => {
  it('are told only what fulfils their conditions, and share a line', async () => {
    const errors: Interest = { ...all, bit: 0, where: [{ field: 'status', op: '>=', value: 500 }] };
    const web: Interest = { ...all, bit: 1, where: [{ field: 'path', op: '=', value: '/svc/web' }] };
    await start([errors, web]);
    await get();
    await get(GET.replace('Host: web', 'Host: none'));
    await get(GET.replace('GET', 'PUT'));
    rig.tap.flush();
    assert.deepEqual(
      rig.stories.flatMap(({ masks }) => Array.from(masks)),
      [0b10, 0b01, 0b10],
    );
  });

  it('at a share of the requests are told about that share', async () => {
    await start([{ ...all, rate: 0.25 }]);
    const client = await rig.connect();
    for (let i = 0; i < 400; i++) {
      client.send(GET);
      await client.answer();
    }
    const count = told().length;
    assert.ok(count > 60 && count < 140, `${count} of 400`);
  });

  it('by trace follow the decision that came with the request', async () => {
    await start([{ ...all, rate: 0, sampling: 'trace' }]);
    await get();
    await get(GET.replace('Cookie', 'l5d-sample: 1.0\r\nCookie'));
    assert.equal(told().length, 1);
  });

  it('that are withdrawn cost nothing more: no story is made', async () => {
    await start([all]);
    rig.tap.set([]);
    await get();
    assert.deepEqual(told(), []);
  });

  it('lose stories, counted, when nobody takes them', async () => {
    await start([all]);
    rig.takesStories = false;
    await get();
    await get();
    assert.deepEqual(told(), []);
    assert.equal(rig.stats.value('tap/dropped'), 2);
    rig.takesStories = true;
    await get();
    assert.equal(told().length, 1);
    assert.deepEqual([rig.stats.value('tap/told'), rig.stats.value('tap/dropped')], [1, 2]);
  });
});
