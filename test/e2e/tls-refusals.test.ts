import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect, createServer, type Server, type TlsOptions } from 'node:tls';
import { loadConfig } from '../../config/load.ts';
import { type LogFields, silentLog } from '../../src/base/log.ts';
import { CertificateAuthority, type Issued } from '../../src/certs.ts';
import type { Linker } from '../../src/linker.ts';
import { start } from '../../src/start.ts';
import { freePorts } from '../cli/program.ts';
import { hasOpenssl, OpensslCa } from '../support/openssl-ca.ts';
import { SecretVolume } from '../support/secret-volume.ts';
import { selfSigned } from '../support/self-signed.ts';
import { until } from '../support/until.ts';
import { type Application, startApplication } from './mesh.ts';

const DAY_MS = 86_400_000;
const daysFromNow = (days: number): Date => new Date(Date.now() + days * DAY_MS);

const authority = await CertificateAuthority.create({ commonName: 'ours' });
const stranger = await CertificateAuthority.create({ commonName: 'theirs' });

type Case = { readonly identity: Issued; readonly reasons: readonly string[]; readonly why: RegExp };

/** What a peer may show, and what is found wrong with it. */
async function cases(): Promise<Record<string, Case>> {
  const web = { commonName: 'web', dnsNames: ['web'] };
  return {
    expired: {
      identity: await authority.issue({ ...web, notBefore: daysFromNow(-3), notAfter: daysFromNow(-1) }),
      reasons: ['expired'],
      why: /expired on \d{4}-/,
    },
    early: {
      identity: await authority.issue({ ...web, notBefore: daysFromNow(1), notAfter: daysFromNow(3) }),
      reasons: ['not_yet_valid'],
      why: /not valid before \d{4}-/,
    },
    foreign: {
      identity: await stranger.issue(web),
      reasons: ['unknown_ca'],
      why: /unknown CA: .*CN=theirs/,
    },
    self: { identity: selfSigned('web'), reasons: ['self_signed'], why: /self-signed/ },
  };
}

