/** Reads the text of a configuration from where the command line says. */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { CannotRun, type Terminal } from './command.ts';
import { problemOf } from './file-problem.ts';

/** Somewhat more than a configuration may hold, so that the loader sees that it is too long and says so. */
const CONFIG_BYTES_MAX = 16 * 1024 * 1024;

/** `source` is the name of the text in messages: the file as given, or `<stdin>`. */
export type ConfigText = { readonly text: string; readonly source: string };

/**
 * `name` is a file (or a pipe, as a shell's `<(...)` makes), or `-` for standard input. Throws CannotRun.
 */
export async function readConfig(name: string, stdin: Terminal['stdin']): Promise<ConfigText> {
  const source = name === '-' ? '<stdin>' : name;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of name === '-' ? stdin : createReadStream(name)) {
      const part = Buffer.from(chunk);
      chunks.push(part);
      bytes += part.length;
      if (bytes > CONFIG_BYTES_MAX) throw new Error('it is too long for a configuration');
    }
    const content = Buffer.concat(chunks);
    if (!isUtf8(content)) throw new Error('it is not UTF-8 text');
    return { text: content.toString().replace(/^\uFEFF/, ''), source };
  } catch (error) {
    throw new CannotRun(`cannot read ${source}: ${problemOf(error)}`);
  }
}
