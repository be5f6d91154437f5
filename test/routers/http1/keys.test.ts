/** Keys of routers and servers, from the text of a configuration to what callers and endpoints see of them. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { leaf } from '../../../dtab/names.ts';
import { ok } from '../../../src/base/activity.ts';
import { configured } from '../../support/configured.ts';
import { type Answered, header, type RawClient } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
const ERROR = 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n';
const RETRIED = 'service: {responseClassifier: {kind: io.l5d.http.retryableAll5XX}}';

let rig: Rig;
let backend: ScriptedBackend;
let client: RawClient;
beforeEach(async () => {
  backend = await ScriptedBackend.start();
});
afterEach(async () => {
  await rig.close();
  await backend.close();
});
after(noSocketsLeft);

async function start(lines: string): Promise<void> {
  rig = await Rig.over([backend], configured(lines));
  client = await rig.connect();
}

/** On a connection of its own. */
async function answerTo(text: string): Promise<Answered> {
  return (await rig.connect()).send(text).answer();
}

/** How often a request is sent whose answer is an error. */
async function attempts(text: string): Promise<number> {
  const before = backend.requests.length;
  backend.script = () => (backend.requests.length < before + 2 ? ERROR : OK);
  await answerTo(text);
  return backend.requests.length - before;
}

describe('The keys of a router', () => {
  const withField = (length: number): string =>
    `GET / HTTP/1.1\r\nHost: web\r\nX: ${'x'.repeat(length)}\r\n\r\n`;

  it('maxHeadersKB limits the heads of requests and of answers', async () => {
    await start('maxHeadersKB: 2');
    assert.equal((await answerTo(withField(1500))).status, 200);
    assert.equal((await answerTo(withField(2500))).status, 431);
    backend.script = () => `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2500)}\r\nContent-Length: 0\r\n\r\n`;
    assert.equal((await answerTo(GET)).status, 502);
    await rig.close();
    await start('maxHeadersKB: 16');
    assert.equal((await answerTo(withField(12_000))).status, 200);
  });

  it('maxInitialLineKB limits the first line', async () => {
    const line = (length: number): string => `GET /${'x'.repeat(length)} HTTP/1.1\r\nHost: web\r\n\r\n`;
    await start('maxInitialLineKB: 1');
    assert.equal((await answerTo(line(900))).status, 200);
    assert.equal((await answerTo(line(1100))).status, 414);
    await rig.close();
    await start('maxInitialLineKB: 6');
    assert.equal((await answerTo(line(5000))).status, 200);
  });

  const post = (length: number): string =>
    `POST / HTTP/1.1\r\nHost: web\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`;
  const chunked = 'POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n';

  it('streamAfterContentLengthKB is how long a body may be to be sent again', async () => {
    await start(`streamAfterContentLengthKB: 1\n${RETRIED}`);
    assert.equal(await attempts(post(1024)), 2);
    assert.equal(await attempts(post(1025)), 1);
    assert.equal(await attempts(chunked), 1);
  });

  it('streamingEnabled: false has every body collected', async () => {
    await start(`streamingEnabled: false\n${RETRIED}`);
    assert.equal(await attempts(post(20_000)), 2);
    assert.equal(await attempts(chunked), 2);
  });

  it('maxErrResponseKB cuts the bodies of errors', async () => {
    const nowhere = 'GET / HTTP/1.1\r\nHost: nowhere\r\n\r\n';
    await start('maxErrResponseKB: 0');
    assert.equal((await answerTo(nowhere)).body, '');
    await rig.close();
    await start('maxErrResponseKB: 1');
    assert.ok((await answerTo(nowhere)).body.length > 50);
  });

  it('tracePropagator chooses the headers that carry a trace', async () => {
    const names = async (lines: string): Promise<string[]> => {
      await start(lines);
      await answerTo(GET);
      const sent = backend.requests.at(-1)?.headers ?? [];
      return sent
        .map(([name]) => name.toLowerCase())
        .filter((name) => /^(x-b3-|l5d-ctx-trace)/.test(name))
        .sort();
    };
    assert.deepEqual(await names('tracePropagator: {kind: io.l5d.default}'), ['l5d-ctx-trace']);
    await rig.close();
    const b3 = await names('tracePropagator: {kind: io.l5d.zipkin}');
    assert.ok(b3.includes('x-b3-traceid') && b3.includes('x-b3-spanid'), b3.join());
  });

  it('dstPrefix stands before every name, originator is a gauge', async () => {
    await start('dstPrefix: /up\noriginator: true');
    rig.name('/up/web').set(ok({ tree: leaf(rig.bound('web')) }));
    assert.equal((await answerTo(GET)).status, 200);
    assert.equal(rig.stats.value('rt/http/originator'), 1);
  });
});

