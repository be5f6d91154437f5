/** A directory of files, replaced as people do it: by rename, or as Kubernetes updates a Secret volume. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Files = Readonly<Record<string, string>>;

export class SecretVolume {
  readonly folder = mkdtempSync(join(tmpdir(), 'turnout-secret-'));
  #count = 0;

  /** Every file is a link into `..data`, which is a link to a directory with all of one moment. */
  constructor(files: Files) {
    this.swap(files);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** All files in one moment. */
  swap(files: Files): void {
    const name = `..${++this.#count}`;
    mkdirSync(this.path(name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(this.folder, name, file), text);
    const before = this.#count > 1 ? readlinkSync(this.path('..data')) : undefined;
    symlinkSync(name, this.path('..next'));
    renameSync(this.path('..next'), this.path('..data'));
    for (const file of Object.keys(files)) this.#link(file);
    if (before !== undefined) rmSync(this.path(before), { recursive: true });
  }

  /** One file after the other, each whole. */
  rename(files: Files): void {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(this.path('next'), text);
      renameSync(this.path('next'), this.path(name));
    }
  }

  /** Also in the place of a file that was renamed there. */
  #link(name: string): void {
    if (lstatSync(this.path(name), { throwIfNoEntry: false })?.isSymbolicLink()) return;
    symlinkSync(join('..data', name), this.path('..next'));
    renameSync(this.path('..next'), this.path(name));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
