/** `turnout certs ca` and `turnout certs issue`: new certificates and keys as files. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { CertificateAuthority, type Issued, type KeyType } from '../certs.ts';
import { Mistake } from '../command.ts';
import { type AuthorityFiles, authorityFiles, loadAuthority } from './authority-files.ts';
import { ageOf, DAY_MS, keyType } from './describe.ts';
import { refuseExisting, writeNew } from './new-files.ts';

/** What is written, in words, and the material itself. */
export type Made = { readonly report: string; readonly issued: Issued & { readonly caPem: string } };

export type AuthorityWish = {
  readonly folder: string;
  readonly commonName: string;
  readonly days: number;
  readonly keyType: KeyType;
};

export type IssueWish = {
  readonly folder: string;
  readonly names: readonly string[];
  readonly alternatives: readonly string[];
  readonly days: number;
  readonly keyType: KeyType;
  readonly authority: AuthorityFiles;
};

/** RFC 5280: ub-common-name. */
const COMMON_NAME_CHARS_MAX = 64;
const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/i;

export async function makeAuthority({ folder, commonName, days, keyType }: AuthorityWish): Promise<Made> {
  checkCommonName(commonName);
  const { certFile, keyFile } = authorityFiles(folder);
  refuseExisting([keyFile, certFile]);
  const { certPem, keyPem } = await CertificateAuthority.create({
    commonName,
    keyType,
    notAfter: inDays(days),
  });
  writeNew([
    { path: keyFile, text: keyPem, secret: true },
    { path: certFile, text: certPem },
  ]);
  const advice = `${keyFile} must stay secret: whoever has it can pass for any name.\n`;
  return {
    report: reportOf(certFile, keyFile, certPem) + advice,
    issued: { certPem, keyPem, caPem: certPem },
  };
}

/** One certificate a name, each with a key of its own; the alternatives stand in all of them. */
export async function issueAll(wish: IssueWish): Promise<readonly Made[]> {
  const { folder, names, alternatives, days, keyType } = wish;
  for (const name of names) checkCommonName(name);
  const alternativeNames = [...names, ...alternatives];
  for (const name of alternativeNames) checkHost(name);
  const files = names.map((name) => {
    const base = join(folder, name.replace('*', 'wildcard'));
    return { name, certFile: `${base}.pem`, keyFile: `${base}.key` };
  });
  const { authority, notAfter } = loadAuthority(wish.authority, Date.now());
  refuseExisting(files.flatMap(({ certFile, keyFile }) => [keyFile, certFile]));
  const end = new Date(Math.min(inDays(days).getTime(), notAfter.getTime()));
  const made: Made[] = [];
  for (const { name, certFile, keyFile } of files) {
    const own = [...new Set([name, ...alternatives])];
    const issued = await authority.issue({
      commonName: name,
      dnsNames: own.filter((one) => isIP(one) === 0),
      ipAddresses: own.filter((one) => isIP(one) !== 0),
      keyType,
      notAfter: end,
    });
    const certPem = issued.certPem + authority.intermediatesPem;
    writeNew([
      { path: keyFile, text: issued.keyPem, secret: true },
      { path: certFile, text: certPem },
    ]);
    const capped = end.getTime() === notAfter.getTime() ? 'It ends with its authority.\n' : '';
    made.push({
      report: reportOf(certFile, keyFile, certPem) + capped,
      issued: { certPem, keyPem: issued.keyPem, caPem: authority.certPem },
    });
  }
  return made;
}

function reportOf(certFile: string, keyFile: string, certPem: string): string {
  const certificate = new X509Certificate(certPem);
  const { publicKey, subject } = certificate;
  const summary = `${subject}, ${keyType(publicKey)}, ${ageOf(certificate, Date.now())}`;
  return `${certFile}: ${summary}\n${keyFile}: its key\n`;
}

function checkCommonName(name: string): void {
  if (name.length > COMMON_NAME_CHARS_MAX) {
    throw new Mistake(
      `a common name has at most ${COMMON_NAME_CHARS_MAX} characters, not ${name.length}: ` +
        `${name}; give a short one and the long one as --san`,
    );
  }
  if (/\p{Cc}/u.test(name) || name.trim() === '') throw new Mistake(`a name cannot be "${name}"`);
}

function checkHost(name: string): void {
  if (isIP(name) !== 0 || (HOST.test(name) && name.length <= 253)) return;
  throw new Mistake(`neither a DNS name nor an IP address: "${name}"`);
}

const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);
