/** 20,000 exchanges of every kind, good and cut short at every stage by either side: nothing of them is left. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, describe, it } from 'node:test';
import { noSocketsLeft, Rig } from '../support/rig.ts';
import { until } from '../support/until.ts';
import { memoryInUse } from './collect-garbage.ts';

const EXCHANGES = 20_000;
const WORKERS = 48;
/** What the heap may have grown by after all of them: noise, and the caches' few entries. */
const GROWTH_BYTES_MAX = 1_000_000;

after(noSocketsLeft);

type Kind = {
  readonly send: string;
  /** Answers that are waited for; with none, for the end of the connection. */
  readonly answers?: number;
  /** The caller resets or ends the connection: at once, or once something of the answer is there. */
  readonly leaves?: 'reset' | 'end' | 'reset-in-answer';
};

const head = (path: string, ...lines: readonly string[]): string =>
  `GET /${path} HTTP/1.1\r\nHost: web\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const post = (path: string, framing: string, body: string): string =>
  `POST /${path} HTTP/1.1\r\nHost: web\r\n${framing}\r\n\r\n${body}`;
const CHUNKED = 'Transfer-Encoding: chunked';
const upgrade = head('upgrade', 'Connection: Upgrade', 'Upgrade: websocket');
/** Plain HTTP follows inside. */
const tunnel = 'CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n';

const kinds: readonly Kind[] = [
  { send: head('ok'), answers: 1 },
  { send: head('ok').repeat(8), answers: 8 },
  { send: post('ok', 'Content-Length: 3', 'END'), answers: 1 },
  { send: post('ok', CHUNKED, '3\r\nEND\r\n0\r\n\r\n'), answers: 1 },
  { send: post('ok', 'Content-Length: 6003', `${'z'.repeat(6000)}END`), answers: 1 },
  { send: head('chunked'), answers: 1 },
  { send: head('close'), answers: 1 },
  { send: head('leftover'), answers: 1 },
  { send: head('hints'), answers: 2 },
  { send: head('ok', 'Connection: close') },
  { send: 'GET /ok HTTP/1.0\r\nHost: web\r\n\r\n' },
  { send: head('ok', 'X: \0') },
  { send: post('ok', CHUNKED, 'xyz\r\n') },
  { send: head('ok').replace('web', 'nobody'), answers: 1 },
  { send: head('garbage'), answers: 1 },
  { send: head('reset'), answers: 1 },
  { send: head('half-head'), answers: 1 },
  { send: head('half-body') },
  { send: head('silent'), answers: 1 },
  { send: head('stalled') },
  { send: 'GET /ok HTTP/1.1\r\nHost' },
  { send: post('ok', 'Content-Length: 3', 'E') },
  { send: post('early', 'Content-Length: 9000', 'E') },
  { send: 'GET /ok HTTP/1.1\r\nHost', leaves: 'reset' },
  { send: 'GET /ok HTTP/1.1\r\nHost', leaves: 'end' },
  { send: post('ok', 'Content-Length: 3', 'E'), leaves: 'reset' },
  { send: post('ok', 'Content-Length: 9000', 'E'), leaves: 'reset' },
  { send: post('ok', CHUNKED, '3\r\nE'), leaves: 'end' },
  { send: head('silent'), leaves: 'reset' },
  { send: head('ok'), leaves: 'reset' },
  { send: head('ok').repeat(8), leaves: 'reset' },
  { send: head('big'), leaves: 'reset-in-answer' },
  { send: head('stalled'), leaves: 'reset-in-answer' },
  { send: upgrade, answers: 1 },
  { send: upgrade, leaves: 'reset-in-answer' },
  { send: upgrade, leaves: 'reset' },
  { send: upgrade.replace('/upgrade', '/ok'), answers: 1 },
  { send: upgrade.replace('/upgrade', '/silent'), answers: 1 },
  { send: tunnel + head('ok'), answers: 2 },
  { send: tunnel + head('ok').repeat(8), answers: 9 },
  { send: tunnel + head('big'), leaves: 'reset-in-answer' },
  { send: tunnel + head('garbage'), answers: 2 },
  { send: tunnel + head('ok'), leaves: 'reset' },
  { send: tunnel.replace(':80', ':22') },
];

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket';
const BIG = Buffer.alloc(1 << 20, 'z');

function act(socket: net.Socket, path: string): void {
  if (path === 'ok') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  else if (path === 'chunked')
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n');
  else if (path === 'close') socket.end('HTTP/1.1 200 OK\r\n\r\nok');
  else if (path === 'leftover') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore');
  else if (path === 'hints')
    socket.write('HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  else if (path === 'garbage') socket.write('garbage\r\n\r\n');
  else if (path === 'reset') socket.resetAndDestroy();
  else if (path === 'half-head') socket.end('HTTP/1.1 200 OK\r\nContent');
  else if (path === 'half-body') socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  else if (path === 'stalled') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  else if (path === 'early') socket.write('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno');
  else if (path === 'upgrade') {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n\r\nhello`);
  } else if (path === 'big') {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`);
    socket.write(BIG);
  }
}

/** An endpoint that does what the path of a request says; it keeps nothing. */
function endpoint(): net.Server {
  return net.createServer({ noDelay: true }, (socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const match = /^(\w+) \/([\w-]+) [\s\S]*?\r\n\r\n/.exec(text);
      if (match === null) return;
      const [, method, path = ''] = match;
      if (method === 'POST' && path !== 'early' && !/END(?:\r\n0\r\n\r\n)?$/.test(text)) return;
      text = '';
      act(socket, path);
    });
  });
}

function exchange(port: number, { send, answers, leaves }: Kind): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    let seen = 0;
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('connect', () => {
      if (leaves === undefined || leaves === 'reset-in-answer') socket.write(send, 'latin1');
      else socket.write(send, 'latin1', () => (leaves === 'end' ? socket.end() : socket.resetAndDestroy()));
    });
    socket.on('data', (chunk: Buffer) => {
      if (leaves === 'reset-in-answer') socket.resetAndDestroy();
      seen += chunk.toString('latin1').split('HTTP/1.1 ').length - 1;
      if (answers !== undefined && seen >= answers) socket.end();
    });
  });
}

describe('After exchanges of every kind', () => {
  it(`${EXCHANGES} of them, no socket, timer, count or memory is left`, async (test) => {
    const server = endpoint();
    server.listen(0, '127.0.0.1');
    await until(() => server.listening, 'the endpoint');
    const rig = await Rig.start({
      server: { headTimeoutMs: 400, bodyIdleTimeoutMs: 400, idleTimeMs: 2000 },
      // An endpoint that has failed five times would hold a timer until it is tried again.
      client: {
        requestAttemptTimeoutMs: 400,
        bodyIdleTimeoutMs: 400,
        connectTimeoutMs: 5000,
        failureAccrual: { kind: 'none' },
      },
    });
    rig.addresses('web', [{ port: (server.address() as net.AddressInfo).port }]);
    rig.tree('web', { type: 'leaf', value: rig.bound('web') });
    const ticking = setInterval(() => rig.clock.advance(40), 2);
    // A test that fails must not keep the process.
    test.after(async () => {
      clearInterval(ticking);
      server.close();
      await rig.close();
    });

    let done = 0;
    let turn = 0;
    const run = async (count: number): Promise<void> => {
      const worker = async (): Promise<void> => {
        while (done < count) {
          const kind = kinds[turn++ % kinds.length] as Kind;
          await exchange(rig.port, kind);
          done += kind.answers ?? 1;
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, worker));
    };
    const quiet = async (): Promise<{ memory: number; timers: number }> => {
      const left = () =>
        `${rig.server.connections} callers, ${rig.clientStat('connections')} connections, ${rig.stats.unbalanced().join()}`;
      await until(() => rig.server.connections === 0 && rig.clientStat('connections') === 0, left, 8000);
      await until(() => rig.stats.unbalanced().length === 0, left);
      // What was disarmed stays in the wheel until its slot comes up.
      await until(() => rig.wheel.size === 0, left);
      rig.stats.forgetSamples();
      return { memory: await memoryInUse(), timers: rig.wheel.size };
    };
    await run(3000);
    const before = await quiet();
    await run(EXCHANGES);
    const afterwards = await quiet();
    assert.equal(afterwards.timers, before.timers, 'timers');
    assert.equal(rig.serverStat('pending'), 0, 'open exchanges');
    assert.equal(rig.clientStat('pending'), 0, 'open exchanges of the client');
    const growth = afterwards.memory - before.memory;
    assert.ok(growth < GROWTH_BYTES_MAX, `the memory grew by ${growth} bytes`);
    assert.ok(rig.serverStat('requests') > EXCHANGES / 2, `${rig.serverStat('requests')} requests`);
  });
});
