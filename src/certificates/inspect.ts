/** What a PEM file holds, in words; of a private key only its type and whose it is. */
import { CannotRun } from '../command.ts';
import { describeCertificate, keyType } from './describe.ts';
import { readPem } from './pem.ts';

/** Throws CannotRun. */
export function inspectFile(file: string, nowMs: number): string {
  const { certificates, keys } = readPem(file);
  if (certificates.length + keys.length === 0) {
    throw new CannotRun(`no certificate in ${file}; expected PEM, "-----BEGIN CERTIFICATE-----"`);
  }
  const lines = certificates.flatMap((certificate, i) => [
    `${file}: certificate ${i + 1} of ${certificates.length}`,
    ...describeCertificate(certificate, certificates, nowMs),
    '',
  ]);
  for (const key of keys) {
    const owner = certificates.findIndex((certificate) => certificate.checkPrivateKey(key));
    const whose = owner === -1 ? '' : `, of certificate ${owner + 1}`;
    lines.push(`${file}: a private key, ${keyType(key)}${whose}`, '');
  }
  return lines.slice(0, -1).join('\n').concat('\n');
}
