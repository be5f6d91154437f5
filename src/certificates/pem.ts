/** Certificates and keys in PEM files, as the commands read them. Messages are for users. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CannotRun } from '../command.ts';
import { problemOf } from '../file-problem.ts';

export type Pem = { readonly certificates: readonly X509Certificate[]; readonly keys: readonly KeyObject[] };

const FILE_BYTES_MAX = 4 * 1024 * 1024;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** `-` is standard input. Throws CannotRun. */
export function readPem(file: string): Pem {
  const source = file === '-' ? '<stdin>' : file;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new CannotRun(`cannot read ${source}: ${problemOf(error)}`);
  }
  if (bytes.length > FILE_BYTES_MAX) throw new CannotRun(`cannot read ${source}: it is too long`);
  return parsePem(bytes.toString('latin1'), source);
}

export function certificatesOf(file: string): readonly X509Certificate[] {
  const { certificates } = readPem(file);
  if (certificates.length > 0) return certificates;
  throw new CannotRun(`no certificate in ${file}; expected PEM, "-----BEGIN CERTIFICATE-----"`);
}

export function keyOf(file: string): KeyObject {
  const [key] = readPem(file).keys;
  if (key !== undefined) return key;
  throw new CannotRun(`no private key in ${file}; expected PEM, "-----BEGIN PRIVATE KEY-----"`);
}

function parsePem(text: string, source: string): Pem {
  const certificates: X509Certificate[] = [];
  const keys: KeyObject[] = [];
  for (const [block, label = ''] of text.matchAll(BLOCK)) {
    if (label === 'ENCRYPTED PRIVATE KEY' || /Proc-Type: 4,ENCRYPTED/.test(block)) {
      throw new CannotRun(`the key in ${source} is encrypted; decrypt it with: openssl pkey -in ${source}`);
    }
    try {
      if (label.endsWith('CERTIFICATE')) certificates.push(new X509Certificate(block));
      else if (label.endsWith('PRIVATE KEY')) keys.push(createPrivateKey(block));
    } catch (error) {
      throw new CannotRun(`cannot read the ${label.toLowerCase()} in ${source}: ${problemOf(error)}`);
    }
  }
  return { certificates, keys };
}
