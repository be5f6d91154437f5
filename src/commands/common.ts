/** Options that commands share, and how they write to a terminal or a pipe. */
import { choice, type Option, type Terminal, text } from '../command.ts';

export const adminOption: Option<string> = text(
  'HOST:PORT',
  'the admin server of the router to ask',
  '127.0.0.1:9990',
);

export const outputOption: Option<'table' | 'json'> = {
  ...choice(['table', 'json'], 'how to print', 'table'),
  short: '-o',
};

/** Several headers, one a time: a value holds commas. */
export const headersOption: Option<readonly string[]> = {
  value: "'NAME: VALUE'",
  short: '-H',
  help: 'a header of the request; may stand several times',
  repeats: true,
  read: (values) => values,
};

export type Paint = Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', (text: string) => string>;

/** Colours on a terminal that has not been told otherwise (https://no-color.org). */
export function paintFor(stdout: Terminal['stdout'], env: NodeJS.ProcessEnv = process.env): Paint {
  const coloured = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  const style = (code: number) => (shown: string) => (coloured ? `\x1b[${code}m${shown}\x1b[0m` : shown);
  return {
    bold: style(1),
    dim: style(2),
    red: style(31),
    green: style(32),
    yellow: style(33),
    cyan: style(36),
  };
}

/** Rows below a head, as wide as their widest cell; cut at the width of a terminal, whole in a pipe. */
export function table(rows: readonly (readonly string[])[], columns?: number): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  const lines = rows.map((row) => {
    const line = row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
    return columns !== undefined && line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** Undefined in a pipe. */
export function widthOf(stdout: Terminal['stdout'] & { readonly columns?: number }): number | undefined {
  return stdout.isTTY === true ? (stdout.columns ?? 80) : undefined;
}
