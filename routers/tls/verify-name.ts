/**
 * Does a certificate belong to the name that a client expects? RFC 9525 with the older fallback of RFC 6125:
 * the subject alternative names decide; the common name counts only when there is no DNS name among them. An
 * IP address is matched by IP alternative names and nothing else. Pure; the chain is not looked at here.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

export type CertificateNames = {
  readonly cn?: string;
  readonly dnsAltNames: readonly string[];
  readonly ipAltNames?: readonly string[];
};

export function verifyPeerName(serverName: string, names: CertificateNames): boolean {
  if (isIP(serverName) !== 0) {
    const expected = canonicalIp(serverName);
    return (names.ipAltNames ?? []).some((ip) => canonicalIp(ip) === expected);
  }
  const expected = canonicalName(/[^\0-\x7f]/.test(serverName) ? domainToASCII(serverName) : serverName);
  if (expected === '') return false;
  if (names.dnsAltNames.length > 0) return names.dnsAltNames.some((name) => matches(expected, name));
  return names.cn !== undefined && matches(expected, names.cn);
}

/**
 * A wildcard is a whole left-most label, stands for exactly one label, and needs two labels after it: `*` and
 * `*.com` would speak for everyone.
 */
function matches(expected: string, presented: string): boolean {
  const name = canonicalName(presented);
  if (name === expected) return true;
  if (!name.startsWith('*.')) return false;
  const suffix = name.slice(1);
  if (suffix.includes('*') || suffix.indexOf('.', 1) === -1) return false;
  const dot = expected.indexOf('.');
  return dot > 0 && expected.slice(dot) === suffix;
}

/** Lower case, without the root's dot. A certificate bears international names in their ASCII form. */
function canonicalName(name: string): string {
  const relative = name.endsWith('.') ? name.slice(0, -1) : name;
  return relative.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function canonicalIp(ip: string): string {
  return isIP(ip) === 6 ? new URL(`http://[${ip}]`).hostname : ip;
}
