/** The certificates in the files that a configuration names, for the admin pages. Keys are not looked at. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LinkerSpec } from '../config/spec.ts';
import { certificateNames, printable } from '../routers/tls/certificate-names.ts';
import type { CertificateList, ShownCertificate } from './admin/sources.ts';
import { issuerOf, keyType, subjectOf } from './certificates/describe.ts';
import { tlsSections } from './tls-sections.ts';

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** As the files are now. */
export async function listCertificates(spec: LinkerSpec): Promise<CertificateList> {
  const users = new Map<string, string[]>();
  for (const { place, files } of tlsSections(spec)) {
    for (const file of files) users.set(file, [...(users.get(file) ?? []), place]);
  }
  const certificates: ShownCertificate[] = [];
  const problems: { file: string; problem: string }[] = [];
  for (const [file, usedBy] of users) {
    try {
      const pems = (await readFile(file, 'latin1')).match(PEM) ?? [];
      certificates.push(...pems.map((pem) => shown(new X509Certificate(pem), file, usedBy)));
    } catch (error) {
      problems.push({ file, problem: error instanceof Error ? error.message : String(error) });
    }
  }
  return { certificates, problems };
}

function shown(certificate: X509Certificate, file: string, usedBy: readonly string[]): ShownCertificate {
  const { dnsAltNames, ipAltNames = [] } = certificateNames(certificate);
  return {
    file,
    usedBy,
    subject: subjectOf(certificate),
    issuer: issuerOf(certificate),
    names: [...dnsAltNames, ...ipAltNames].map(printable),
    notBefore: certificate.validFromDate.toISOString(),
    notAfter: certificate.validToDate.toISOString(),
    key: keyType(certificate.publicKey),
    fingerprint256: certificate.fingerprint256,
  };
}
