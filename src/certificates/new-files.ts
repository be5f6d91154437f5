/** Files that are created and never overwritten: keys, and the certificates that belong to them. */
import { closeSync, existsSync, lstatSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { CannotRun } from '../command.ts';
import { problemOf } from '../file-problem.ts';

/** A secret file is for its owner only from the moment that it exists. */
export type NewFile = { readonly path: string; readonly text: string; readonly secret?: boolean };

/** Says early, before anything is made, that one of the files would be overwritten. Throws CannotRun. */
export function refuseExisting(paths: readonly string[]): void {
  const found = paths.find((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  if (found === undefined) return;
  throw new CannotRun(
    `${found} is there already and is not overwritten; move it away or choose another --dir`,
  );
}

/** All of them or none. Throws CannotRun. */
export function writeNew(files: readonly NewFile[]): void {
  const created: string[] = [];
  for (const { path, text, secret } of files) {
    try {
      if (!existsSync(dirname(path))) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      // wx: fails for whatever stands there, a dangling link included.
      const file = openSync(path, 'wx', secret === true ? 0o600 : 0o644);
      created.push(path);
      try {
        writeSync(file, text);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      for (const made of created) rmSync(made, { force: true });
      throw new CannotRun(`cannot write ${path}: ${problemOf(error)}`);
    }
  }
}
