/** Callers over TLS that leave, at each stage of a connection and in each way: nothing of them is left. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import tls from 'node:tls';
import { Descriptors } from '../../../routers/descriptors.ts';
import type { ServerTls } from '../../../routers/http1/http-server.ts';
import { LimitedLog } from '../../../src/base/limited-log.ts';
import { silentLog } from '../../../src/base/log.ts';
import { CertificateAuthority } from '../../../src/certs.ts';
import { noSocketsLeft, Rig } from '../../support/rig.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const HEAD = 'Host: web\r\n';
const BIG = 8 << 20;
/** In plain text, as in a handshake. */
const CLOSE_NOTIFY = Buffer.from([21, 3, 1, 0, 2, 1, 0]);
/** So long it takes at most until the end is noticed, unless something is sent to the caller. */
const SOON_MS = 1000;

/** A caller: its TCP connection, and the TLS over it. */
type Leaver = { readonly tcp: net.Socket; readonly secure: tls.TLSSocket };

/** How far callers have come when they leave: in the handshake, and behind it. */
const HANDSHAKES: Record<string, (tcp: net.Socket) => Promise<void>> = {
  'before its first byte': async () => {},
  'in the middle of its first flight': async (tcp) => {
    const hello = await clientHello();
    tcp.write(hello.subarray(0, hello.length >> 1));
  },
  'behind its first flight': async (tcp) => {
    tcp.write(await clientHello());
    await until(() => tcp.bytesRead > 0, 'the flight of the server');
  },
};
/** What is resolved to, if anything, goes on in spite of it. */
const STAGES: Record<string, (leaver: Leaver) => Promise<void> | Promise<() => void>> = {
  'behind the handshake': async () => {},
  'between two requests': async (leaver) => {
    backend.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
    const heard = hears(leaver);
    leaver.secure.write(`GET / HTTP/1.1\r\n${HEAD}\r\n`);
    await until(() => heard().endsWith('ok'), 'an answer');
  },
  'in the middle of a head': async (leaver) => {
    leaver.secure.write('GET / HTTP/1.1\r\nHo');
    await until(() => rig.serverStat('received_bytes') === 18, 'a part of a head');
  },
  'in the middle of a body that is collected': async (leaver) => {
    leaver.secure.write(`POST / HTTP/1.1\r\n${HEAD}Content-Length: 100\r\n\r\nhalf`);
    await until(() => rig.serverStat('buffered_bytes') === 4, 'half a body');
  },
  'in the middle of a body that is streamed': async (leaver) => {
    leaver.secure.write(`POST / HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n8\r\nhalf`);
    await until(() => backend.connections[0]?.text.includes('half') === true, 'half a body');
  },
  'while its name is not bound': async (leaver) => {
    rig.pend('web');
    leaver.secure.write(`GET / HTTP/1.1\r\n${HEAD}\r\n`);
    await until(() => rig.serverStat('pending') === 1, 'a request');
  },
  'while its answer is awaited': async (leaver) => {
    leaver.secure.write(`GET / HTTP/1.1\r\n${HEAD}\r\n`);
    await backend.untilRequests(1);
  },
  'with a second request behind the one that is awaited': async (leaver) => {
    leaver.secure.write(`GET /1 HTTP/1.1\r\n${HEAD}\r\nGET /2 HTTP/1.1\r\n${HEAD}\r\n`);
    await backend.untilRequests(1);
  },
  'in the middle of an answer': async (leaver) => {
    const heard = hears(leaver);
    backend.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf';
    leaver.secure.write(`GET / HTTP/1.1\r\n${HEAD}\r\n`);
    await until(() => heard().endsWith('half'), 'half an answer');
    return () => backend.connections[0]?.write('x');
  },
  'in the middle of an answer that it does not read': async (leaver) => {
    backend.script = () => `HTTP/1.1 200 OK\r\nContent-Length: ${BIG}\r\n\r\n${'x'.repeat(BIG)}`;
    leaver.secure.write(`GET / HTTP/1.1\r\n${HEAD}\r\n`);
    await backend.untilRequests(1);
    await settled(200);
  },
};

