/** Callers that leave while their request is under way, and those that only seem to. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { RawClient } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig } from '../../support/rig.ts';
import { type BackendConnection, OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const get = (path: string): string => `GET /${path} HTTP/1.1\r\nHost: web\r\n\r\n`;
const post = (framing: string, body: string): string =>
  `POST /x HTTP/1.1\r\nHost: web\r\n${framing}\r\n\r\n${body}`;

let rig: Rig;
let backend: ScriptedBackend;

beforeEach(async () => {
  backend = await ScriptedBackend.start(() => undefined);
  rig = await Rig.over([backend]);
});
afterEach(async () => {
  await rig.close();
  await backend.close();
});
after(noSocketsLeft);

async function sent(text: string): Promise<{ client: RawClient; far: BackendConnection }> {
  const client = await rig.connect();
  client.send(text);
  await backend.untilRequests(1);
  await settled();
  return { client, far: backend.connections[0] as BackendConnection };
}

async function isCancelled(far: BackendConnection): Promise<void> {
  await until(() => far.closed, 'the end of the connection to the endpoint');
  assert.equal(far.ended, false, 'the endpoint has seen an end, which could be that of a request only');
  await until(() => rig.serverStat('pending') === 0, 'no pending request');
  assert.equal(rig.clientStat('pending'), 0);
  assert.equal(rig.server.connections, 0);
}

describe('A caller that leaves while its answer is awaited', () => {
  for (const [what, text] of [
    ['after one request', get('1')],
    ['with others in the pipeline', get('1') + get('2') + get('3')],
    ['with half a request in the pipeline', `${get('1')}GET /2 HT`],
    [
      'after an upgrade with bytes behind it',
      `${get('1').slice(0, -2)}Connection: Upgrade\r\nUpgrade: x\r\n\r\nxyz`,
    ],
  ] as const) {
    it(`is given up at once when it resets, ${what}`, async () => {
      const { client, far } = await sent(text);
      client.reset();
      await isCancelled(far);
    });

    it(`is given up soon after half a second when it closes, ${what}`, async () => {
      const { client, far } = await sent(text);
      await client.close();
      await settled();
      rig.clock.advance(490);
      await settled();
      assert.equal(far.closed, false, 'it may have closed one direction only');
      rig.clock.advance(20);
      await settled();
      rig.clock.advance(110);
      await isCancelled(far);
      assert.equal(backend.requests.length, 1);
    });
  }

  it('is given up later when it waited at first', async () => {
    const { client, far } = await sent(get('1'));
    client.end();
    await settled();
    rig.clock.advance(510);
    await client.untilText(CONTINUE);
    await client.close();
    await settled();
    rig.clock.advance(110);
    rig.clock.advance(1010);
    await settled();
    rig.clock.advance(110);
    await isCancelled(far);
  });
});

describe('A caller that has closed its own direction only (RFC 9112 9.6)', () => {
  it('gets its answer, and is asked more and more seldom whether it is there (RFC 9110 15.2)', async () => {
    const { client, far } = await sent(get('1'));
    client.end();
    await settled();
    for (let ms = 0; ms < 10_000; ms += 100) rig.clock.advance(100);
    await settled();
    far.write(OK);
    await client.untilEnded();
    // After 0.5, 1.6, 3.7 and 7.8 s.
    assert.equal(client.text.split(CONTINUE).length - 1, 4);
    assert.match(client.text, /HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n\r\nok$/);
  });

  it('is asked nothing in HTTP/1.0, which has no informational responses', async () => {
    const { client, far } = await sent('GET /1 HTTP/1.0\r\nHost: web\r\n\r\n');
    client.end();
    await settled();
    rig.clock.advance(5000);
    await settled();
    assert.equal(client.text, '');
    far.write(OK);
    await client.untilEnded();
    assert.match(client.text, /\r\n\r\nok$/);
  });

  it('is asked nothing once its answer has begun', async () => {
    const { client, far } = await sent(get('1'));
    client.end();
    await settled();
    far.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
    await client.untilText('\r\n\r\no');
    rig.clock.advance(5000);
    far.write('k');
    await client.untilEnded();
    assert.equal((await client.answer()).body, 'ok');
  });

  it('gets all answers of its pipeline', async () => {
    backend.script = () => OK;
    const client = await rig.connect();
    client.send(get('1').repeat(600)).end();
    for (let n = 0; n < 600; n++) assert.equal((await client.answer()).body, 'ok');
    await client.untilEnded();
  });

  it('gets those of the whole requests before half a request', async () => {
    const { client, far } = await sent(`${get('1')}GET /2 HT`);
    client.end();
    await settled();
    far.write(OK);
    assert.equal((await client.answer()).body, 'ok');
    await client.untilEnded();
    assert.equal(client.text, '');
  });
});

describe('A caller whose body is held back while its name is not bound yet', () => {
  const BODY = 'z'.repeat(6000);
  const framed = {
    length: post('Content-Length: 6000', BODY),
    chunks: post('Transfer-Encoding: chunked', `1770\r\n${BODY}\r\n0\r\n\r\n`),
  };

  beforeEach(() => rig.pend('web'));

  const begun = async (text: string): Promise<RawClient> => {
    const client = await rig.connect();
    client.send(text);
    await until(() => rig.serverStat('pending') === 1, 'the request');
    await settled();
    return client;
  };
  const isGone = async (): Promise<void> => {
    await until(() => rig.serverStat('pending') === 0, 'the end of the request');
    await until(() => rig.server.connections === 0, 'the end of the connection');
    rig.bind('web', [backend]);
    await settled();
    assert.equal(backend.connections.length, 0);
  };

  for (const [how, text] of Object.entries(framed)) {
    it(`is given up at once when it resets (${how})`, async () => {
      (await begun(text)).reset();
      await isGone();
    });

    it(`is given up when it closes behind the whole body (${how})`, async () => {
      await (await begun(text)).close();
      await settled();
      rig.clock.advance(510);
      await settled();
      rig.clock.advance(110);
      await isGone();
    });

    it(`is answered when it has half-closed behind the whole body (${how})`, async () => {
      backend.script = ({ body }) => (body === BODY ? OK : undefined);
      const client = (await begun(text)).end();
      await settled();
      rig.bind('web', [backend]);
      assert.equal((await client.answer()).body, 'ok');
      await client.untilEnded();
    });

    it(`is cut, and its request too, when it half-closes before the end (${how})`, async () => {
      const client = (await begun(text.slice(0, -3))).end();
      await settled();
      rig.bind('web', [backend]);
      await client.untilEnded();
      await until(() => rig.serverStat('pending') === 0 && backend.open === 0, 'the end of the request');
      assert.deepEqual(backend.requests, []);
    });
  }

  it('is given up at once when it ends in the middle of a length', async () => {
    (await begun(framed.length.slice(0, -1))).end();
    await isGone();
  });

  it('is not read without end', async () => {
    const size = 64 << 20;
    const client = await begun(post(`Content-Length: ${size}`, ''));
    const piece = Buffer.alloc(1 << 20);
    for (let n = 0; n < 64; n++) client.send(piece);
    await settled(200);
    assert.ok(rig.serverStat('received_bytes') < 1 << 20, `${rig.serverStat('received_bytes')} bytes read`);
    client.reset();
  });
});
