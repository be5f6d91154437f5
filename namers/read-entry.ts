/** One look at a path of the file system: what is there, and its text when it is a file of bounded size. */

import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { isMissing } from './directory-watches.ts';

export type Entry =
  | { readonly type: 'missing' }
  | { readonly type: 'directory' }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'unreadable'; readonly reason: string };

/**
 * `stamp` changes when the file behind the path is another one or has been written to. `linked`: the path is
 * a symbolic link, so that what happens to the file may not show in the directory of the path.
 */
export type Look = { readonly stamp: string; readonly entry: Entry; readonly linked: boolean };

/** A stamp that no path has: the entry is to be looked at again. */
export const UNSETTLED = 'unsettled';

const MISSING = 'missing';

export async function stampOf(path: string): Promise<string> {
  try {
    return stampOfStats(await stat(path, { bigint: true }));
  } catch (error) {
    return isMissing(error) ? MISSING : `error ${String(error)}`;
  }
}

/** Follows symbolic links. Never waits for a pipe or reads a device. */
export async function readEntry(path: string, maxBytes: number): Promise<Look> {
  let linked = false;
  try {
    const own = await lstat(path, { bigint: true });
    linked = own.isSymbolicLink();
    const stats = linked ? await stat(path, { bigint: true }) : own;
    if (stats.isDirectory()) return { stamp: stampOfStats(stats), entry: { type: 'directory' }, linked };
    if (!stats.isFile()) return { stamp: stampOfStats(stats), entry: { type: 'missing' }, linked };
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return { ...(await readText(handle, maxBytes)), linked };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isMissing(error)) return { stamp: MISSING, entry: { type: 'missing' }, linked };
    const reason = String(error);
    return { stamp: `error ${reason}`, entry: { type: 'unreadable', reason }, linked };
  }
}

async function readText(handle: FileHandle, maxBytes: number): Promise<Omit<Look, 'linked'>> {
  const before = await handle.stat({ bigint: true });
  const stamp = stampOfStats(before);
  if (before.size > BigInt(maxBytes)) {
    const reason = `the file has ${before.size} bytes; at most ${maxBytes} are read`;
    return { stamp, entry: { type: 'unreadable', reason } };
  }
  const buffer = Buffer.alloc(Number(before.size) + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length === buffer.length) break;
  }
  const after = stampOfStats(await handle.stat({ bigint: true }));
  const text = buffer.toString('utf8', 0, length);
  // Written to while it was read: what was read is a mixture that nobody wrote.
  return { stamp: after === stamp ? stamp : UNSETTLED, entry: { type: 'text', text } };
}

function stampOfStats(stats: BigIntStats): string {
  // The times of a directory change with every file in it: they say nothing about the directory itself.
  if (stats.isDirectory()) return `directory ${stats.dev}:${stats.ino}`;
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}
