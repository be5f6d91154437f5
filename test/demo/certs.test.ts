import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CertificateAuthority } from '../../src/certs.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-certs-'));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('CertificateAuthority', () => {
  it('issues leaves with serial numbers of their own, exact names, and a start a little in the past', async () => {
    const root = await CertificateAuthority.create({ commonName: 'root' });
    const options = {
      commonName: 'web',
      dnsNames: ['web', '*.web.io'],
      ipAddresses: ['10.1.2.3', 'fe80::1'],
    };
    const leaves = [await root.issue(options), await root.issue(options)];
    const [one, two] = leaves.map(({ certPem }) => new X509Certificate(certPem));
    const authority = new X509Certificate(root.certPem);
    assert.ok(one && two);
    assert.notEqual(one.serialNumber, two.serialNumber);
    assert.ok(one.checkIssued(authority) && one.verify(authority.publicKey));
    assert.deepEqual([one.ca, authority.ca], [false, true]);
    assert.equal(
      one.subjectAltName,
      'DNS:web, DNS:*.web.io, IP Address:10.1.2.3, IP Address:FE80:0:0:0:0:0:0:1',
    );
    assert.deepEqual(one.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    assert.ok(one.validFromDate.getTime() < Date.now());
  });

  it('writes names beyond ASCII and dates beyond 2049', async () => {
    const root = await CertificateAuthority.create({ commonName: 'Wurzel ü' });
    const { certPem } = await root.issue({ commonName: 'web', notAfter: new Date('2060-01-02T03:04:05Z') });
    const leaf = new X509Certificate(certPem);
    assert.equal(leaf.issuer, 'CN=Wurzel ü');
    assert.equal(leaf.validToDate.toISOString(), '2060-01-02T03:04:05.000Z');
  });

  it('refuses an address that is none', async () => {
    const root = await CertificateAuthority.create({ commonName: 'root' });
    await assert.rejects(
      root.issue({ commonName: 'x', ipAddresses: ['300.1.2.3'] }),
      /not an IP address: 300\.1\.2\.3/,
    );
  });

  if (spawnSync('openssl', ['version']).error === undefined) {
    for (const keyType of ['ec', 'rsa'] as const) {
      it(`satisfies the strict rules of openssl verify, through an intermediate, with keys of type ${keyType}`, async () => {
        const root = await CertificateAuthority.create({ commonName: 'root', keyType });
        const middle = await root.intermediate({ commonName: 'middle', keyType });
        const leaf = await middle.issue({ commonName: 'web', dnsNames: ['web'], keyType });
        const paths = [
          ...['-CAfile', file(`${keyType}-root.pem`, root.certPem)],
          ...['-untrusted', file(`${keyType}-middle.pem`, middle.intermediatesPem)],
        ];
        const target = file(`${keyType}-leaf.pem`, leaf.certPem);
        for (const purpose of ['sslserver', 'sslclient']) {
          const words = ['verify', '-x509_strict', '-purpose', purpose, ...paths, target];
          const { status, stderr } = spawnSync('openssl', words, { encoding: 'utf8' });
          assert.equal(status, 0, stderr);
        }
      });
    }
  }
});
