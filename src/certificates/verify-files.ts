/** Certificates in files, each judged by verifyCertificate. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CannotRun } from '../command.ts';
import { problemOf } from '../file-problem.ts';
import { authorityFiles } from './authority-files.ts';
import { ageOf, issuerOf, subjectOf } from './describe.ts';
import { certificatesOf, keyOf } from './pem.ts';
import { verifyCertificate } from './verify.ts';

export type VerifyWish = {
  readonly folder: string;
  /** None: all of the folder. */
  readonly files: readonly string[];
  readonly caFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly names: readonly string[];
};

export type Verdict = { readonly line: string; readonly good: boolean };

/** Throws CannotRun. */
export function verifyFiles(wish: VerifyWish, nowMs: number): readonly Verdict[] {
  const caFile = wish.caFile ?? authorityFiles(wish.folder).certFile;
  const trusted = certificatesOf(caFile);
  const files = wish.files.length > 0 ? wish.files : pemFilesOf(wish.folder, caFile);
  return files.map((file) => {
    const certificates = certificatesOf(file);
    const keyFile = wish.keyFile ?? keyBeside(file);
    const key = keyFile === undefined ? {} : { key: keyOf(keyFile) };
    const problems = verifyCertificate({ certificates, trusted, names: wish.names, ...key }, nowMs);
    if (problems.length > 0) return { line: `${file}: ${problems.join(', and ')}`, good: false };
    const [leaf] = certificates;
    const summary =
      leaf === undefined ? '' : `${subjectOf(leaf)}, by ${issuerOf(leaf)}, ${ageOf(leaf, nowMs)}`;
    return { line: `${file}: ok: ${summary}${keyFile === undefined ? ', key not checked' : ''}`, good: true };
  });
}

function pemFilesOf(folder: string, caFile: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    throw new CannotRun(`cannot read ${folder}: ${problemOf(error)}`);
  }
  const files = names.filter((name) => name.endsWith('.pem')).map((name) => join(folder, name));
  const issued = files.filter((file) => file !== join(caFile));
  if (issued.length === 0)
    throw new CannotRun(`no certificate to verify in ${folder}: no .pem file but the authority's`);
  return issued;
}

function keyBeside(file: string): string | undefined {
  const key = file.replace(/\.(pem|crt|cer)$/, '.key');
  return key !== file && existsSync(key) ? key : undefined;
}
