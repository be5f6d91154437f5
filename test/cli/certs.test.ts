import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import { CertificateAuthority } from '../../src/certs.ts';
import { runProgram } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-certs-'));
after(() => rmSync(folder, { recursive: true }));

let folders = 0;
const newFolder = (): string => join(folder, `f${folders++}`);
const certs = (...words: string[]) => runProgram(['certs', ...words]);
const read = (dir: string, name: string): string => readFileSync(join(dir, name), 'utf8');
const certificate = (dir: string, name: string): X509Certificate => new X509Certificate(read(dir, name));

/** A folder with an authority. */
async function withAuthority(...words: string[]): Promise<string> {
  const dir = newFolder();
  const { code, stderr } = await certs('ca', '--dir', dir, ...words);
  assert.equal(code, 0, stderr);
  return dir;
}

describe('turnout certs ca', () => {
  it('makes an authority whose key is for its owner only, in PKCS#8', async () => {
    const dir = await withAuthority('--name', 'Mesh CA', '--days', '30');
    const ca = certificate(dir, 'ca.pem');
    assert.deepEqual([ca.ca, ca.subject, ca.publicKey.asymmetricKeyType], [true, 'CN=Mesh CA', 'ec']);
    assert.equal(Math.round((ca.validToDate.getTime() - Date.now()) / 86_400_000), 30);
    assert.equal(statSync(join(dir, 'ca.key')).mode & 0o777, 0o600);
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    assert.match(read(dir, 'ca.key'), /^-----BEGIN PRIVATE KEY-----/);
    assert.ok(ca.checkPrivateKey(createPrivateKey(read(dir, 'ca.key'))));
  });

  it('never overwrites a key, nor writes through a link', async () => {
    const dir = await withAuthority();
    const before = [read(dir, 'ca.pem'), read(dir, 'ca.key')];
    const { code, stdout, stderr } = await certs('ca', '--dir', dir);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^turnout: .*ca\.key is there already and is not overwritten; move it away or choose/,
    );
    assert.deepEqual([read(dir, 'ca.pem'), read(dir, 'ca.key')], before);
    const target = join(folder, 'target');
    symlinkSync(target, join(dir, 'web.key'));
    assert.equal((await certs('issue', 'web', '--dir', dir)).code, 1);
    assert.ok(!existsSync(target) && !existsSync(join(dir, 'web.pem')));
  });
});

