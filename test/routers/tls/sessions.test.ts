import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { ClientMaterial } from '../../../routers/tls/client-material.ts';
import { ClientTls } from '../../../routers/tls/client-tls.ts';
import { Refusals } from '../../../routers/tls/refusals.ts';
import { SecureContexts } from '../../../routers/tls/secure-contexts.ts';
import { SESSION_MS_MAX, SessionCache } from '../../../routers/tls/session-cache.ts';
import { TlsListener } from '../../../routers/tls/tls-listener.ts';
import type { ClientTlsMaterial, ServerTlsMaterial } from '../../../routers/tls/tls-material.ts';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { LimitedLog } from '../../../src/base/limited-log.ts';
import { silentLog } from '../../../src/base/log.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { CertificateAuthority } from '../../../src/certs.ts';
import { RecordedStats } from '../../support/recorded-stats.ts';

const authority = await CertificateAuthority.create({ commonName: 'authority' });
const second = await CertificateAuthority.create({ commonName: 'second' });
const web = await authority.issue({ commonName: 'web', dnsNames: ['web', 'other'] });
const caller = await authority.issue({ commonName: 'caller' });
const wheel = new TimerWheel(systemClock);

const serverMaterial: ServerTlsMaterial = {
  identity: web,
  requireClientAuth: true,
  clientCaPem: authority.certPem,
};
const clientMaterial: ClientTlsMaterial = {
  disableValidation: false,
  trustPem: authority.certPem,
  identity: caller,
};

const opened: Server[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) server.close();
});

/** Both sides, and what each of them has counted. */
async function rig(protocol: string, more: { clock?: Clock; serverClock?: Clock } = {}) {
  const { clock = systemClock, serverClock = systemClock } = more;
  const stats = new RecordedStats();
  const refusals = new Refusals(stats.root.scope('server'), 'server', new LimitedLog(silentLog, clock));
  const makeListener = (ticketSecret: Uint8Array): TlsListener<TLSSocket> =>
    new TlsListener<TLSSocket>(serverMaterial, {
      handshakeTimeoutMs: 5000,
      drainMs: 60_000,
      stats: stats.root.scope('server'),
      refusals,
      clock: serverClock,
      wheel,
      ticketSecret,
      retire() {},
      cut() {},
      accept(socket) {
        socket.on('error', () => {});
        socket.on('data', () => socket.end('answer'));
      },
    });
  const listener = makeListener(Buffer.alloc(48, 1));
  let current = listener;
  const server = createServer({ allowHalfOpen: true }, (socket) => current.handshake(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(server);
  const { port } = server.address() as AddressInfo;
  const material = new ClientMaterial(
    { ...clientMaterial, protocols: [protocol] },
    { contexts: new SecureContexts(), wheel, drainMs: 60_000 },
  );
  const deps = { stats: stats.root.scope('client'), refusals, clock };
  const call = (name = 'web'): Promise<'resumed' | 'full' | string> =>
    new Promise((resolve) => {
      const tls = new ClientTls(material, name, deps);
      const socket = tls.connect({ host: '127.0.0.1', port }, (failure) => {
        if (failure !== undefined) return resolve(failure.message);
        const how = socket.isSessionReused() ? 'resumed' : 'full';
        let text = '';
        socket.write('question');
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          text += chunk;
        });
        socket.on('end', () => socket.destroy());
        socket.on('close', () => resolve(text === 'answer' ? how : 'no answer'));
      });
    });
  const another = (ticketSecret: Uint8Array): void => {
    current = makeListener(ticketSecret);
  };
  return { listener, material, stats, call, another };
}

for (const protocol of ['TLSv1.2', 'TLSv1.3']) {
  describe(`Sessions of ${protocol}`, () => {
    it('are resumed by the next connections to the same peer, and counted on both sides', async () => {
      const { call, stats } = await rig(protocol);
      assert.deepEqual([await call(), await call(), await call()], ['full', 'resumed', 'resumed']);
      assert.equal(stats.value('client/tls/resumed'), 2);
      assert.equal(stats.value('server/tls/resumed'), 2);
    });

    it('are not resumed for another name', async () => {
      const { call } = await rig(protocol);
      assert.equal(await call(), 'full');
      assert.equal(await call('other'), 'full');
      assert.match(await call('third'), /wrong name/);
    });

    it('are resumed by another thread that has the same secret, and by no other', async () => {
      const { call, another } = await rig(protocol);
      assert.equal(await call(), 'full');
      another(Buffer.alloc(48, 1));
      assert.equal(await call(), 'resumed');
      another(Buffer.alloc(48, 2));
      assert.equal(await call(), 'full');
    });

    it('end with the secret of the tickets', async () => {
      const { call, listener } = await rig(protocol);
      assert.equal(await call(), 'full');
      listener.replaceTicketSecret(Buffer.alloc(48, 3));
      assert.equal(await call(), 'full');
      assert.equal(await call(), 'resumed');
    });

    it('do not outlive the bundle of the server: a client whose authority is gone is refused', async () => {
      const { call, listener, stats } = await rig(protocol);
      assert.equal(await call(), 'full');
      listener.replace({ ...serverMaterial, clientCaPem: second.certPem });
      assert.match(await call(), /^no answer$|handshake failed/);
      assert.equal(stats.value('server/tls/refused/unknown_ca'), 1);
    });

    it('do not outlive the bundle of the client: a server whose authority is gone is refused', async () => {
      const { call, material } = await rig(protocol);
      assert.equal(await call(), 'full');
      material.replace({ ...clientMaterial, protocols: [protocol], trustPem: second.certPem });
      assert.match(await call(), /unknown CA/);
    });

    it('are verified again after ten minutes', async () => {
      let aheadMs = 0;
      const clock = { ...systemClock, wallMs: () => Date.now() + aheadMs };
      const { call } = await rig(protocol, { clock });
      assert.equal(await call(), 'full');
      aheadMs = SESSION_MS_MAX - 60_000;
      assert.equal(await call(), 'resumed');
      aheadMs = SESSION_MS_MAX + 1000;
      assert.equal(await call(), 'full');
    });

    it('of a client whose certificate has expired meanwhile are refused', async () => {
      let aheadMs = 0;
      const clock = { ...systemClock, wallMs: () => Date.now() + aheadMs };
      const { call, stats } = await rig(protocol, { serverClock: clock });
      assert.equal(await call(), 'full');
      aheadMs = 400 * 86_400_000;
      assert.match(await call(), /^no answer$|handshake failed/);
      assert.equal(stats.value('server/tls/refused/expired'), 1);
      assert.equal(stats.value('server/tls/resumed'), 0);
    });
  });
}

describe('SessionCache', () => {
  it('forgets the peer that was met longest ago beyond its bound, and what may not be offered any more', () => {
    const cache = new SessionCache();
    const session = Buffer.from('session');
    for (let i = 0; i < 1001; i++) cache.keep(`peer ${i}`, { session, untilMs: 10 });
    assert.equal(cache.size, 1000);
    assert.equal(cache.find('peer 0', 0), undefined);
    assert.equal(cache.find('peer 1000', 9)?.session, session);
    assert.equal(cache.find('peer 1000', 10), undefined);
    assert.equal(cache.size, 999);
  });
});
