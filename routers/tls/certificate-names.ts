/**
 * The names that a certificate bears, read from what OpenSSL prints of it. A name that could be mistaken for
 * several (it holds a comma, a quote, a control character) is printed as a JSON string by Node and taken
 * apart as one here.
 */
import type { X509Certificate } from 'node:crypto';
import type { CertificateNames } from './verify-name.ts';

const NAMES_SHOWN_MAX = 8;
const NAME_LENGTH_MAX = 100;

export function certificateNames(certificate: X509Certificate): CertificateNames {
  const dnsAltNames: string[] = [];
  const ipAltNames: string[] = [];
  for (const [type, value] of altNames(certificate.subjectAltName ?? '')) {
    if (type === 'DNS') dnsAltNames.push(value);
    else if (type === 'IP Address') ipAltNames.push(value);
  }
  const cn = commonName(certificate);
  return cn === undefined ? { dnsAltNames, ipAltNames } : { cn, dnsAltNames, ipAltNames };
}

/** For error texts. The bytes come from an unverified peer: everything but printable ASCII is replaced. */
export function showNames(names: CertificateNames): string {
  const cn = names.cn === undefined ? 'no common name' : `common name "${printable(names.cn)}"`;
  const alternatives = [...names.dnsAltNames, ...(names.ipAltNames ?? [])];
  if (alternatives.length === 0) return `${cn}, no alternative names`;
  const shown = alternatives.slice(0, NAMES_SHOWN_MAX).map((name) => `"${printable(name)}"`);
  const more = alternatives.length > shown.length ? ` and ${alternatives.length - shown.length} more` : '';
  return `alternative names ${shown.join(', ')}${more}; ${cn}`;
}

export function printable(text: string): string {
  const safe = text.replace(/[^\x20-\x7e]|["\\]/g, '?');
  return safe.length > NAME_LENGTH_MAX ? `${safe.slice(0, NAME_LENGTH_MAX)}...` : safe;
}

/** Of several common names the last is the most specific. */
function commonName(certificate: X509Certificate): string | undefined {
  const subject: Readonly<Record<string, string | readonly string[] | undefined>> | undefined =
    certificate.toLegacyObject().subject;
  const cn = subject?.['CN'];
  return typeof cn === 'string' || cn === undefined ? cn : cn.at(-1);
}

function altNames(text: string): [type: string, value: string][] {
  const names: [string, string][] = [];
  // `type:value`, separated by `, `; a value in quotes is a JSON string.
  const entry = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;
  for (let match = entry.exec(text); match !== null; match = entry.exec(text)) {
    const [, type = '', value = ''] = match;
    names.push([type, unquoted(value)]);
    if (entry.lastIndex === text.length) break;
  }
  return names;
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    // Kept with its quotes: such a name equals no host name.
    return value;
  }
}
