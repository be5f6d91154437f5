/** TLS versions by the names that configs use, as the options of a SecureContext. */
import { constants } from 'node:crypto';
import type { SecureContextOptions, SecureVersion } from 'node:tls';

const VERSIONS: readonly { readonly name: SecureVersion; readonly off: number }[] = [
  { name: 'TLSv1', off: constants.SSL_OP_NO_TLSv1 },
  { name: 'TLSv1.1', off: constants.SSL_OP_NO_TLSv1_1 },
  { name: 'TLSv1.2', off: constants.SSL_OP_NO_TLSv1_2 },
  { name: 'TLSv1.3', off: constants.SSL_OP_NO_TLSv1_3 },
];

export const knownProtocols: readonly string[] = VERSIONS.map((version) => version.name);

/**
 * Exactly the versions of the list, gaps included; unknown names have been refused when the config was
 * loaded.
 */
export function protocolOptions(protocols: readonly string[] | undefined): SecureContextOptions {
  if (protocols === undefined) return {};
  const wanted = VERSIONS.filter((version) => protocols.includes(version.name));
  const [first, last] = [wanted[0], wanted.at(-1)];
  if (first === undefined || last === undefined) return {};
  const secureOptions = VERSIONS.filter((version) => !wanted.includes(version)).reduce(
    (bits, version) => bits | version.off,
    0,
  );
  return { minVersion: first.name, maxVersion: last.name, secureOptions };
}

/** OpenSSL 3 refuses the signatures of TLS 1.0 and 1.1 above security level 0. */
export function needsLegacySecurity(protocols: readonly string[] | undefined): boolean {
  return protocols !== undefined && (protocols.includes('TLSv1') || protocols.includes('TLSv1.1'));
}
