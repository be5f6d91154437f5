import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { ClientMaterial } from '../../../routers/tls/client-material.ts';
import { ClientTls } from '../../../routers/tls/client-tls.ts';
import { Refusals } from '../../../routers/tls/refusals.ts';
import { SecureContexts } from '../../../routers/tls/secure-contexts.ts';
import { serverTlsOptions } from '../../../routers/tls/server-tls.ts';
import type {
  ClientTlsMaterial,
  IdentityMaterial,
  ServerTlsMaterial,
} from '../../../routers/tls/tls-material.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Failure } from '../../../src/base/failure.ts';
import { LimitedLog } from '../../../src/base/limited-log.ts';
import { silentLog } from '../../../src/base/log.ts';
import { TimerWheel } from '../../../src/base/timer-wheel.ts';
import { CertificateAuthority, type Issued, type LeafOptions } from '../../../src/certs.ts';
import { RecordedStats } from '../../support/recorded-stats.ts';
import { selfSigned } from '../../support/self-signed.ts';

const DAY_MS = 86_400_000;
const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS);

const root = await CertificateAuthority.create({ commonName: 'test root' });
const stranger = await CertificateAuthority.create({ commonName: 'stranger' });
const trusting: ClientTlsMaterial = { disableValidation: false, trustPem: root.certPem };

const identity = (issued: Issued, chain = ''): IdentityMaterial => ({
  certPem: issued.certPem + chain,
  keyPem: issued.keyPem,
});
const leaf = async (options: LeafOptions): Promise<IdentityMaterial> => identity(await root.issue(options));

const opened: { close(): void }[] = [];
afterEach(() => {
  for (let part = opened.pop(); part !== undefined; part = opened.pop()) part.close();
});

/** A TLS server that greets, and remembers the last server name it was asked for. */
async function serve(own: IdentityMaterial, more: Partial<ServerTlsMaterial> = {}) {
  const seen: { sni: string | false | null; clientCn: unknown } = { sni: null, clientCn: undefined };
  const server = createServer(
    serverTlsOptions({ identity: own, requireClientAuth: false, ...more }),
    (socket) => {
      seen.sni = (socket as TLSSocket & { servername: string | false }).servername;
      seen.clientCn = socket.getPeerCertificate().subject?.CN;
      socket.on('error', () => {});
      socket.end(`hello ${socket.getProtocol()} ${socket.getCipher().name}`);
    },
  );
  server.on('tlsClientError', () => {});
  return { port: await listening(server), seen };
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(server);
  return (server.address() as AddressInfo).port;
}

const wheel = new TimerWheel(systemClock);
const stats = new RecordedStats();
const refusals = new Refusals(stats.root, 'test', new LimitedLog(silentLog, systemClock));

function clientTls(material: ClientTlsMaterial, serverName: string | undefined): ClientTls {
  const shared = new ClientMaterial(material, { contexts: new SecureContexts(), wheel, drainMs: 60_000 });
  return new ClientTls(shared, serverName, { stats: stats.root, refusals, clock: systemClock });
}

type Result = { failure: Failure | undefined; text: string };

/** Connects and reads everything that the server says. */
async function call(
  port: number,
  serverName: string | undefined,
  material = trusting,
  host = '127.0.0.1',
): Promise<Result> {
  const tls = clientTls(material, serverName);
  return new Promise((resolve) => {
    const socket = tls.connect({ host, port }, (failure) => {
      if (failure !== undefined) return resolve({ failure, text: '' });
      let text = '';
      socket.on('error', (error) => resolve({ failure: undefined, text: `error ${error.message}` }));
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.on('end', () => {
        socket.destroy();
        resolve({ failure: undefined, text });
      });
    });
  });
}

async function refused(port: number, serverName: string, material = trusting): Promise<string> {
  const { failure } = await call(port, serverName, material);
  assert.ok(failure, 'the connection was accepted');
  assert.equal(failure.kind, 'tls');
  assert.equal(failure.undelivered, true);
  assert.match(failure.message, new RegExp(`^TLS to 127\\.0\\.0\\.1:${port}: `));
  return failure.message;
}

