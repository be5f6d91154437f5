/**
 * The options of a TLS listener from the material of a server. Call it once a listener, not once a
 * connection.
 */
import type { TlsOptions } from 'node:tls';
import { opensslCipher, protocolsFor } from './cipher-names.ts';
import { needsLegacySecurity, protocolOptions } from './protocol-versions.ts';
import { trustOptions } from './secure-contexts.ts';
import type { ServerTlsMaterial } from './tls-material.ts';

/** For `tls.createServer`, which makes one SecureContext of it and refuses clients as it is told here. */
export function serverTlsOptions(material: ServerTlsMaterial): TlsOptions {
  const { requireClientAuth } = material;
  return {
    cert: material.identity.certPem,
    key: material.identity.keyPem,
    ...protocolOptions(protocolsFor(material.ciphers, material.protocols)),
    ...cipherOptions(material),
    requestCert: requireClientAuth,
    rejectUnauthorized: requireClientAuth,
    ...(requireClientAuth ? trustOptions(material.clientCaPem) : {}),
  };
}

function cipherOptions(material: ServerTlsMaterial): TlsOptions {
  const legacy = needsLegacySecurity(material.protocols) ? ':@SECLEVEL=0' : '';
  if (material.ciphers === undefined) return legacy === '' ? {} : { ciphers: `DEFAULT${legacy}` };
  const names = material.ciphers.map((name) => opensslCipher(name)).filter((name) => name !== undefined);
  // Ephemeral Diffie-Hellman over integers needs parameters; `auto` sizes them to the key.
  const dhparam = names.some((name) => name.startsWith('DHE-')) ? { dhparam: 'auto' } : {};
  return { ciphers: names.join(':') + legacy, honorCipherOrder: true, ...dhparam };
}
