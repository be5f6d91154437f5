/**
 * The pod's service account. Token and CA are files that the kubelet replaces (by swapping a symbolic link)
 * while the process runs: they are read again for every request (there are few), so a new token is used by
 * the next one. What cannot be read or used leaves the last good one in place. This is done here
 * rather than by @kubernetes/client-node, because loading that costs 87 MB and two seconds.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { Access, Credentials } from './access.ts';

export function serviceAccountAccess(server: URL, directory: string): Access {
  const account = new ServiceAccount(directory);
  return {
    name: `${server.origin} as the pod's service account`,
    server,
    credentials: () => account.credentials(),
  };
}

class ServiceAccount {
  readonly #directory: string;
  #token = '';
  #ca = '';
  #tls: ConnectionOptions | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async credentials(): Promise<Credentials> {
    const [token, ca] = await Promise.all([this.#file('token'), this.#file('ca.crt')]);
    if (token !== '') this.#token = token;
    if (ca !== '' && ca !== this.#ca && isUsable(ca)) {
      this.#ca = ca;
      this.#tls = Object.freeze({ ca });
    }
    if (this.#token === '') throw new Error(`there is no token in ${join(this.#directory, 'token')}`);
    if (this.#tls === undefined) throw new Error(`there is no CA in ${join(this.#directory, 'ca.crt')}`);
    return { headers: { authorization: `Bearer ${this.#token}` }, tls: this.#tls };
  }

  async #file(name: string): Promise<string> {
    try {
      return (await readFile(join(this.#directory, name), 'utf8')).trim();
    } catch {
      return '';
    }
  }
}

function isUsable(ca: string): boolean {
  if (!ca.includes('-----END CERTIFICATE-----')) return false;
  try {
    createSecureContext({ ca });
    return true;
  } catch {
    return false;
  }
}
