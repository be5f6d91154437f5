/** An authority in a folder: `ca.pem` and `ca.key`. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateAuthority } from '../certs.ts';
import { CannotRun } from '../command.ts';
import { problemOf } from '../file-problem.ts';
import { ageOf, isValidAt } from './describe.ts';
import { certificatesOf, keyOf } from './pem.ts';

export type AuthorityFiles = { readonly certFile: string; readonly keyFile: string };

export type LoadedAuthority = {
  readonly authority: CertificateAuthority;
  /** The end of its certificate: nothing that it issues is good for longer. */
  readonly notAfter: Date;
};

export function authorityFiles(folder: string): AuthorityFiles {
  return { certFile: join(folder, 'ca.pem'), keyFile: join(folder, 'ca.key') };
}

/** Throws CannotRun. */
export function loadAuthority({ certFile, keyFile }: AuthorityFiles, nowMs: number): LoadedAuthority {
  for (const file of [certFile, keyFile]) {
    if (!existsSync(file)) {
      throw new CannotRun(
        `no certificate authority: there is no ${file}. ` +
          'Make one with turnout certs ca, or name one with --ca and --ca-key',
      );
    }
  }
  const certificates = certificatesOf(certFile);
  const [own] = certificates;
  const key = keyOf(keyFile);
  if (own === undefined || !isValidAt(own, nowMs)) {
    throw new CannotRun(`${certFile} cannot issue${own === undefined ? '' : `: ${ageOf(own, nowMs)}`}`);
  }
  if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'ec') {
    throw new CannotRun(`${keyFile} cannot issue: its type is ${key.asymmetricKeyType}, not RSA or EC`);
  }
  try {
    const pems = certificates.map((certificate) => certificate.toString());
    const authority = CertificateAuthority.load(
      pems,
      key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    );
    return { authority, notAfter: own.validToDate };
  } catch (error) {
    throw new CannotRun(`${certFile} cannot issue: ${problemOf(error)}`);
  }
}
