/**
 * Reads the files that a TLS section of the config names, on the control thread, and checks everything that
 * can be wrong with them before a socket is opened: missing file, not PEM, key and certificate that do not
 * belong together, encrypted key, unknown cipher or protocol. All errors of a section are returned at once.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { ClientTlsSpec, ServerTlsSpec } from '../../config/spec.ts';
import { printable } from './certificate-names.ts';
import { opensslCipher, protocolsFor } from './cipher-names.ts';
import { knownProtocols } from './protocol-versions.ts';
import { clientContextOptions } from './secure-contexts.ts';
import { serverTlsOptions } from './server-tls.ts';
import type { ClientTlsMaterial, IdentityMaterial, ServerTlsMaterial } from './tls-material.ts';

/** Each error names the key of the section and the file: `certPath: cannot read "/x.pem": no such file`. */
export type Loaded<T> =
  | { readonly ok: true; readonly value: T; readonly certificates: readonly CertificateFile[] }
  | {
      readonly ok: false;
      readonly errors: readonly string[];
      /** Those of `errors` that say that a file could not be read at all. */
      readonly unreadable: readonly string[];
    };

/** A file with certificates of a section, by its key of the section. */
export type CertificateFile = {
  readonly key: string;
  readonly path: string;
  /** When the first of its certificates expires. */
  readonly expiresMs: number;
  /** Its subject, on one line. */
  readonly subject: string;
};

type IdentityPaths = {
  readonly certPath: string;
  readonly keyPath: string;
  readonly intermediateCertsPath?: string;
};

const FILE_BYTES_MAX = 4 * 1024 * 1024;
const CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

const CERTIFICATE_BEGIN = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE/g;

export function loadServerTls(spec: ServerTlsSpec): Loaded<ServerTlsMaterial> {
  const files = new PemFiles();
  const identity = files.identity('', spec);
  const clientCaPem = files.bundle('caCertPath', spec.caCertPath);
  files.protocols(spec.protocols);
  for (const cipher of spec.ciphers ?? []) {
    if (opensslCipher(cipher) === undefined) {
      files.errors.push(`ciphers: "${cipher}" is not a cipher suite of this build of OpenSSL`);
    }
  }
  if (spec.ciphers !== undefined && protocolsFor(spec.ciphers, spec.protocols)?.length === 0) {
    files.errors.push('ciphers: none of the listed suites belongs to a protocol that is on (see protocols)');
  }
  const material: ServerTlsMaterial = {
    identity,
    requireClientAuth: spec.requireClientAuth,
    ...(clientCaPem === undefined ? {} : { clientCaPem }),
    ...(spec.ciphers === undefined ? {} : { ciphers: spec.ciphers }),
    ...(spec.protocols === undefined ? {} : { protocols: spec.protocols }),
  };
  return files.result(material, () => createSecureContext(serverTlsOptions(material)));
}

/** For a section that is enabled; the common name is not part of it, because it may hold captures. */
export function loadClientTls(spec: ClientTlsSpec): Loaded<ClientTlsMaterial> {
  const files = new PemFiles();
  const trust = [
    ...(spec.trustCerts ?? []).map((path) => files.bundle('trustCerts', path)),
    files.bundle('trustCertsBundle', spec.trustCertsBundle),
  ].filter((pem) => pem !== undefined);
  const identity = spec.clientAuth && files.identity('clientAuth.', spec.clientAuth);
  files.protocols(spec.protocols);
  const material: ClientTlsMaterial = {
    disableValidation: spec.disableValidation,
    ...(trust.length === 0 ? {} : { trustPem: trust.join('') }),
    ...(identity === undefined ? {} : { identity }),
    ...(spec.protocols === undefined ? {} : { protocols: spec.protocols }),
  };
  return files.result(material, () => createSecureContext(clientContextOptions(material)));
}

class PemFiles {
  readonly errors: string[] = [];
  readonly #unreadable: string[] = [];
  readonly #read: CertificateFile[] = [];

