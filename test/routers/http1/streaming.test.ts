/** Long bodies through the read buffers that connections share and lend: nobody's bytes reach anybody else. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { seededRng } from '../../../src/base/rng.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

let backend: ScriptedBackend;
let rig: Rig;
beforeEach(async () => {
  backend = await ScriptedBackend.start();
  rig = await Rig.over([backend]);
});
afterEach(async () => {
  await rig.close();
  await backend.close();
});
after(noSocketsLeft);

const SIZE = 1_500_000;
/** A body that no other is like, anywhere. */
const bodyOf = (name: string): string => name.repeat(Math.ceil(SIZE / name.length)).slice(0, SIZE);
const hash = (text: string): string => createHash('sha1').update(text, 'latin1').digest('hex');

/** Bytes that the router has read from callers when it stops reading. */
async function stalled(): Promise<number> {
  const start = rig.serverStat('received_bytes');
  let before = -1;
  await until(() => {
    const same = before === rig.serverStat('received_bytes');
    before = rig.serverStat('received_bytes');
    return same && before > start + 65536;
  }, 'the flow to stop');
  await settled(100);
  return rig.serverStat('received_bytes') - start;
}

/** The endpoint reads on, and answers when it has had a body of so many bytes on its last connection. */
function takeIn(bytes: number): void {
  const last = backend.connections.at(-1)!;
  let left: number | undefined;
  backend.onBytes = (connection) => {
    if (connection !== last) return;
    left ??= bytes + connection.text.indexOf('\r\n\r\n') + 4;
    left -= connection.text.length;
    connection.text = '';
    if (left === 0) connection.write(OK);
  };
  last.socket.resume();
}

/** Pauses and resumes readers at random until all are through. */
async function stutter(clients: readonly RawClient[], done: () => boolean): Promise<void> {
  const rng = seededRng(5);
  for (let turn = 0; !done() && turn < 3000; turn++) {
    const socket = clients[rng.below(clients.length)]!.socket;
    if (rng.below(2) === 0) socket.pause();
    else socket.resume();
    await settled(1);
  }
  for (const { socket } of clients) socket.resume();
}