describe('ClientTls against a server with serverTlsOptions', () => {
  for (const keyType of ['ec', 'rsa'] as const) {
    it(`accepts a good certificate with a key of type ${keyType} and sends the name as SNI`, async () => {
      const { port, seen } = await serve(
        await leaf({ commonName: 'x', dnsNames: ['web.example.com'], keyType }),
      );
      const { failure, text } = await call(port, 'web.example.com');
      assert.equal(failure, undefined);
      assert.match(text, /^hello TLSv1\.3 /);
      assert.equal(seen.sni, 'web.example.com');
    });
  }

  it('sends SNI for a name without a dot and none for an IP address', async () => {
    const own = await leaf({ commonName: 'web', dnsNames: ['linkerd'], ipAddresses: ['127.0.0.1'] });
    const { port, seen } = await serve(own);
    assert.equal((await call(port, 'linkerd')).failure, undefined);
    assert.equal(seen.sni, 'linkerd');
    assert.equal((await call(port, '127.0.0.1')).failure, undefined);
    assert.equal(seen.sni, false);
  });

  it('falls back to the common name when there is no alternative name', async () => {
    const { port } = await serve(await leaf({ commonName: 'web' }));
    assert.equal((await call(port, 'web')).failure, undefined);
    assert.match(
      await refused(port, 'other'),
      /common name "web", no alternative names; refused: wrong name$/,
    );
  });

  it('refuses a wrong name, and says which was expected and which the certificate bears', async () => {
    const { port } = await serve(await leaf({ commonName: 'x', dnsNames: ['ted.io', 'www.ted.io'] }));
    const message = await refused(port, 'bill.io');
    assert.match(message, /expected the name "bill\.io", the certificate bears /);
    assert.match(
      message,
      /alternative names "ted\.io", "www\.ted\.io"; common name "x"; refused: wrong name$/,
    );
  });

  it('refuses an unknown CA', async () => {
    const { port } = await serve(identity(await stranger.issue({ commonName: 'web', dnsNames: ['web'] })));
    assert.match(await refused(port, 'web'), /refused: unknown CA: .*CN=stranger/);
  });

  it('refuses a self-signed certificate, and names both reasons when the name is wrong too', async () => {
    const { port } = await serve(identity(selfSigned('stranger')));
    const message = await refused(port, 'web');
    assert.match(
      message,
      /refused: the certificate is self-signed and not among the trusted ones, and wrong name$/,
    );
  });

  it('refuses a certificate that has expired or is not valid yet, with the date', async () => {
    const expired = await serve(
      await leaf({ commonName: 'web', notBefore: daysAgo(3), notAfter: daysAgo(1) }),
    );
    assert.match(await refused(expired.port, 'web'), /refused: expired on \d{4}-\d\d-\d\dT/);
    const early = await serve(await leaf({ commonName: 'web', notBefore: daysAgo(-1) }));
    assert.match(await refused(early.port, 'web'), /refused: not valid before \d{4}-\d\d-\d\dT/);
  });

  it('verifies through an intermediate certificate, and refuses when the server does not send it', async () => {
    const middle = await root.intermediate({ commonName: 'middle' });
    const issued = await middle.issue({ commonName: 'web' });
    const complete = await serve(identity(issued, middle.intermediatesPem));
    assert.equal((await call(complete.port, 'web')).failure, undefined);
    const lacking = await serve(identity(issued));
    assert.match(
      await refused(lacking.port, 'web'),
      /unknown CA: .*an intermediate certificate may be missing/,
    );
  });

  it('trusts what the bundle holds as it is: an intermediate authority, or the very certificate', async () => {
    const middle = await root.intermediate({ commonName: 'middle' });
    const { port } = await serve(identity(await middle.issue({ commonName: 'web' })));
    const { failure } = await call(port, 'web', { disableValidation: false, trustPem: middle.certPem });
    assert.equal(failure, undefined);
    const own = identity(selfSigned('web'));
    const pinned = await serve(own);
    assert.equal(
      (await call(pinned.port, 'web', { disableValidation: false, trustPem: own.certPem })).failure,
      undefined,
    );
    assert.match(
      await refused(pinned.port, 'other', { disableValidation: false, trustPem: own.certPem }),
      /wrong name$/,
    );
  });

  it('accepts anything when validation is disabled', async () => {
    const { port } = await serve(identity(stranger));
    const { failure, text } = await call(port, undefined, { disableValidation: true });
    assert.equal(failure, undefined);
    assert.match(text, /^hello/);
  });

  it('never connects without a name when validation is on', async () => {
    const { port } = await serve(await leaf({ commonName: 'web' }));
    assert.match((await call(port, undefined)).failure?.message ?? '', /no name to verify/);
  });

  it('does not trust the machine store in place of a given bundle, nor a bundle in place of the store', async () => {
    const { port } = await serve(await leaf({ commonName: 'web' }));
    assert.match(await refused(port, 'web', { disableValidation: false }), /unknown CA/);
    assert.match(
      await refused(port, 'web', { disableValidation: false, trustPem: stranger.certPem }),
      /unknown CA/,
    );
  });

  it('shows hostile names of a peer without control characters', async () => {
    const { port } = await serve(await leaf({ commonName: 'evil\r\nx: "y', dnsNames: ['a, DNS:web'] }));
    const message = await refused(port, 'web');
    assert.match(message, /^[\x20-\x7e]+$/);
    assert.match(
      message,
      /alternative names "a, DNS:web"; common name "evil\?\?x: \?y"; refused: wrong name$/,
    );
  });

  it('presents its certificate to a server that requires one, which refuses others', async () => {
    const own = await leaf({ commonName: 'web' });
    const { port, seen } = await serve(own, { requireClientAuth: true, clientCaPem: root.certPem });
    const known = { ...trusting, identity: await leaf({ commonName: 'caller' }) };
    assert.match((await call(port, 'web', known)).text, /^hello/);
    assert.equal(seen.clientCn, 'caller');
    const unknown = { ...trusting, identity: identity(await stranger.issue({ commonName: 'caller' })) };
    assert.doesNotMatch((await call(port, 'web', unknown)).text, /^hello/);
    assert.doesNotMatch((await call(port, 'web')).text, /^hello/);
  });

  it('asks no client for a certificate when only a CA is given', async () => {
    const { port, seen } = await serve(await leaf({ commonName: 'web' }), { clientCaPem: root.certPem });
    const known = { ...trusting, identity: await leaf({ commonName: 'caller' }) };
    assert.match((await call(port, 'web', known)).text, /^hello/);
    assert.equal(seen.clientCn, undefined);
  });

  for (const protocol of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']) {
    it(`speaks ${protocol} when both sides are told to`, async () => {
      const { port } = await serve(await leaf({ commonName: 'web', keyType: 'rsa' }), {
        protocols: [protocol],
      });
      const { text, failure } = await call(port, 'web', { ...trusting, protocols: [protocol] });
      assert.equal(failure, undefined);
      assert.match(text, new RegExp(`^hello ${protocol} `));
    });
  }

  it('refuses the version that a list leaves out in its middle', async () => {
    const own = await leaf({ commonName: 'web', keyType: 'rsa' });
    const { port } = await serve(own, { protocols: ['TLSv1.1', 'TLSv1.3'] });
    const message = await refused(port, 'web', { ...trusting, protocols: ['TLSv1.2'] });
    assert.match(message, /handshake failed: .*protocol/);
  });

  it('negotiates only the listed cipher suites, by their IANA names', async () => {
    const own = await leaf({ commonName: 'web', keyType: 'rsa' });
    const one = await serve(own, { ciphers: ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'] });
    assert.match((await call(one.port, 'web')).text, /^hello TLSv1\.2 ECDHE-RSA-AES256-GCM-SHA384$/);
    const dhe = await serve(own, { ciphers: ['TLS_DHE_RSA_WITH_AES_128_GCM_SHA256'] });
    assert.match((await call(dhe.port, 'web')).text, /^hello TLSv1\.2 DHE-RSA-AES128-GCM-SHA256$/);
    const newest = await serve(own, { ciphers: ['TLS_AES_128_GCM_SHA256'] });
    assert.match((await call(newest.port, 'web')).text, /^hello TLSv1\.3 TLS_AES_128_GCM_SHA256$/);
  });

  it('tells a refused connection from a failed handshake', async () => {
    const { failure } = await call(1, 'web');
    assert.equal(failure?.kind, 'connect');
    assert.equal(failure?.undelivered, true);
  });

  it('says so when the peer does not speak TLS, or closes', async () => {
    const plain = createTcpServer((socket: Socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    assert.match(await refused(await listening(plain), 'web'), /the peer may not speak TLS on this port/);
    const mute = createTcpServer((socket: Socket) => socket.destroy());
    assert.match(await refused(await listening(mute), 'web'), /handshake failed: /);
  });

  it('tells its caller once when the caller gives up', async () => {
    const port = await listening(createTcpServer((socket) => socket.on('error', () => {})));
    const tls = clientTls(trusting, 'web');
    const failures: (Failure | undefined)[] = [];
    const socket = tls.connect({ host: '127.0.0.1', port }, (failure) => failures.push(failure));
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    assert.equal(failures.length, 1);
    assert.equal(failures[0]?.kind, 'tls');
  });
});

describe('SecureContexts', () => {
  it('makes one context for equal material, however often it is asked', async () => {
    const contexts = new SecureContexts();
    const first = contexts.client({ ...trusting });
    assert.equal(contexts.client({ ...trusting }), first);
    assert.notEqual(contexts.client({ ...trusting, trustPem: stranger.certPem }), first);
    assert.equal(contexts.size, 2);
  });
});
