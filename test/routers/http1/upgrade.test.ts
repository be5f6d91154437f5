import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { header, type RawClient } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { OK, type Received, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n';
const ASK = `${GET}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n\r\n`;
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: x\r\n\r\n';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});
after(noSocketsLeft);

async function start(
  script: (request: Received) => string | undefined,
  options: RigOptions = {},
): Promise<{ rig: Rig; backend: ScriptedBackend; client: RawClient }> {
  const backend = await ScriptedBackend.start(script);
  const rig = await Rig.over([backend], options);
  opened.push(rig, backend);
  return { rig, backend, client: await rig.connect() };
}

/** Answers with 101; what comes after is no request. */
async function switching(options: RigOptions = {}, behind = '') {
  const started = await start((request) => {
    started.backend.onBytes = () => {};
    return SWITCH + (request.target === '/' ? behind : '');
  }, options);
  return started;
}

const named = (request: Received | undefined, name: string): string[] =>
  request?.headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value) ?? [];

describe('An Upgrade', () => {
  it('reaches the endpoint and joins the two connections when it agrees', async () => {
    const { rig, backend, client } = await switching();
    const answer = await client.send(ASK).answer();
    assert.equal(answer.line, 'HTTP/1.1 101 Switching Protocols');
    assert.equal(header(answer, 'connection'), 'Upgrade');
    assert.equal(header(answer, 'upgrade'), 'WebSocket');
    assert.equal(header(answer, 'sec-websocket-accept'), 'x');
    for (const name of ['keep-alive', 'content-length', 'transfer-encoding']) {
      assert.equal(header(answer, name), undefined);
    }
    const [request] = backend.requests;
    assert.deepEqual(named(request, 'connection'), ['Upgrade']);
    assert.deepEqual(named(request, 'upgrade'), ['websocket']);
    assert.deepEqual(named(request, 'sec-websocket-key'), ['abc']);
    assert.deepEqual(named(request, 'l5d-dst-service'), ['/svc/web']);
    assert.deepEqual(named(request, 'content-length'), []);

    client.send('GET /frames HTTP/1.1\r\n\r\n');
    const [far] = backend.connections;
    await until(() => far?.text === 'GET /frames HTTP/1.1\r\n\r\n', 'the frames');
    far?.write('HTTP/1.1 200 frames');
    await client.untilText('HTTP/1.1 200 frames');
    assert.equal(rig.serverStat('tunnel/upgrades'), 1);
    assert.equal(rig.serverStat('tunnel/open'), 1);
    assert.equal(rig.serverStat('status/101'), 1);
    assert.equal(rig.clientStat('status/101'), 1);
    assert.equal(rig.serviceStat('success'), 1);
    assert.equal(rig.serverStat('tunnel/received_bytes'), 24);
    assert.equal(rig.serverStat('tunnel/sent_bytes'), 19);
    client.end();
    far?.end();
    await until(() => client.closed, 'the end');
    assert.equal(rig.serverStat('tunnel/open'), 0);
    assert.equal(rig.clientStat('connections'), 0);
  });

  it('loses no bytes that come with it, from either side', async () => {
    const { backend, client } = await switching({}, 'first frame of the endpoint');
    client.send(`${ASK}first frame of the caller`);
    await client.untilText('first frame of the endpoint');
    assert.match(client.text, /\r\n\r\nfirst frame of the endpoint$/);
    await until(() => backend.connections[0]?.text === 'first frame of the caller', 'the first frame');
    client.send(' and more');
    await until(() => backend.connections[0]?.text.endsWith(' and more') === true, 'the second frame');
  });

  it('works inside a CONNECT tunnel', async () => {
    const { rig, backend, client } = await switching();
    client.send(`CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n${ASK}frame`);
    await client.untilText('Upgrade: WebSocket');
    await until(() => backend.connections[0]?.text === 'frame', 'the frame');
    assert.equal(rig.serverStat('connections'), 1);
    assert.equal(rig.serverStat('tunnel/open'), 1);
  });

  it('is an ordinary request when the endpoint answers otherwise', async () => {
    const { rig, backend, client } = await start(() => OK);
    for (let i = 0; i < 2; i++) {
      const answer = await client.send(ASK).answer();
      assert.equal(answer.body, 'ok');
      assert.equal(header(answer, 'connection'), 'keep-alive');
      assert.equal(header(answer, 'upgrade'), undefined);
    }
    assert.equal(backend.connections.length, 1);
    assert.equal(rig.serverStat('tunnel/upgrades'), 0);
  });

  it('is an ordinary request when it is answered before the endpoint is asked', async () => {
    const { rig, client } = await start(() => OK);
    rig.bind('web', []);
    assert.equal((await client.send(ASK).answer()).status, 502);
  });

  for (const [what, fields, asked] of [
    ['h2c is never passed (RFC 9113 3.1)', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c', undefined],
    ['h2c is taken out of a list', 'Connection: upgrade\r\nUpgrade: h2c, websocket, H2C', 'websocket'],
    ['lists in several fields are joined', 'Connection: a, UPGRADE\r\nUpgrade: a/1\r\nUpgrade: b', 'a/1, b'],
    ['what is no protocol goes', 'Connection: Upgrade\r\nUpgrade: web socket, x', 'x'],
    ['without Connection it is stripped (RFC 9110 7.8)', 'Upgrade: websocket', undefined],
    ['with another Connection it is stripped', 'Connection: keep-alive\r\nUpgrade: websocket', undefined],
    ['without a protocol it is stripped', 'Connection: Upgrade\r\nUpgrade: ', undefined],
    ['without Upgrade nothing is asked for', 'Connection: Upgrade', undefined],
    [
      'with an empty body it passes',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0',
      'websocket',
    ],
    [
      'with a body it is stripped',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nab',
      undefined,
    ],
    [
      'with a chunked body it is stripped',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n0',
      undefined,
    ],
  ] as const) {
    it(`${what}, and the rest of the request goes on`, async () => {
      const { backend, client } = await start(() => OK);
      const tail = fields.endsWith('ab') ? '' : '\r\n\r\n';
      const answer = await client.send(`${GET}HTTP2-Settings: AAMAAABkAAQAAP__\r\n${fields}${tail}`).answer();
      assert.equal(answer.status, 200);
      const [request] = backend.requests;
      assert.deepEqual(named(request, 'upgrade'), asked === undefined ? [] : [asked]);
      assert.deepEqual(named(request, 'connection'), asked === undefined ? [] : ['Upgrade']);
      assert.deepEqual(named(request, 'http2-settings'), []);
    });
  }

  it('of an HTTP/1.0 request is stripped (RFC 9110 7.8)', async () => {
    const { backend, client } = await start(() => OK);
    await client.send(ASK.replace('HTTP/1.1', 'HTTP/1.0')).answer();
    assert.deepEqual(named(backend.requests[0], 'upgrade'), []);
  });
});

describe('A 101 (RFC 9110 15.2.2)', () => {
  const refused = [
    ['to a request that did not ask', `${GET}\r\n`, SWITCH],
    ['to h2c', `${GET}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`, SWITCH.replace('WebSocket', 'h2c')],
    ['to another protocol than was asked for', ASK, SWITCH.replace('WebSocket', 'h2c')],
    ['without a protocol', ASK, SWITCH.replace('Upgrade: WebSocket\r\n', '')],
    ['without Connection', ASK, SWITCH.replace('Connection: upgrade\r\n', '')],
  ] as const;
  for (const [what, request, response] of refused) {
    it(`${what} is answered 502, and the endpoint's connection ends`, async () => {
      const { rig, backend, client } = await start(() => response);
      assert.equal((await client.send(request).answer()).status, 502);
      await until(() => backend.connections[0]?.ended === true, 'the end of the connection');
      assert.equal(rig.serverStat('tunnel/open'), 0);
    });
  }

  it('may follow other informational responses', async () => {
    const { client } = await start(() => `HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${SWITCH}`);
    assert.equal((await client.send(ASK).answer()).status, 103);
    assert.equal((await client.answer()).status, 101);
  });
});

describe('An upgraded connection', () => {
  const upgraded = async (options: RigOptions = {}) => {
    const all = await switching(options);
    assert.equal((await all.client.send(ASK).answer()).status, 101);
    return all;
  };

  it('outlives the time limits of its request, and ends after idleTimeMs without a byte', async () => {
    const { rig, backend, client } = await upgraded({
      server: { timeoutMs: 50, idleTimeMs: 5000 },
      client: { requestAttemptTimeoutMs: 50, bodyIdleTimeoutMs: 50 },
      service: { totalTimeoutMs: 50 },
    });
    rig.clock.advance(4900);
    await settled();
    assert.ok(!client.closed && !client.ended);
    rig.clock.advance(120);
    await until(() => client.closed && backend.open === 0, 'the end');
    assert.equal(rig.serverStat('tunnel/timeouts'), 1);
  });

  it('goes on while the server drains', async () => {
    const { rig, backend, client } = await upgraded();
    const drained = rig.server.drain();
    client.send('frame');
    await until(() => backend.connections[0]?.text === 'frame', 'a frame');
    rig.server.close();
    await drained;
    await until(() => client.closed, 'the cut');
  });

  it('ends with a reset when the endpoint vanishes', async () => {
    const { backend, client } = await upgraded();
    backend.connections[0]?.reset();
    await until(() => client.closed, 'the end');
    assert.equal((client.error as NodeJS.ErrnoException).code, 'ECONNRESET');
  });

  it('holds its place among maxConcurrentRequests until it ends', async () => {
    const { rig, backend, client } = await upgraded({ server: { maxConcurrentRequests: 1 } });
    const other = await rig.connect();
    assert.equal((await other.send(`${GET}\r\n`).answer()).status, 503);
    client.end();
    backend.connections[0]?.end();
    await until(() => client.closed, 'the end');
    backend.onBytes = undefined;
    backend.script = () => OK;
    assert.equal((await other.send(`${GET}\r\n`).answer()).status, 200);
  });

  it('stays when its endpoint leaves the address set', async () => {
    const { rig, backend, client } = await upgraded();
    rig.addresses('web', []);
    client.send('frame');
    await until(() => backend.connections[0]?.text === 'frame', 'a frame');
  });
});