describe('The keys of a server', () => {
  const server = (keys: string): string => `servers: [{port: 4140, ${keys}}]`;

  it('maxCallDepth limits the chain of proxies', async () => {
    await start(server('maxCallDepth: 2'));
    const via = (hops: string): string => `GET / HTTP/1.1\r\nHost: web\r\nVia: ${hops}\r\n\r\n`;
    assert.equal((await answerTo(via('1.1 a, 1.1 b'))).status, 200);
    assert.equal((await answerTo(via('1.1 a, 1.1 b, 1.1 c'))).status, 400);
  });

  it('timestampHeader and addForwardedHeader add to requests', async () => {
    const by = 'by: {kind: static, label: me}, for: {kind: "ip:port"}';
    await start(server(`timestampHeader: X-Start, addForwardedHeader: {${by}}`));
    await client.send(GET).answer();
    const [sent] = backend.requests;
    assert.ok(sent !== undefined);
    assert.equal(header(sent, 'x-start'), String(rig.clock.wallMs()));
    assert.equal(header(sent, 'forwarded'), `by=_me;for="127.0.0.1:${client.socket.localPort}";host=web`);
  });

  it('clearContext has nobody believed', async () => {
    await start(server('clearContext: true'));
    await answerTo('GET / HTTP/1.1\r\nHost: web\r\nl5d-dtab: /svc => /elsewhere\r\nl5d-foo: 1\r\n\r\n');
    const [sent] = backend.requests;
    assert.ok(sent !== undefined);
    assert.equal(header(sent, 'l5d-foo'), undefined);
  });

  it('timeoutMs limits a request', async () => {
    await start(server('timeoutMs: 700'));
    backend.script = () => undefined;
    client.send(GET);
    await backend.untilRequests(1);
    rig.clock.advance(680);
    await settled();
    assert.equal(client.text, '');
    rig.clock.advance(40);
    assert.equal((await client.answer()).status, 503);
  });

  const limits: [key: string, sent: string, answered: number | undefined][] = [
    ['headTimeoutMs: 700', 'GET / HT', 408],
    ['headTimeoutMs: 700', '', undefined],
    ['bodyIdleTimeoutMs: 700', 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 4\r\n\r\nha', 408],
    ['serverSession: {idleTimeMs: 700}', GET, 200],
    ['serverSession: {lifeTimeMs: 700}', GET, 200],
  ];
  for (const [key, text, status] of limits) {
    it(`${key} ends a connection after ${JSON.stringify(text.slice(0, 8))}`, async () => {
      await start(server(key));
      client.send(text);
      await until(() => rig.serverStat('received_bytes') === text.length, 'what was sent');
      if (status === 200) assert.equal((await client.answer()).status, status);
      await settled();
      rig.clock.advance(680);
      await settled();
      assert.equal(client.ended || client.closed || client.text !== '', false);
      rig.clock.advance(40);
      if (status === 408) assert.equal((await client.answer()).status, status);
      await client.untilEnded();
    });
  }

  it('headTimeoutMs limits later heads too', async () => {
    await start(server('headTimeoutMs: 700'));
    await client.send(GET).answer();
    client.send('GET / HT');
    await until(() => rig.serverStat('received_bytes') === GET.length + 8, 'half a head');
    rig.clock.advance(720);
    assert.equal((await client.answer()).status, 408);
  });

  it('maxConcurrentRequests, maxConnections and maxConnectionsPerSource limit what is open', async () => {
    backend.script = () => undefined;
    for (const [key, refused] of [
      ['maxConcurrentRequests: 1', 'limits/requests'],
      ['maxConnections: 2', 'limits/connections'],
      ['maxConnectionsPerSource: 2', 'limits/connections_per_source'],
    ] as const) {
      await start(server(key));
      client.send(GET);
      await until(() => rig.serverStat('pending') === 1, 'a request');
      if (key !== 'maxConcurrentRequests: 1') await rig.connect();
      assert.equal((await answerTo(GET)).status, 503, key);
      assert.equal(rig.serverStat(refused), 1);
      if (key !== 'maxConnectionsPerSource: 2') await rig.close();
    }
  });
});