describe('Many long bodies at once', () => {
  for (const framing of ['length', 'chunked', 'close'] as const) {
    it(`reach readers that stutter unchanged, framed by ${framing}`, async () => {
      backend.script = ({ target, connection }) => {
        const body = bodyOf(target);
        if (framing === 'length') return `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n${body}`;
        if (framing === 'chunked') {
          const size = SIZE.toString(16);
          return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`;
        }
        connection.write(`HTTP/1.1 200 OK\r\n\r\n${body}`);
        connection.end();
        return undefined;
      };
      const clients = await Promise.all(Array.from({ length: 12 }, () => rig.connect()));
      for (const [i, client] of clients.entries())
        client.send(`GET /body-${i}- HTTP/1.1\r\nHost: web\r\n\r\n`);
      await stutter(clients, () => clients.every((client) => client.received > SIZE));
      for (const [i, client] of clients.entries()) {
        assert.equal(hash((await client.answer()).body), hash(bodyOf(`/body-${i}-`)));
      }
      for (const [i, client] of clients.entries())
        client.send(`GET /again-${i}- HTTP/1.1\r\nHost: web\r\n\r\n`);
      await stutter(clients, () => clients.every((client) => client.received > 2 * SIZE));
      for (const [i, client] of clients.entries()) {
        assert.equal(hash((await client.answer()).body), hash(bodyOf(`/again-${i}-`)));
      }
    });
  }

  it('reach an endpoint that stutters unchanged, while others break off', async () => {
    const rng = seededRng(9);
    backend.onConnection = ({ socket }) => {
      socket.on('data', () => {
        if (rng.below(8) !== 0) return;
        socket.pause();
        setImmediate(() => setImmediate(() => socket.resume()));
      });
    };
    const clients = await Promise.all(Array.from({ length: 12 }, () => rig.connect()));
    for (const [i, client] of clients.entries()) {
      const body = bodyOf(`/up-${i}-`);
      client.send(`POST /${i} HTTP/1.1\r\nHost: web\r\nContent-Length: ${SIZE}\r\n\r\n`);
      client.send(i % 4 === 3 ? body.slice(0, SIZE / 2) : body);
    }
    await settled(20);
    for (const [i, client] of clients.entries()) if (i % 4 === 3) client.reset();
    for (const [i, client] of clients.entries())
      if (i % 4 !== 3) assert.equal((await client.answer()).status, 200);
    assert.equal(backend.requests.length, 9);
    for (const { target, body } of backend.requests)
      assert.equal(hash(body), hash(bodyOf(`/up-${target.slice(1)}-`)));
  });
});

describe('An endpoint that does not read', () => {
  it('holds the caller back, and afterwards the connection of the caller serves on', async () => {
    backend.onConnection = ({ socket }) => socket.pause();
    const client = await rig.connect();
    const size = 48 << 20;
    const piece = Buffer.alloc(1 << 20, 'u');
    client.send(`POST / HTTP/1.1\r\nHost: web\r\nContent-Length: ${size}\r\n\r\n`);
    for (let i = 0; i < 48; i++) client.send(piece);
    const taken = await stalled();
    assert.ok(taken < size / 2, `${taken} bytes taken`);
    rig.clock.advance(50_000);
    await settled();
    assert.equal(client.text, '', 'the caller is not to blame');
    takeIn(size);
    assert.equal((await client.answer()).status, 200);
    backend.onBytes = undefined;
    client.send('GET /next HTTP/1.1\r\nHost: web\r\n\r\n');
    assert.equal((await client.answer()).status, 200);
  });

  it('while the last piece of a body is sent does not leave the connection of the caller unread', async () => {
    backend.onConnection = ({ socket }) => socket.pause();
    const probe = await rig.connect();
    const head = (size: number): string => `POST / HTTP/1.1\r\nHost: web\r\nContent-Length: ${size}\r\n\r\n`;
    const most = 32 << 20;
    probe.send(head(most)).send(Buffer.alloc(most, 'p'));
    const taken = await stalled();
    // A caller that is not read cannot be seen to go: it is the endpoint that is given up. Whatever the system
    // takes over meanwhile gives it as much time again.
    await until(() => {
      rig.clock.advance(60_100);
      return probe.text !== '';
    }, 'the answer to the probe');
    const late = await probe.answer();
    assert.equal(late.status, 503);
    assert.match(late.body, /took nothing of the request body for 60000 ms/);
    probe.reset();
    await until(() => rig.server.connections === 0, 'the end of the probe');
    // A body that ends with the piece that the endpoint did not take.
    for (const less of [0, 65536, 131072]) {
      backend.onConnection = ({ socket }) => socket.pause();
      const size = taken - head(most).length - less;
      const client = await rig.connect();
      client.send(head(size)).send(Buffer.alloc(size, 'x'));
      await stalled();
      takeIn(size);
      assert.equal((await client.answer()).status, 200);
      backend.onBytes = undefined;
      // Whether its connection is used again or not.
      backend.onConnection = undefined;
      client.send('GET /next HTTP/1.1\r\nHost: web\r\n\r\n');
      assert.equal((await client.answer()).status, 200);
      await client.close();
    }
  });
});

describe('A caller that pipelines and does not read', () => {
  it('finds every answer unchanged when it reads at last, although others have been served meanwhile', async () => {
    const length = 50_000;
    const body = (target: string): string =>
      target.repeat(Math.ceil(length / target.length)).slice(0, length);
    backend.script = ({ target }) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${body(target)}`;
    const late = await rig.connect();
    late.socket.pause();
    const count = 300;
    const request = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: web\r\n\r\n`;
    late.send(Array.from({ length: count }, (_, i) => request(`/late-${i}-`)).join(''));
    const other = await rig.connect();
    for (let i = 0; i < 200; i++) {
      other.send(request(`/other-${i}-`));
      assert.equal((await other.answer()).body, body(`/other-${i}-`));
    }
    late.socket.resume();
    for (let i = 0; i < count; i++) assert.equal((await late.answer()).body, body(`/late-${i}-`));
  });
});
