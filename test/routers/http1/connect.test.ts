import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { empty, leaf } from '../../../dtab/names.ts';
import { ok } from '../../../src/base/activity.ts';
import { header, type RawClient } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/until.ts';

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';
const CONNECT = 'CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n';
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`;

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});
after(noSocketsLeft);

async function start(options: RigOptions = {}): Promise<{ rig: Rig; backend: ScriptedBackend }> {
  const backend = await ScriptedBackend.start();
  const rig = await Rig.over([backend], options);
  opened.push(rig, backend);
  return { rig, backend };
}

/** A client whose CONNECT has been accepted. */
async function tunnel(rig: Rig, early = ''): Promise<RawClient> {
  const client = await rig.connect();
  client.send(CONNECT + early);
  await client.untilText(ESTABLISHED);
  client.text = client.text.slice(ESTABLISHED.length);
  return client;
}

const refusal = async (rig: Rig, head: string): Promise<{ status: number; body: string }> => {
  const client = await rig.connect();
  const answer = await client.send(`${head}\r\nHost: web\r\n\r\n`).answer();
  await client.untilEnded();
  return answer;
};

describe('HTTP inside a CONNECT tunnel', () => {
  it('is routed, counted and kept alive as without one', async () => {
    const { rig, backend } = await start();
    const client = await tunnel(rig);
    for (const path of ['/a', '/b']) {
      const answer = await client.send(get(path)).answer();
      assert.equal(answer.body, 'ok');
      assert.match(header(answer, 'via') ?? '', /turnout/);
      assert.equal(header(answer, 'connection'), 'keep-alive');
    }
    assert.deepEqual(
      backend.requests.map((each) => each.target),
      ['/a', '/b'],
    );
    assert.ok(backend.requests[0]?.headers.some(([name]) => name === 'l5d-dst-service'));
    assert.equal(rig.serverStat('requests'), 2);
    assert.equal(rig.serviceStat('success'), 2);
    assert.equal(rig.serverStat('tunnel/connects'), 1);
    assert.equal(rig.serverStat('tunnel/http'), 1);
    assert.equal(rig.serverStat('connections'), 1);
    assert.equal(rig.serverStat('connects'), 1);
  });

  it('may come in one piece with the CONNECT, pipelined', async () => {
    const { rig, backend } = await start({});
    backend.script = ({ target }) => `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${target}`;
    const client = await tunnel(rig, get('/1') + get('/2') + get('/3'));
    for (const path of ['/1', '/2', '/3']) assert.equal((await client.answer()).body, path);
    const sent = CONNECT.length + 3 * get('/1').length;
    assert.equal(rig.serverStat('received_bytes'), sent);
  });

  it('may come byte by byte', async () => {
    const { rig } = await start();
    const client = await rig.connect();
    for (const byte of CONNECT + get('/')) {
      client.send(byte);
      await settled(2);
    }
    await client.untilText(ESTABLISHED);
    client.text = client.text.slice(ESTABLISHED.length);
    assert.equal((await client.answer()).body, 'ok');
  });

  it('may pause in the middle of a method', async () => {
    const { rig } = await start();
    const client = await tunnel(rig, 'GE');
    rig.clock.advance(500);
    assert.equal((await client.send('T / HTTP/1.1\r\nHost: web\r\n\r\n').answer()).status, 200);
  });

  it('has the authority of the CONNECT as its Host if it has none', async () => {
    const { rig, backend } = await start();
    rig.bind('web:80', [backend], 'other');
    const client = await tunnel(rig);
    await client.send('GET / HTTP/1.1\r\n\r\n').answer();
    await client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').answer();
    const hosts = backend.requests.flatMap((each) => each.headers.filter(([name]) => name === 'Host'));
    assert.deepEqual(hosts, [
      ['Host', 'web:80'],
      ['Host', 'web:80'],
    ]);
  });

  it('goes where its own Host says, not where the CONNECT did', async () => {
    const { rig, backend } = await start();
    rig.bind('shop', [backend], 'shop');
    const client = await tunnel(rig);
    await client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n').answer();
    assert.equal(rig.serviceStat('requests', 'shop'), 1);
  });

  it('is read as strictly as everywhere', async () => {
    const { rig, backend } = await start();
    for (const bad of ['GET  / HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\nHost: web\n\n', 'POST / HTTP/3\r\n\r\n']) {
      const client = await tunnel(rig, bad);
      assert.ok((await client.answer()).status >= 400);
      await client.untilEnded();
    }
    assert.equal(backend.connections.length, 0);
  });

  it('is limited with all others', async () => {
    const { rig, backend } = await start({ server: { maxConcurrentRequests: 1 } });
    backend.script = () => undefined;
    const first = await rig.connect();
    first.send(get('/'));
    await backend.untilRequests(1);
    const client = await tunnel(rig, get('/'));
    assert.equal((await client.answer()).status, 503);
  });

  it('may not hold another CONNECT', async () => {
    const { rig } = await start();
    const client = await tunnel(rig, CONNECT);
    assert.equal((await client.answer()).status, 400);
    await client.untilEnded();
  });

  it('has the head timeout of any connection', async () => {
    const { rig } = await start();
    const client = await tunnel(rig, 'GET / HTTP/1.1\r\n');
    rig.clock.advance(30020);
    assert.equal((await client.answer()).status, 408);
  });

  it('ends with a drain when it is idle', async () => {
    const { rig } = await start();
    const used = await tunnel(rig);
    await used.send(get('/')).answer();
    const drained = rig.server.drain();
    rig.clock.advance(1020);
    await used.untilEnded();
    used.end();
    await drained;
  });

  it('is answered while the server drains, as the last of its tunnel', async () => {
    const { rig } = await start();
    const client = await tunnel(rig);
    void rig.server.drain();
    const answer = await client.send(get('/')).answer();
    assert.equal(header(answer, 'connection'), 'close');
    await client.untilEnded();
  });
});

describe('CONNECT', () => {
  it('is accepted behind other requests on the same connection', async () => {
    const { rig } = await start();
    const client = await rig.connect();
    await client.send(get('/')).answer();
    client.send(CONNECT);
    await client.untilText(ESTABLISHED);
  });

  it('to a port that is not allowed gets 403 with the reason, and the end of the connection', async () => {
    const { rig, backend } = await start();
    const { status, body } = await refusal(rig, 'CONNECT web:25 HTTP/1.1');
    assert.equal(status, 403);
    assert.match(body, /port 25 .*allowed ports are 80, 443.*connect\.ports/);
    assert.equal(rig.serverStat('tunnel/refused'), 1);
    assert.equal(rig.serverStat('status/403'), 1);
    assert.equal(backend.connections.length, 0);
  });

  it('is allowed exactly to the configured ports', async () => {
    const { rig } = await start({ server: { connect: { ports: [8443] } } });
    rig.bind('web:80', [], 'web:80');
    const client = await rig.connect();
    client.send('CONNECT web:8443 HTTP/1.1\r\nHost: web\r\n\r\n');
    await client.untilText(ESTABLISHED);
    assert.equal((await refusal(rig, 'CONNECT web:80 HTTP/1.1')).status, 403);
  });

  it('is allowed to a port that its name is bound to', async () => {
    const { rig, backend } = await start();
    rig.bind('web:8080', [backend], 'web:8080');
    rig.bind('all:8080', [backend], 'somewhere');
    const client = await rig.connect();
    client.send('CONNECT web:8080 HTTP/1.1\r\nHost: web\r\n\r\n');
    await client.untilText(ESTABLISHED);
    assert.match((await refusal(rig, 'CONNECT all:8080 HTTP/1.1')).body, /does not bind/);
  });

  it('waits for a name that is pending, and keeps what follows it', async () => {
    const { rig, backend } = await start();
    rig.pend('web:8080');
    const client = await rig.connect();
    client.send(`CONNECT web:8080 HTTP/1.1\r\nHost: web\r\n\r\n${get('/')}`);
    await settled();
    client.send(get('/2'));
    await settled();
    assert.equal(client.text, '');
    rig.name('/svc/web:8080').set(ok({ tree: leaf(rig.bound('web:8080')) }));
    await client.untilText(ESTABLISHED);
    await backend.untilRequests(2);
  });

  it('gives a pending name up with the binding timeout, and when its caller goes', async () => {
    const { rig } = await start();
    rig.pend('web:8080');
    const client = await rig.connect();
    const gone = await rig.connect();
    for (const each of [client, gone]) each.send('CONNECT web:8080 HTTP/1.1\r\nHost: web\r\n\r\n');
    await settled();
    await gone.close();
    rig.clock.advance(10020);
    assert.equal((await client.answer()).status, 403);
    rig.name('/svc/web:8080').set(ok({ tree: empty }));
  });

  for (const [what, head] of [
    ['without a port', 'CONNECT web HTTP/1.1'],
    ['with an empty port', 'CONNECT web: HTTP/1.1'],
    ['with a port out of range', 'CONNECT web:99999 HTTP/1.1'],
    ['with port 0', 'CONNECT web:0 HTTP/1.1'],
    ['with a path', 'CONNECT / HTTP/1.1'],
    ['with a URI', 'CONNECT http://web:80/ HTTP/1.1'],
    ['with user information', 'CONNECT me@web:80 HTTP/1.1'],
    ['with a body', 'CONNECT web:80 HTTP/1.1\r\nContent-Length: 3'],
    ['with a chunked body', 'CONNECT web:80 HTTP/1.1\r\nTransfer-Encoding: chunked'],
  ] as const) {
    it(`${what} is refused with 400 (RFC 9110 9.3.6)`, async () => {
      const { rig } = await start();
      assert.equal((await refusal(rig, head)).status, 400);
    });
  }

  it('without a Host is refused with 400 (RFC 9112 3.2)', async () => {
    const { rig } = await start();
    const client = await rig.connect();
    assert.equal((await client.send('CONNECT web:80 HTTP/1.1\r\n\r\n').answer()).status, 400);
  });

  it('answers 200 and leaves the rest of the router as it is', async () => {
    const { rig, backend } = await start();
    backend.script = () => OK;
    await tunnel(rig);
    const other = await rig.connect();
    assert.equal((await other.send(get('/')).answer()).body, 'ok');
  });
});
