import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { ClientTlsSpec, ServerTlsSpec } from '../../../config/spec.ts';
import { loadClientTls, loadServerTls } from '../../../routers/tls/material.ts';
import { CertificateAuthority } from '../../../src/certs.ts';
import { selfSigned } from '../../support/self-signed.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-material-'));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const root = await CertificateAuthority.create({ commonName: 'root' });
const middle = await root.intermediate({ commonName: 'middle' });
const web = await middle.issue({ commonName: 'web', dnsNames: ['web'] });
const rsa = await middle.issue({ commonName: 'web', keyType: 'rsa' });

const certPath = file('web.pem', web.certPem);
const keyPath = file('web.key', web.keyPem);
const intermediateCertsPath = file('middle.pem', middle.intermediatesPem);

const server = (more: Partial<ServerTlsSpec> = {}) =>
  loadServerTls({ certPath, keyPath, requireClientAuth: false, ...more });
const client = (more: Partial<ClientTlsSpec> = {}) =>
  loadClientTls({ enabled: true, disableValidation: false, commonName: 'web', ...more });

function errorsOf(loaded: ReturnType<typeof server> | ReturnType<typeof client>): readonly string[] {
  return loaded.ok ? [] : loaded.errors;
}

describe('loadServerTls', () => {
  it('returns the leaf, then the intermediate certificates, and the key', () => {
    const loaded = server({ intermediateCertsPath });
    assert.ok(loaded.ok);
    assert.equal(loaded.value.identity.certPem, web.certPem + middle.certPem);
    assert.equal(loaded.value.identity.keyPem, web.keyPem);
  });

  it('refuses a file whose last certificate is cut short, and a key that OpenSSL finds too small', () => {
    const half = `${root.certPem}${middle.certPem.slice(0, 200)}`;
    const caCertPath = file('half.pem', half);
    assert.match(errorsOf(server({ caCertPath })).join(), /caCertPath: certificate 2 in .* is cut short/);
    const weak = selfSigned('web', 512);
    const paths = { certPath: file('weak.pem', weak.certPem), keyPath: file('weak.key', weak.keyPem) };
    assert.match(errorsOf(server(paths)).join(), /OpenSSL refuses what the files hold: .*too small/);
  });

  it('sends the authorities behind the certificate in certPath with it, once, and nothing else of there', () => {
    const chain = file('chain.pem', web.certPem + middle.certPem + rsa.certPem);
    for (const more of [{}, { intermediateCertsPath }]) {
      const loaded = server({ certPath: chain, ...more });
      assert.ok(loaded.ok);
      assert.equal(loaded.value.identity.certPem, web.certPem + middle.certPem);
    }
  });

  it('reads lines that end in CRLF, a byte order mark, comments and what stands behind the blocks', () => {
    const crlf = (pem: string): string => `\uFEFF# web\r\n${pem.replaceAll('\n', '\r\n')}-- end --\r\n`;
    const loaded = server({
      certPath: file('crlf.pem', crlf(web.certPem)),
      keyPath: file('crlf.key', crlf(web.keyPem)),
      caCertPath: file('crlf-ca.pem', crlf(`${root.certPem}# the next one\n${middle.certPem}`)),
    });
    assert.ok(loaded.ok);
    assert.equal(loaded.value.identity.certPem, web.certPem);
    assert.equal(loaded.value.clientCaPem, root.certPem + middle.certPem);
  });

  it('finds certificate and key in one file, in either order', () => {
    for (const both of [web.keyPem + web.certPem, web.certPem + web.keyPem]) {
      const path = file('both.pem', both);
      assert.deepEqual(errorsOf(server({ certPath: path, keyPath: path })), []);
    }
  });

  it('does not wait for a pipe, read a device, or take long for a file of beginnings', () => {
    assert.deepEqual(errorsOf(server({ certPath: '/dev/zero' })), ['certPath: "/dev/zero" is no file']);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    assert.deepEqual(errorsOf(server({ keyPath: pipe })), [`keyPath: "${pipe}" is no file`]);
    const beginnings = file('beginnings.pem', '-----BEGIN CERTIFICATE-----\n'.repeat(140_000));
    const startMs = performance.now();
    assert.match(errorsOf(server({ certPath: beginnings })).join(), /no certificate in .*is cut short/s);
    assert.ok(performance.now() - startMs < 5000);
  });

  it('reads text around the PEM blocks and keys in SEC1, PKCS#1 and PKCS#8', () => {
    const sec1 = createPrivateKey(web.keyPem).export({ type: 'sec1', format: 'pem' }).toString();
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    assert.deepEqual(errorsOf(server({ keyPath: file('sec1.key', parameters + sec1) })), []);
    const pkcs1 = createPrivateKey(rsa.keyPem).export({ type: 'pkcs1', format: 'pem' }).toString();
    assert.match(pkcs1, /BEGIN RSA PRIVATE KEY/);
    const rsaPaths = {
      certPath: file('rsa.pem', `subject: web\n${rsa.certPem}`),
      keyPath: file('rsa.key', pkcs1),
    };
    assert.deepEqual(errorsOf(server(rsaPaths)), []);
    assert.deepEqual(errorsOf(server({ ...rsaPaths, keyPath: file('rsa8.key', rsa.keyPem) })), []);
  });

  it('reports all that is wrong, each with its key and file', () => {
    const missing = join(folder, 'missing.pem');
    const loaded = server({
      certPath: missing,
      keyPath: file('none.key', 'hello'),
      caCertPath: folder,
      ciphers: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_NOPE', 'TLS_PSK_WITH_AES_128_CBC_SHA'],
      protocols: ['TLSv1.2', 'SSLv3'],
    });
    assert.deepEqual(errorsOf(loaded), [
      `certPath: cannot read "${missing}": no such file`,
      `keyPath: no private key in "${join(folder, 'none.key')}"; expected PEM, "-----BEGIN PRIVATE KEY-----"`,
      `caCertPath: cannot read "${folder}": it is a directory`,
      'protocols: unknown protocol "SSLv3". Known: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3',
      'ciphers: "TLS_NOPE" is not a cipher suite of this build of OpenSSL',
      'ciphers: "TLS_PSK_WITH_AES_128_CBC_SHA" is not a cipher suite of this build of OpenSSL',
    ]);
  });

  it('refuses suites that no listed protocol can use, and an empty list of suites', () => {
    const contradiction = { ciphers: ['TLS_AES_128_GCM_SHA256'], protocols: ['TLSv1.2'] };
    assert.match(errorsOf(server(contradiction))[0] ?? '', /^ciphers: none of the listed suites/);
    assert.match(errorsOf(server({ ciphers: [] }))[0] ?? '', /^ciphers: none of the listed suites/);
  });

  it('refuses a key of another certificate', () => {
    const [error] = errorsOf(server({ keyPath: file('other.key', rsa.keyPem) }));
    assert.match(
      error ?? '',
      /^keyPath: the key in ".*other\.key" does not belong to the certificate in ".*web\.pem"$/,
    );
  });

  it('refuses encrypted keys and says how to decrypt them', () => {
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'secret' };
    const pkcs8 = createPrivateKey(web.keyPem)
      .export({ type: 'pkcs8', format: 'pem', ...cipher })
      .toString();
    const sec1 = createPrivateKey(web.keyPem)
      .export({ type: 'sec1', format: 'pem', ...cipher })
      .toString();
    for (const pem of [pkcs8, sec1]) {
      assert.match(
        errorsOf(server({ keyPath: file('enc.key', pem) }))[0] ?? '',
        /is encrypted; .*openssl pkey/,
      );
    }
  });

  it('refuses PEM that holds no certificate and certificates that cannot be decoded', () => {
    assert.match(errorsOf(server({ certPath: keyPath }))[0] ?? '', /^certPath: no certificate in /);
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const loaded = server({ certPath: file('broken.pem', broken) });
    assert.match(errorsOf(loaded)[0] ?? '', /^certPath: certificate 1 in ".*broken\.pem" cannot be read: /);
  });
});

describe('loadClientTls', () => {
  it('joins the files of trustCerts', () => {
    const trustCerts = [file('a.pem', root.certPem), file('b.pem', middle.certPem)];
    const loaded = client({ trustCerts });
    assert.ok(loaded.ok);
    assert.equal(loaded.value.trustPem, root.certPem + middle.certPem);
  });

  it('leaves the trust out when the system trust store is meant', () => {
    const loaded = client();
    assert.ok(loaded.ok);
    assert.deepEqual(loaded.value, { disableValidation: false });
  });

  it('loads the client certificate and names its keys in errors', () => {
    const loaded = client({ clientAuth: { certPath, keyPath, intermediateCertsPath } });
    assert.ok(loaded.ok);
    assert.equal(loaded.value.identity?.certPem, web.certPem + middle.certPem);
    const [error] = errorsOf(client({ clientAuth: { certPath, keyPath: join(folder, 'gone') } }));
    assert.match(error ?? '', /^clientAuth\.keyPath: cannot read ".*gone": no such file$/);
  });

  it('refuses an empty list of protocols', () => {
    assert.match(errorsOf(client({ protocols: [] }))[0] ?? '', /^protocols: the list is empty/);
  });
});
