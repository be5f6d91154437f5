/**
 * One SecureContext for each identity and trust bundle of a data thread: making one parses keys and
 * certificates, a fifth of the cost of a handshake, and holds native memory until the next collection. Found
 * again by value, so two entries of a config with the same files share one.
 */
import { createHash } from 'node:crypto';
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
import { needsLegacySecurity, protocolOptions } from './protocol-versions.ts';
import type { ClientTlsMaterial } from './tls-material.ts';

const CONTEXTS_MAX = 1000;

export class SecureContexts {
  readonly #byDigest = new Map<string, SecureContext>();

  /** How many contexts are held. */
  get size(): number {
    return this.#byDigest.size;
  }

  client(material: ClientTlsMaterial): SecureContext {
    const digest = createHash('sha256').update(JSON.stringify(material)).digest('base64');
    const known = this.#byDigest.get(digest);
    // Put back last: the first of the map is the one that was asked for longest ago.
    this.#byDigest.delete(digest);
    const context = known ?? createSecureContext(clientContextOptions(material));
    this.#byDigest.set(digest, context);
    if (this.#byDigest.size > CONTEXTS_MAX) {
      for (const oldest of this.#byDigest.keys()) {
        this.#byDigest.delete(oldest);
        break;
      }
    }
    return context;
  }
}

export function clientContextOptions(material: ClientTlsMaterial): SecureContextOptions {
  const { identity, trustPem } = material;
  return {
    ...protocolOptions(material.protocols),
    ...(needsLegacySecurity(material.protocols) ? { ciphers: 'DEFAULT:@SECLEVEL=0' } : {}),
    ...(identity === undefined ? {} : { cert: identity.certPem, key: identity.keyPem }),
    ...(material.disableValidation ? {} : trustOptions(trustPem)),
  };
}

/**
 * A given certificate is trusted as it is, an intermediate one too, as by a Java program; without any, the
 * system's.
 */
export function trustOptions(pem: string | undefined): SecureContextOptions {
  return pem === undefined ? { ca: systemTrust() } : { ca: pem, allowPartialTrustChain: true };
}

/** The machine's trust store and the one that Node brings along, as a Java program's store would be. */
function systemTrust(): string[] {
  return [...new Set([...getCACertificates('system'), ...getCACertificates('default')])];
}