  /** `tryOut` throws when OpenSSL will not work with it, e.g. because a key is too small. */
  result<T>(value: T, tryOut: () => void): Loaded<T> {
    if (this.errors.length === 0) {
      try {
        tryOut();
        return { ok: true, value, certificates: this.#read };
      } catch (error) {
        this.errors.push(`OpenSSL refuses what the files hold: ${messageOf(error)}`);
      }
    }
    return { ok: false, errors: this.errors, unreadable: this.#unreadable };
  }

  identity(prefix: string, paths: IdentityPaths): IdentityMaterial {
    const [leaf, ...behind] = this.#certificates(`${prefix}certPath`, paths.certPath);
    const key = this.#privateKey(`${prefix}keyPath`, paths.keyPath);
    const chain =
      paths.intermediateCertsPath === undefined
        ? []
        : this.#certificates(`${prefix}intermediateCertsPath`, paths.intermediateCertsPath);
    if (leaf !== undefined && key !== undefined && !leaf.checkPrivateKey(key)) {
      this.errors.push(
        `${prefix}keyPath: the key in "${paths.keyPath}" does not belong to ` +
          `the certificate in "${paths.certPath}"`,
      );
    }
    return {
      certPem: leaf === undefined ? '' : chainOf(leaf, behind, chain),
      keyPem: key === undefined ? '' : key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }

  bundle(name: string, path: string | undefined): string | undefined {
    if (path === undefined) return undefined;
    const certificates = this.#certificates(name, path);
    return certificates.map((certificate) => certificate.toString()).join('');
  }

  protocols(names: readonly string[] | undefined): void {
    if (names === undefined) return;
    if (names.length === 0)
      this.errors.push('protocols: the list is empty; leave the key out for the default');
    for (const name of names) {
      if (!knownProtocols.includes(name)) {
        this.errors.push(`protocols: unknown protocol "${name}". Known: ${knownProtocols.join(', ')}`);
      }
    }
  }

  #certificates(name: string, path: string): X509Certificate[] {
    const text = this.#text(name, path);
    if (text === undefined) return [];
    const blocks = text.match(CERTIFICATE) ?? [];
    if (blocks.length === 0) {
      this.errors.push(`${name}: no certificate in "${path}"; expected PEM, "-----BEGIN CERTIFICATE-----"`);
    }
    // As of a file that is being written: what is there of it must not be taken for all.
    if ((text.match(CERTIFICATE_BEGIN) ?? []).length > blocks.length) {
      this.errors.push(`${name}: certificate ${blocks.length + 1} in "${path}" is cut short`);
    }
    const certificates: X509Certificate[] = [];
    for (const [i, block] of blocks.entries()) {
      try {
        certificates.push(new X509Certificate(block));
      } catch (error) {
        this.errors.push(`${name}: certificate ${i + 1} in "${path}" cannot be read: ${messageOf(error)}`);
      }
    }
    this.#note(name, path, certificates);
    return certificates;
  }

  #note(key: string, path: string, certificates: readonly X509Certificate[]): void {
    const first = certificates.toSorted((a, b) => a.validToDate.getTime() - b.validToDate.getTime())[0];
    if (first === undefined) return;
    const subject = printable(first.subject.replaceAll('\n', ', '));
    this.#read.push({ key, path, expiresMs: first.validToDate.getTime(), subject });
  }

  /** PKCS#8, PKCS#1 (RSA) or SEC1 (EC), unencrypted. */
  #privateKey(name: string, path: string): KeyObject | undefined {
    const text = this.#text(name, path);
    if (text === undefined) return undefined;
    if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text)) {
      this.errors.push(
        `${name}: the key in "${path}" is encrypted; decrypt it with: openssl pkey -in ${path}`,
      );
      return undefined;
    }
    // A SEC1 file may begin with a block of curve parameters, which the key repeats.
    const block = /-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[\s\S]*?-----END \1-----/.exec(text)?.[0];
    if (block === undefined) {
      this.errors.push(`${name}: no private key in "${path}"; expected PEM, "-----BEGIN PRIVATE KEY-----"`);
      return undefined;
    }
    try {
      return createPrivateKey(block);
    } catch (error) {
      this.errors.push(`${name}: the private key in "${path}" cannot be read: ${messageOf(error)}`);
      return undefined;
    }
  }

  #text(name: string, path: string): string | undefined {
    try {
      const stats = statSync(path);
      // A pipe would be waited for, a device never ends.
      const isRead = (stats.isFile() && stats.size <= FILE_BYTES_MAX) || stats.isDirectory();
      if (isRead) return readFileSync(path, 'latin1');
      const is = stats.isFile()
        ? `has ${stats.size} bytes; at most ${FILE_BYTES_MAX} are read`
        : 'is no file';
      this.errors.push(`${name}: "${path}" ${is}`);
    } catch (error) {
      const message = `${name}: cannot read "${path}": ${readProblem(error)}`;
      this.errors.push(message);
      this.#unreadable.push(message);
    }
    return undefined;
  }
}

/**
 * A certificate and what is sent with it: the authorities behind it in its own file, where Kubernetes Secrets
 * have them (a second certificate of somebody is nobody's business), and those of the file for them.
 */
function chainOf(
  leaf: X509Certificate,
  behind: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
): string {
  const chain = [...behind.filter(({ ca }) => ca), ...intermediates];
  return [leaf.toString(), ...new Set(chain.map((certificate) => certificate.toString()))].join('');
}

function readProblem(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'no such file';
    case 'EACCES':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    default:
      return messageOf(error);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
