/**
 * The `tls` objects of servers and clients. What contradicts itself is refused here; files are read by
 * whoever uses them.
 */
import { bool, int, list, nonEmpty, object, oneOf, optional, required, withDefault } from './decode.ts';
import type { ObjectValue } from './value.ts';
import { entryOf, get } from './value.ts';

const protocols = list(
  oneOf(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']),
  'name at least one version, or leave "protocols" out',
);

export const serverTls = object({
  certPath: required(nonEmpty),
  keyPath: required(nonEmpty),
  intermediateCertsPath: optional(nonEmpty),
  caCertPath: optional(nonEmpty),
  ciphers: optional(list(nonEmpty, 'name at least one cipher suite, or leave "ciphers" out')),
  requireClientAuth: withDefault(bool, false),
  protocols: optional(protocols),
  certDrainSecs: optional(int(1)),
});

const clientAuth = object({
  certPath: required(nonEmpty),
  keyPath: required(nonEmpty),
  intermediateCertsPath: optional(nonEmpty),
});

/**
 * `refuse: true` stands alone: it is what becomes of the old strict `boundPath`. A missing `commonName` is no
 * mistake of the object itself (linkerd fails only when such a client is made); config/checks reports it for
 * whole files.
 */
export const clientTls = object(
  {
    enabled: withDefault(bool, true),
    disableValidation: withDefault(bool, false),
    commonName: optional(nonEmpty),
    trustCerts: optional(list(nonEmpty, 'name at least one file, or leave "trustCerts" out')),
    trustCertsBundle: optional(nonEmpty),
    clientAuth: optional(clientAuth),
    protocols: optional(protocols),
    certDrainSecs: optional(int(1)),
    refuse: optional(bool),
  },
  (value, decoded, path, { diagnostics }) => {
    const auth = entryOf(value, 'clientAuth');
    if (decoded.disableValidation === true && get(value, 'clientAuth') !== undefined && auth !== undefined) {
      const message = 'disableValidation: true is incompatible with clientAuth';
      diagnostics.error('conflict', auth.keyAt, path, message);
    }
    if (decoded.refuse === true && givenKeys(value).length > 1) {
      diagnostics.error('conflict', value.at, path, '"refuse: true" stands alone in a "tls" object');
    }
  },
);

function givenKeys(value: ObjectValue): readonly string[] {
  return value.entries.filter((entry) => entry.value.type !== 'null').map((entry) => entry.key);
}