describe('turnout certs issue', () => {
  it('issues a certificate with a key of its own for each name', async () => {
    const dir = await withAuthority();
    const { code, stdout } = await certs(
      'issue',
      'web',
      '10.1.2.3',
      '--dir',
      dir,
      '--san',
      'web.default.svc,::1',
    );
    assert.equal(code, 0);
    assert.match(stdout, /web\.pem: CN=web, EC P-256, 364 days left/);
    const [ca, web, ip] = ['ca.pem', 'web.pem', '10.1.2.3.pem'].map((name) => certificate(dir, name));
    assert.ok(ca && web && ip && web.verify(ca.publicKey) && ip.verify(ca.publicKey));
    assert.equal(web.subjectAltName, 'DNS:web, DNS:web.default.svc, IP Address:0:0:0:0:0:0:0:1');
    assert.match(ip.subjectAltName ?? '', /^DNS:web\.default\.svc, IP Address:10\.1\.2\.3, /);
    assert.deepEqual(web.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    assert.equal(web.ca, false);
    assert.notEqual(web.serialNumber, ip.serialNumber);
    assert.notEqual(read(dir, 'web.key'), read(dir, '10.1.2.3.key'));
    for (const name of ['web', '10.1.2.3']) {
      assert.equal(statSync(join(dir, `${name}.key`)).mode & 0o777, 0o600);
      assert.match(read(dir, `${name}.key`), /^-----BEGIN PRIVATE KEY-----/);
    }
  });

  it('makes RSA keys and wildcard names, and ends no later than the authority', async () => {
    const dir = await withAuthority('--days', '10', '--rsa');
    const { code, stdout } = await certs('issue', '*.web.io', '--dir', dir, '--rsa', '--days', '20');
    assert.equal(code, 0);
    assert.match(stdout, /It ends with its authority/);
    const issued = certificate(dir, 'wildcard.web.io.pem');
    assert.equal(issued.publicKey.asymmetricKeyType, 'rsa');
    assert.equal(issued.validTo, certificate(dir, 'ca.pem').validTo);
    assert.ok(issued.checkHost('a.web.io') !== undefined);
  });

  it('prints a Secret and nothing else on standard output', async () => {
    const dir = await withAuthority();
    const words = ['issue', 'linkerd', '--dir', dir, '--secret', 'certificates', '--namespace', 'mesh'];
    const { code, stdout, stderr } = await certs(...words);
    assert.equal(code, 0);
    assert.match(stderr, /linkerd\.key: its key/);
    const base64 = (name: string): string => Buffer.from(read(dir, name)).toString('base64');
    assert.deepEqual(parse(stdout), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'certificates', namespace: 'mesh' },
      type: 'kubernetes.io/tls',
      data: {
        'ca.crt': base64('ca.pem'),
        'tls.crt': base64('linkerd.pem'),
        'tls.key': base64('linkerd.key'),
      },
    });
  });

  it('says what it cannot do', async () => {
    const dir = await withAuthority();
    const cases: readonly (readonly [words: string[], code: number, message: RegExp])[] = [
      [['issue'], 2, /^turnout: issue needs the name .*\. Try: turnout certs issue --help$/m],
      [['issue', '../web', '--dir', dir], 2, /neither a DNS name nor an IP address: "\.\.\/web"/],
      [['issue', 'web', '--san', 'a b', '--dir', dir], 2, /neither a DNS name nor an IP address: "a b"/],
      [['issue', 'a'.repeat(65), '--dir', dir], 2, /at most 64 characters, not 65/],
      [
        ['issue', 'web', '--days', '0', '--dir', dir],
        2,
        /--days takes a number of days from 1 to 36500, not 0/,
      ],
      [['issue', 'web', 'api', '--secret', 'x', '--dir', dir], 2, /--secret takes one NAME only/],
      [['issue', 'web', '--secret', 'X', '--dir', dir], 2, /lower-case letters/],
      [['issue', 'web', '--namespace', 'x', '--dir', dir], 2, /--namespace is for --secret/],
      [['issue', 'web', '--dir', newFolder()], 1, /no certificate authority: .*turnout certs ca/],
      [['issue', 'web', '--dir', dir, '--ca', '/dev/null'], 1, /no certificate in \/dev\/null/],
    ];
    for (const [words, code, message] of cases) {
      const result = await certs(...words);
      assert.match(result.stderr, message);
      assert.deepEqual([result.code, result.stdout], [code, '']);
    }
    assert.ok(!existsSync(join(dir, 'web.key')) && !existsSync(join(dir, 'web.pem')));
  });

  it('refuses an authority that is none, is over, or whose key is another', async () => {
    const dir = await withAuthority();
    const expired = await CertificateAuthority.create({
      commonName: 'old',
      notAfter: new Date('2020-01-01'),
    });
    const other = await CertificateAuthority.create({ commonName: 'other' });
    const leaf = await other.issue({ commonName: 'leaf' });
    const cases: readonly (readonly [cert: string, key: string, message: RegExp])[] = [
      [expired.certPem, expired.keyPem, /cannot issue: EXPIRED/],
      [leaf.certPem, leaf.keyPem, /cannot issue: its certificate is not that of an authority/],
      [other.certPem, leaf.keyPem, /cannot issue: its key does not belong to its certificate/],
    ];
    for (const [certPem, keyPem, message] of cases) {
      writeFileSync(join(dir, 'x.pem'), certPem);
      writeFileSync(join(dir, 'x.key'), keyPem);
      const words = ['--dir', dir, '--ca', join(dir, 'x.pem'), '--ca-key', join(dir, 'x.key')];
      const { code, stderr } = await certs('issue', 'web', ...words);
      assert.equal(code, 1);
      assert.match(stderr, message);
    }
  });

  it('issues below an intermediate authority, with the chain behind the certificate', async () => {
    const dir = newFolder();
    await certs('ca', '--dir', dir);
    const root = await CertificateAuthority.create({ commonName: 'root' });
    const middle = await root.intermediate({ commonName: 'middle' });
    writeFileSync(join(dir, 'm.pem'), middle.certPem + root.certPem);
    writeFileSync(join(dir, 'm.key'), middle.keyPem);
    writeFileSync(join(dir, 'root.pem'), root.certPem);
    const by = ['--ca', join(dir, 'm.pem'), '--ca-key', join(dir, 'm.key')];
    assert.equal((await certs('issue', 'web', '--dir', dir, ...by)).code, 0);
    assert.equal(read(dir, 'web.pem').match(/BEGIN CERTIFICATE/g)?.length, 2);
    const verdict = await certs(
      'verify',
      join(dir, 'web.pem'),
      '--ca',
      join(dir, 'root.pem'),
      '--name',
      'web',
    );
    assert.equal(verdict.code, 0, verdict.stderr);
  });

  if (spawnSync('openssl', ['version']).error === undefined) {
    const openssl = (...words: string[]) => {
      const { status, stderr } = spawnSync('openssl', words, { encoding: 'utf8', cwd: folder });
      assert.equal(status, 0, stderr);
    };

    it('satisfies openssl, below its own authorities and below those that openssl made', async () => {
      const dir = await withAuthority();
      await certs('issue', 'web', '--dir', dir);
      for (const purpose of ['sslserver', 'sslclient']) {
        const trust = ['-CAfile', join(dir, 'ca.pem')];
        openssl('verify', '-x509_strict', '-purpose', purpose, ...trust, join(dir, 'web.pem'));
      }
      const name = ['-subj', '/C=US/O=A, B/CN=My CA'];
      openssl('req', '-x509', '-nodes', '-newkey', 'rsa:2048', ...name, '-keyout', 'o.key', '-out', 'o.pem');
      const by = ['--ca', join(folder, 'o.pem'), '--ca-key', join(folder, 'o.key')];
      const { code, stderr } = await certs('issue', 'api', '--dir', dir, ...by);
      assert.equal(code, 0, stderr);
      openssl('verify', '-purpose', 'sslserver', '-CAfile', 'o.pem', join(dir, 'api.pem'));
    });
  }
});

