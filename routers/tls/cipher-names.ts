/**
 * Cipher suites by the names that configs use (IANA, as Java prints them) to the names that OpenSSL knows.
 * Suites of TLS 1.3 have one name everywhere; OpenSSL's own names are accepted as they are.
 */
import { getCiphers } from 'node:tls';

const TLS13 = /^TLS_(AES_(128|256)_(GCM|CCM(_8)?)|CHACHA20_POLY1305)_SHA(256|384)$/;

const DEFAULT_PROTOCOLS = ['TLSv1.2', 'TLSv1.3'];

/** Suites that authenticate by a shared secret: a certificate cannot serve them. */
const WITHOUT_CERTIFICATE = /PSK|SRP/;

/**
 * OpenSSL's name, or undefined when this build of OpenSSL has no such suite for a server with a certificate.
 */
export function opensslCipher(name: string): string | undefined {
  if (WITHOUT_CERTIFICATE.test(name)) return undefined;
  const candidate = TLS13.test(name) ? name : name.includes('_WITH_') ? fromIana(name) : name;
  return getCiphers().includes(candidate.toLowerCase()) ? candidate : undefined;
}

/**
 * The versions that a list of suites leaves usable: suites of TLS 1.3 work in no older version, and the
 * others not in TLS 1.3. Empty when list and versions contradict each other.
 */
export function protocolsFor(
  ciphers: readonly string[] | undefined,
  protocols: readonly string[] | undefined,
): readonly string[] | undefined {
  if (ciphers === undefined) return protocols;
  const newest = ciphers.some((name) => TLS13.test(name));
  const older = ciphers.some((name) => !TLS13.test(name));
  return (protocols ?? DEFAULT_PROTOCOLS).filter((name) => (name === 'TLSv1.3' ? newest : older));
}

function fromIana(name: string): string {
  const [exchange = '', suite = ''] = name.replace(/^(TLS|SSL)_/, '').split('_WITH_');
  // Plain RSA key exchange has no prefix in OpenSSL's names.
  const prefix = exchange === 'RSA' ? '' : `${exchange.replaceAll('_', '-').replace('DH-anon', 'ADH')}-`;
  return prefix + opensslSuite(suite);
}

function opensslSuite(suite: string): string {
  if (suite.startsWith('CHACHA20_POLY1305')) return 'CHACHA20-POLY1305';
  if (suite.startsWith('3DES_EDE_CBC')) return 'DES-CBC3-SHA';
  return suite
    .replace(/^(AES|CAMELLIA|ARIA)_(\d+)/, '$1$2')
    .replace('_CBC', '')
    .replace('_CCM_8', '_CCM8')
    .replaceAll('_', '-');
}