describe('peers that are refused', () => {
  const lines: { message: string; fields: LogFields }[] = [];
  const servers: Server[] = [];
  let bad: Record<string, Case>;
  let own: SecretVolume;
  let names: SecretVolume;
  let application: Application;
  let linker: Linker;
  let incoming = 0;
  let caller: Issued;

  async function serve(options: TlsOptions): Promise<string> {
    const server = createServer(options, (socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return `127.0.0.1 ${(server.address() as AddressInfo).port}\n`;
  }

  before(async () => {
    bad = await cases();
    caller = await authority.issue({ commonName: 'caller' });
    application = await startApplication((request, response) => {
      response.end(JSON.stringify(request.headers));
    });
    const [port = 0] = await freePorts(1);
    incoming = port;
    const web = await authority.issue({ commonName: 'web', dnsNames: ['web'] });
    const other = await authority.issue({ commonName: 'shop', dnsNames: ['shop'] });
    const theirs = await stranger.issue({ commonName: 'caller' });
    own = new SecretVolume({
      'cert.pem': web.certPem,
      'key.pem': web.keyPem,
      'ca.pem': authority.certPem,
      'caller.pem': caller.certPem,
      'caller.key': caller.keyPem,
      'theirs.pem': theirs.certPem,
      'theirs.key': theirs.keyPem,
    });
    const files: Record<string, string> = {
      wrong: await serve({ cert: other.certPem, key: other.keyPem }),
      asking: await serve({
        cert: web.certPem,
        key: web.keyPem,
        ca: stranger.certPem,
        requestCert: true,
        rejectUnauthorized: true,
      }),
      mesh: `127.0.0.1 ${incoming}\n`,
      known: `127.0.0.1 ${incoming}\n`,
    };
    for (const [name, { identity }] of Object.entries(bad)) {
      files[name] = await serve({ cert: identity.certPem, key: identity.keyPem });
    }
    names = new SecretVolume(files);
    const tls = `commonName: web, trustCertsBundle: ${own.path('ca.pem')}`;
    const identity = (name: string): string =>
      `clientAuth: {certPath: ${own.path(`${name}.pem`)}, keyPath: ${own.path(`${name}.key`)}}`;
    const config = `
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: ${names.folder}}]
routers:
- protocol: http
  label: incoming
  dtab: /svc => /$/inet/127.1/${application.port}
  client: {forwardClientCert: true}
  servers:
  - port: ${incoming}
    tls:
      certPath: ${own.path('cert.pem')}
      keyPath: ${own.path('key.pem')}
      caCertPath: ${own.path('ca.pem')}
      requireClientAuth: true
- protocol: http
  label: outgoing
  servers: [{port: 0}]
  dtab: /svc => /#/io.l5d.fs
  client:
    kind: io.l5d.static
    configs:
    # A busy machine may be slow with handshakes.
    - {prefix: "/#/io.l5d.fs", connectTimeoutMs: 20000, tls: {${tls}}}
    - {prefix: "/#/io.l5d.fs/mesh", tls: {${tls}, ${identity('theirs')}}}
    - {prefix: "/#/io.l5d.fs/known", tls: {${tls}, ${identity('caller')}}}
`;
    const note = (message: string, fields: LogFields = {}) => void lines.push({ message, fields });
    const log = { debugEnabled: false, debug() {}, info: note, warn: note, error: note };
    const started = await start(loadConfig(config, { source: 'test.yaml' }), { threads: 1, log });
    assert.ok(started.ok, started.ok ? '' : started.errors.join('\n'));
    linker = started.linker;
  });
  after(async () => {
    await linker.close(0);
    await application.close();
    for (const server of servers) server.close();
    own.remove();
    names.remove();
  });

  const metric = async (name: string): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${linker.adminPort}/admin/metrics.json`);
    return ((await answer.json()) as Record<string, number>)[name] ?? 0;
  };
  /** What is new is told to the control thread by a message. */
  async function counts(name: string, atLeast: number): Promise<void> {
    const endMs = performance.now() + 10_000;
    while ((await metric(name)) < atLeast) assert.ok(performance.now() < endMs, name);
  }
  const clientCounts = (name: string, key: string): Promise<void> =>
    counts(`rt/outgoing/client/#/io.l5d.fs/${name}/tls/${key}`, 1);
  const serverCounts = (key: string, atLeast = 1): Promise<void> =>
    counts(`rt/incoming/server/127.0.0.1/${incoming}/tls/${key}`, atLeast);

  type Answer = { readonly status: number; readonly text: string; readonly error: string };
  const call = (host: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const port = linker.ports[1]?.[0] ?? 0;
      const sent = request({ host: '127.0.0.1', port, headers: { host }, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        const error = String(response.headers['l5d-err'] ?? '');
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, error }));
      });
      sent.on('error', reject);
      sent.end();
    });

  /** All that a client gets from the incoming router before it is cut off. */
  const dial = (
    identity: Issued | undefined,
    maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
  ): Promise<string> =>
    new Promise((resolve) => {
      const own = identity === undefined ? {} : { cert: identity.certPem, key: identity.keyPem };
      const to = { host: '127.0.0.1', port: incoming, servername: 'web', rejectUnauthorized: false };
      const socket = connect({ ...to, ...own, maxVersion });
      let text = '';
      socket.once('secureConnect', () =>
        socket.write('GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n'),
      );
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });

  for (const name of ['expired', 'early', 'foreign', 'self'] as const) {
    it(`says to the caller, in the log and in a metric why a server is refused: ${name}`, async () => {
      const { reasons, why } = bad[name] as Case;
      const { status, text, error } = await call(name);
      assert.equal(status, 502);
      assert.match(text, why);
      assert.match(text, /expected the name "web"/);
      assert.match(error, /refused/);
      for (const reason of reasons) await clientCounts(name, `refused/${reason}`);
      const line = lines.find(({ fields }) => fields['at'] === `outgoing /#/io.l5d.fs/${name}`);
      assert.match(String(line?.fields['why']), why);
    });

    it(`cuts a client off, and says in the log and in a metric why: ${name}`, async () => {
      const { identity, reasons, why } = bad[name] as Case;
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        assert.equal(await dial(identity, version), '');
      }
      for (const reason of reasons) await serverCounts(`refused/${reason}`, 2);
      const line = () =>
        lines.find(
          ({ fields }) =>
            fields['at'] === `incoming 127.0.0.1:${incoming}` && fields['reasons'] === reasons.join(),
        );
      await until(() => line() !== undefined, 'the line of the log');
      assert.match(String(line()?.fields['why']), why);
    });
  }

  it('refuses a server of another name', async () => {
    const { status, text } = await call('wrong');
    assert.equal(status, 502);
    assert.match(text, /the certificate bears alternative names "shop".*refused: wrong name/);
    await clientCounts('wrong', 'refused/wrong_name');
  });

  it('refuses a client without a certificate', async () => {
    assert.equal(await dial(undefined), '');
    await serverCounts('refused/no_certificate');
  });

  it('tells the caller that it is the server who refused, if the server says so or just goes away', async () => {
    const asking = await call('asking');
    assert.equal(asking.status, 502);
    assert.match(asking.text, /the server refused a client without a certificate .*: certificate required/);
    await clientCounts('asking', 'refused/by_peer');
    const mesh = await call('mesh');
    assert.equal(mesh.status, 502);
    assert.match(mesh.text, /it may have refused the certificate that it was shown/);
  });

  it('says the refusals of one kind once in a while', async () => {
    const before = lines.length;
    for (let i = 0; i < 20; i++) await dial(undefined);
    assert.ok(lines.length - before <= 2, `${lines.length - before} lines`);
    await serverCounts('refused/no_certificate', 20);
  });

  it('accepts a good client, tells the application who it is, and resumes its session', async () => {
    const first = await call('known');
    assert.equal(first.status, 200);
    assert.match(first.text, /x-forwarded-client-cert.*CN=caller/);
    // Several callers at the same time need several connections.
    await Promise.all(Array.from({ length: 8 }, () => call('known')));
    await clientCounts('known', 'resumed');
    await serverCounts('resumed');
    assert.match((await call('known')).text, /x-forwarded-client-cert.*CN=caller/);
  });

  it('shows when each certificate expires', async () => {
    const left = await metric(`tls/cert_expiry_seconds/${own.path('cert.pem')}`);
    assert.ok(left > 300 * 86_400 && left < 366 * 86_400, String(left));
    assert.ok((await metric(`tls/cert_expiry_seconds/${own.path('ca.pem')}`)) > 0);
  });
});

