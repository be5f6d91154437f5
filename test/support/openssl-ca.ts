/** An authority and certificates as people make them with the openssl command, by the recipes of the time. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Issued } from '../../src/certs.ts';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const CONFIG = `
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
policy = anything
unique_subject = no
[anything]
commonName = supplied
[for_clients]
extendedKeyUsage = clientAuth
[for_servers]
extendedKeyUsage = serverAuth
[for_lists]
keyUsage = cRLSign
[unknown]
1.2.3.4.5 = critical, ASN1:UTF8String:hello
[req]
distinguished_name = dn
[dn]
`;

export class OpensslCa {
  readonly folder = mkdtempSync(join(tmpdir(), 'turnout-openssl-'));
  readonly certPem: string;

  /** `openssl req -x509`, RSA 2048. */
  constructor() {
    writeFileSync(join(this.folder, 'ca.cnf'), CONFIG);
    writeFileSync(join(this.folder, 'index.txt'), '');
    writeFileSync(join(this.folder, 'serial'), '1000\n');
    const subject = ['-subj', '/CN=classic authority', '-days', '30'];
    this.#run(
      'req',
      '-x509',
      '-nodes',
      '-newkey',
      'rsa:2048',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      ...subject,
    );
    this.certPem = this.#read('ca.pem');
  }

  /** `openssl ca`, with a common name and nothing else; the key is PKCS#8 as openssl writes it. */
  issue(commonName: string, more: { readonly extensions?: string; readonly key?: string } = {}): Issued {
    const key = ['-newkey', more.key ?? 'rsa:2048'];
    const subject = ['-subj', `/CN=${commonName}`];
    this.#run(
      'req',
      '-new',
      '-nodes',
      '-config',
      'ca.cnf',
      ...key,
      '-keyout',
      'key.pem',
      '-out',
      'csr',
      ...subject,
    );
    const extensions = more.extensions === undefined ? [] : ['-extensions', more.extensions];
    this.#run(
      'ca',
      '-batch',
      '-config',
      'ca.cnf',
      '-in',
      'csr',
      '-out',
      'cert.pem',
      '-notext',
      ...extensions,
    );
    return { certPem: this.#read('cert.pem'), keyPem: this.#read('key.pem') };
  }

  /** The same key in the form that starts with `BEGIN RSA PRIVATE KEY`. */
  pkcs1(keyPem: string): string {
    writeFileSync(join(this.folder, 'any.key'), keyPem);
    this.#run('rsa', '-in', 'any.key', '-traditional', '-out', 'pkcs1.key');
    return this.#read('pkcs1.key');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  #run(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
  }
}
