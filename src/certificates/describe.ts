/** Certificates in words, for the commands. Names may come from anybody: only printable ASCII is shown. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { certificateNames, printable } from '../../routers/tls/certificate-names.ts';

export const DAY_MS = 24 * 3_600_000;

const EXTENDED_USAGE: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'server',
  '1.3.6.1.5.5.7.3.2': 'client',
  '1.3.6.1.5.5.7.3.3': 'code signing',
  '1.3.6.1.5.5.7.3.4': 'e-mail',
  '1.3.6.1.5.5.7.3.9': 'OCSP signing',
  '2.5.29.37.0': 'any',
};

/** The lines of one certificate of a file; `others` are all certificates of the file. */
export function describeCertificate(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  nowMs: number,
): string[] {
  const { dnsAltNames, ipAltNames = [] } = certificateNames(certificate);
  const names = [...dnsAltNames, ...ipAltNames].map(printable);
  const rows: readonly (readonly [string, string])[] = [
    ['subject', subjectOf(certificate)],
    ['names', names.length > 0 ? names.join(', ') : 'none besides the common name'],
    ['issuer', `${oneLine(certificate.issuer)}${whereIssuer(certificate, others)}`],
    [
      'valid',
      `${day(certificate.validFromDate)} to ${day(certificate.validToDate)}, ${ageOf(certificate, nowMs)}`,
    ],
    ['key', keyType(certificate.publicKey)],
    ['usage', usageOf(certificate)],
    ['serial', certificate.serialNumber],
    ['SHA-256', certificate.fingerprint256],
  ];
  return rows.map(([label, value]) => `  ${label.padEnd(8)} ${value}`);
}

export function subjectOf(certificate: X509Certificate): string {
  return oneLine(certificate.subject) || '(empty)';
}

export function issuerOf(certificate: X509Certificate): string {
  return oneLine(certificate.issuer) || '(empty)';
}

export function isValidAt(certificate: X509Certificate, nowMs: number): boolean {
  return certificate.validFromDate.getTime() <= nowMs && nowMs <= certificate.validToDate.getTime();
}

/** `364 days left`, `EXPIRED 3 days ago`, `NOT VALID before ...`. */
export function ageOf(certificate: X509Certificate, nowMs: number): string {
  const fromMs = certificate.validFromDate.getTime();
  const toMs = certificate.validToDate.getTime();
  if (nowMs < fromMs) return `NOT VALID before ${certificate.validFromDate.toISOString()}`;
  if (nowMs > toMs) return `EXPIRED ${days(nowMs - toMs)} ago`;
  return `${days(toMs - nowMs)} left`;
}

export function keyType(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec':
      return `EC ${namedCurve === 'prime256v1' ? 'P-256' : (namedCurve ?? '')}`;
    case 'rsa':
      return `RSA ${modulusLength ?? ''}`;
    default:
      return key.asymmetricKeyType ?? 'unknown';
  }
}

function usageOf(certificate: X509Certificate): string {
  if (certificate.ca) return 'authority';
  // What Node calls keyUsage is the extended one; a certificate without it may be used for everything.
  const usage: readonly string[] | undefined = certificate.keyUsage;
  return usage === undefined ? 'not limited' : usage.map((oid) => EXTENDED_USAGE[oid] ?? oid).join(', ');
}

function whereIssuer(certificate: X509Certificate, others: readonly X509Certificate[]): string {
  if (isSelfSigned(certificate)) return ' (self-signed)';
  const issuer = others.findIndex((other) => isIssuedBy(certificate, other));
  return issuer === -1 ? ' (not in this file)' : ` (certificate ${issuer + 1})`;
}

export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate);
}

export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

const oneLine = (name: string): string => printable((name ?? '').replaceAll('\n', ', '));
const day = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');
const days = (ms: number): string => {
  const count = Math.floor(ms / DAY_MS);
  return `${count} day${count === 1 ? '' : 's'}`;
};