describe('certificates made with openssl', { skip: hasOpenssl ? false : 'openssl is not there' }, () => {
  const ca = new OpensslCa();
  after(() => ca.remove());

  const kinds: Record<string, () => Issued> = {
    'RSA with only a common name': () => ca.issue('web'),
    'RSA with a PKCS#1 key': () => {
      const { certPem, keyPem } = ca.issue('web');
      return { certPem, keyPem: ca.pkcs1(keyPem) };
    },
    Ed25519: () => ca.issue('web', { key: 'ed25519' }),
  };

  async function answerWith(server: Issued, client: Issued): Promise<{ status: number; text: string }> {
    const volume = new SecretVolume({
      'cert.pem': server.certPem,
      'key.pem': server.keyPem,
      'ca.pem': ca.certPem,
      'client.pem': client.certPem,
      'client.key': client.keyPem,
    });
    const application = await startApplication((_request, response) => response.end('web'));
    const [port = 0] = await freePorts(1);
    const auth = `{certPath: ${volume.path('client.pem')}, keyPath: ${volume.path('client.key')}}`;
    const config = `
admin: {port: 0}
routers:
- protocol: http
  label: incoming
  dtab: /svc => /$/inet/127.1/${application.port}
  servers:
  - port: ${port}
    tls:
      certPath: ${volume.path('cert.pem')}
      keyPath: ${volume.path('key.pem')}
      caCertPath: ${volume.path('ca.pem')}
      requireClientAuth: true
- protocol: http
  label: outgoing
  servers: [{port: 0}]
  dtab: /svc => /$/inet/127.1/${port}
  client:
    connectTimeoutMs: 20000
    tls: {commonName: web, trustCerts: [${volume.path('ca.pem')}], clientAuth: ${auth}}
`;
    const started = await start(loadConfig(config, { source: 'test.yaml' }), { threads: 0, log: silentLog });
    assert.ok(started.ok, started.ok ? '' : started.errors.join('\n'));
    const answer = await fetch(`http://127.0.0.1:${started.linker.ports[1]?.[0]}/`);
    const result = { status: answer.status, text: await answer.text() };
    await started.linker.close(0);
    await application.close();
    volume.remove();
    return result;
  }

  for (const [kind, issue] of Object.entries(kinds)) {
    it(`work on both sides: ${kind}`, async () => {
      assert.deepEqual(await answerWith(issue(), issue()), { status: 200, text: 'web' });
    });
  }

  it('are asked for by a server that says so, and the caller is told', async () => {
    const { certPem, keyPem } = ca.issue('web');
    const volume = new SecretVolume({ 'cert.pem': certPem, 'key.pem': keyPem, 'ca.pem': ca.certPem });
    const file = (name: string): string => volume.path(name);
    const server = spawn('openssl', [
      ...['s_server', '-accept', '127.0.0.1:0', '-www', '-Verify', '1', '-verify_return_error'],
      ...['-cert', file('cert.pem'), '-key', file('key.pem'), '-CAfile', file('ca.pem')],
    ]);
    after(() => server.kill());
    let said = '';
    server.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => /ACCEPT \S+:\d+/.test(said), 'openssl s_server', 10_000);
    const port = /ACCEPT \S+:(\d+)/.exec(said)?.[1];
    const config = `
admin: {port: 0}
routers:
- protocol: http
  servers: [{port: 0}]
  dtab: /svc => /$/inet/127.1/${port}
  client: {tls: {commonName: web, trustCertsBundle: ${file('ca.pem')}}}
`;
    const started = await start(loadConfig(config, { source: 'test.yaml' }), { threads: 0, log: silentLog });
    assert.ok(started.ok, started.ok ? '' : started.errors.join('\n'));
    const answer = await fetch(`http://127.0.0.1:${started.linker.ports[0]?.[0]}/`);
    assert.equal(answer.status, 502);
    assert.match(
      await answer.text(),
      /the server refused a client without a certificate .*: certificate required/,
    );
    await started.linker.close(0);
    volume.remove();
  });

  it('are refused on the side that they are not for', async () => {
    const forClients = ca.issue('web', { extensions: 'for_clients' });
    const forServers = ca.issue('web', { extensions: 'for_servers' });
    assert.equal((await answerWith(forServers, forClients)).status, 200);
    const wrongServer = await answerWith(forClients, forClients);
    assert.equal(wrongServer.status, 502);
    assert.match(wrongServer.text, /it may not be used by a server/);
    const forLists = await answerWith(ca.issue('web', { extensions: 'for_lists' }), forClients);
    assert.match(forLists.text, /it may not be used by a server \(key usage/);
    const unknown = await answerWith(ca.issue('web', { extensions: 'unknown' }), forClients);
    assert.match(unknown.text, /its chain is not acceptable: .*critical extension/);
    const wrongClient = await answerWith(forServers, forServers);
    assert.equal(wrongClient.status, 502);
    assert.match(wrongClient.text, /it may have refused the certificate/);
  });
});