/** None of them comes back: what is sent to them later is answered with a reset. */
const WAYS: Record<string, (tcp: net.Socket, secure?: tls.TLSSocket) => void> = {
  'says so (close_notify)': (tcp, secure) => {
    if (secure === undefined) tcp.write(CLOSE_NOTIFY);
    (secure ?? tcp).end(() => tcp.destroy());
  },
  'just closes (FIN)': (tcp) => tcp.destroy(),
  'resets (RST)': (tcp) => tcp.resetAndDestroy(),
};

let identity: ServerTls;
let rig: Rig;
let backend: ScriptedBackend;
let descriptors: Descriptors;

before(async () => {
  const authority = await CertificateAuthority.create({ commonName: 'leaving' });
  const { certPem, keyPem } = await authority.issue({ commonName: 'web', dnsNames: ['web'] });
  identity = {
    material: { identity: { certPem, keyPem }, requireClientAuth: false },
    ticketSecret: Buffer.alloc(48, 1),
    log: new LimitedLog(silentLog, { nowMs: () => 0 }),
  };
});
beforeEach(async () => {
  backend = await ScriptedBackend.start(() => undefined);
  descriptors = new Descriptors(100, 100);
  rig = await Rig.over([backend], { tls: identity, descriptors });
});
afterEach(async () => {
  await rig.close();
  await backend.close();
});
after(noSocketsLeft);

describe('A caller over TLS', () => {
  for (const [how, leave] of Object.entries(WAYS)) {
    for (const [stage, reach] of Object.entries(HANDSHAKES)) {
      it(`that ${how} ${stage} leaves nothing`, async () => {
        const tcp = await connected();
        await reach(tcp);
        leave(tcp);
        await nothingIsLeft();
        assert.equal(rig.serverStat('tls/handshake_failures'), 1);
      });
    }
    for (const [stage, reach] of Object.entries(STAGES)) {
      it(`that ${how} ${stage} leaves nothing`, async () => {
        const leaver = await secured();
        const goesOn = await reach(leaver);
        assert.equal(rig.serverStat('connections'), 1);
        leave(leaver.tcp, leaver.secure);
        await nothingIsLeft(goesOn ?? undefined);
        assert.equal(rig.serverStat('connections'), 0);
      });
    }
  }
});

async function connected(): Promise<net.Socket> {
  const tcp = net.connect({ host: '127.0.0.1', port: rig.port, noDelay: true });
  tcp.on('error', () => {});
  tcp.resume();
  await until(() => descriptors.callers === 1, 'a connection');
  return tcp;
}

async function secured(): Promise<Leaver> {
  const tcp = await connected();
  const secure = tls.connect({ socket: tcp, rejectUnauthorized: false });
  secure.on('error', () => {});
  await until(() => rig.server.connections === 1, 'a handshake');
  return { tcp, secure };
}

/** The first flight of a client. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const far = new Duplex({ read: () => {}, write: (bytes) => resolve(bytes) });
    tls.connect({ socket: far });
  });
}

/** Reads, and tells what has come. */
function hears({ secure }: Leaver): () => string {
  let text = '';
  secure.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  return () => text;
}

/** The state before the first caller is reached soon, whatever `goesOn` does meanwhile. */
async function nothingIsLeft(goesOn?: () => void): Promise<void> {
  const left = (): object => ({
    places: descriptors.callers,
    connections: rig.server.connections,
    pending: rig.serverStat('pending'),
    attempts: rig.clientStat('pending'),
    buffered: rig.serverStat('buffered_bytes'),
    toEndpoints: descriptors.endpoints,
    atEndpoints: backend.open,
  });
  const none = (): boolean => Object.values(left()).every((count) => count === 0);
  for (let turn = 0; turn < SOON_MS / 100 && !none(); turn++) {
    await settled();
    rig.clock.advance(100);
    goesOn?.();
  }
  await until(none, () => JSON.stringify(left()));
}