describe('turnout certs inspect', () => {
  it('shows names, issuer, dates, key type, usage and fingerprint, and of keys whose they are', async () => {
    const dir = await withAuthority();
    await certs('issue', 'web', '--dir', dir, '--san', '10.0.0.1');
    const all = join(dir, 'all.pem');
    writeFileSync(all, read(dir, 'web.pem') + read(dir, 'ca.pem') + read(dir, 'web.key'));
    const { code, stdout } = await certs('inspect', all);
    assert.equal(code, 0);
    const { fingerprint256, serialNumber } = certificate(dir, 'web.pem');
    for (const line of [
      /certificate 1 of 2$/m,
      /^ {2}names {4}web, 10\.0\.0\.1$/m,
      /^ {2}issuer {3}CN=Turnout CA \(certificate 2\)$/m,
      /^ {2}issuer {3}CN=Turnout CA \(self-signed\)$/m,
      /^ {2}valid .*, 364 days left$/m,
      /^ {2}key {6}EC P-256$/m,
      /^ {2}usage {4}server, client$/m,
      /^ {2}usage {4}authority$/m,
      new RegExp(`${fingerprint256}$`, 'm'),
      new RegExp(`${serialNumber}$`, 'm'),
      /a private key, EC P-256, of certificate 1$/m,
    ]) {
      assert.match(stdout, line);
    }
    assert.ok(!stdout.includes('BEGIN'));
  });

  it('reads standard input, and shows dates that are over and names that would confuse a terminal', async () => {
    const root = await CertificateAuthority.create({ commonName: 'a\u001b[31mb' });
    const dates = { notBefore: new Date('2019-01-01'), notAfter: new Date('2020-01-01') };
    const { certPem } = await root.issue({ commonName: 'web', ...dates });
    const { code, stdout } = await runProgram(['certs', 'inspect', '-'], certPem);
    assert.equal(code, 0);
    assert.match(stdout, /EXPIRED \d+ days ago/);
    assert.ok(!stdout.includes('\u001b'));
  });

  it('says that a file has no certificate or is not there', async () => {
    const empty = join(folder, 'empty.pem');
    writeFileSync(empty, 'hello');
    const nothing = await certs('inspect', empty);
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /^turnout: no certificate in .*empty\.pem; expected PEM/);
    const absent = await certs('inspect', join(folder, 'absent.pem'));
    assert.match(absent.stderr, /^turnout: cannot read .*absent\.pem: no such file$/m);
  });
});

describe('turnout certs verify', () => {
  it('checks every certificate of a folder, with its key', async () => {
    const dir = await withAuthority();
    await certs('issue', 'web', 'api', '--dir', dir, '--san', 'mesh');
    const good = await certs('verify', '--dir', dir, '--name', 'mesh');
    assert.deepEqual([good.code, good.stderr], [0, '']);
    assert.match(good.stdout, /api\.pem: ok: CN=api, by CN=Turnout CA, 364 days left\n.*web\.pem: ok/);
    writeFileSync(join(dir, 'web.key'), read(dir, 'api.key'));
    const bad = await certs('verify', '--dir', dir, '--name', 'web');
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /api\.pem: wrong name: it is not for "web" \(alternative names "api", "mesh"/);
    assert.match(bad.stderr, /web\.pem: the key does not belong to it$/m);
  });

  it('says that there is nothing to verify', async () => {
    const dir = await withAuthority();
    const { code, stderr } = await certs('verify', '--dir', dir);
    assert.equal(code, 1);
    assert.match(stderr, /no certificate to verify/);
  });
});
