/**
 * `x-forwarded-client-cert`: which certificate the caller presented, e.g.
 * `Hash=9BA61D...;SAN=spiffe://cluster/ns/prod;DNS=web;Subject="CN=web,O=acme"`. Made once a connection.
 * Values come out of a certificate that anyone may have written: whatever could pass for another element is
 * percent-encoded, in the subject escaped.
 */
import { createHash, type X509Certificate } from 'node:crypto';

const HEADER = 'x-forwarded-client-cert';

export type CertificateInfo = Pick<X509Certificate, 'raw' | 'subject' | 'subjectAltName'>;

/** `certificate` is `tlsSocket.getPeerX509Certificate()`. */
export function clientCertValue(certificate: CertificateInfo): string {
  let value = `Hash=${createHash('sha256').update(certificate.raw).digest('hex').toUpperCase()}`;
  for (const [type, name] of alternativeNames(certificate.subjectAltName ?? '')) {
    if (type === 'URI') value += `;SAN=${encoded(name)}`;
    else if (type === 'DNS') value += `;DNS=${encoded(name)}`;
  }
  const subject = subjectName(certificate.subject ?? '');
  return subject === '' ? value : `${value};Subject="${subject}"`;
}

/** Node's text: `DNS:web, URI:spiffe://x`; a value with unusual characters is a JSON string. */
function alternativeNames(text: string): [string, string][] {
  const names: [string, string][] = [];
  const entry = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;
  for (let match = entry.exec(text); match !== null; match = entry.exec(text)) {
    const [, type, value] = match as unknown as [string, string, string];
    names.push([type, value.startsWith('"') ? unquoted(value) : value]);
  }
  return names;
}

function unquoted(json: string): string {
  try {
    return String(JSON.parse(json));
  } catch {
    return json;
  }
}

function encoded(name: string): string {
  return name.replace(/[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+%]/gu, (character) =>
    [...Buffer.from(character, 'utf8')]
      .map((b) => `%${b.toString(16).padStart(2, '0').toUpperCase()}`)
      .join(''),
  );
}

/**
 * Node prints one attribute a line, in the order of the certificate and already escaped; RFC 2253 has them in
 * reverse order with commas. Inside our quotes a quote stands after a backslash, as RFC 2253 writes it
 * anyway.
 */
function subjectName(lines: string): string {
  const name = lines
    .split('\n')
    .filter((line) => line !== '')
    .reverse()
    .join(',');
  const bytes = Buffer.from(name, 'utf8').toString('latin1');
  return bytes
    .replace(/[^\x20-\x7e\x80-\xff]/g, '?')
    .replace(/(\\.)|["\\]/g, (bare: string, escaped?: string) => escaped ?? `\\${bare}`);
}

/**
 * `forward`: the client's `forwardClientCert`; `received`: the incoming fields; `presented`: of this
 * connection.
 */
export function appendClientCert(
  out: string,
  forward: boolean,
  received: string | undefined,
  presented: string | undefined,
): string {
  if (!forward) return out;
  const value = presented ?? received;
  return value === undefined ? out : `${out}${HEADER}: ${value}\r\n`;
}
