/** Options that commands share, and how they write to a terminal or a pipe. */
import type { Closable } from '../base/closable.ts';
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

/** Columns give way down to this. */
const CELL_CHARS_MIN = 12;

/**
 * Rows below a head, as wide as their widest cell; whole in a pipe. At the width of a terminal (`columns`)
 * the widest columns give way first, in the middle of their cells, because names differ at their ends; what
 * is still too much is cut.
 */
export function table(rows: readonly (readonly string[])[], columns?: number): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  if (columns !== undefined) narrow(widths, columns - 2 * (widths.length - 1));
  const lines = rows.map((row) => {
    const line = row
      .map((cell, i) => shortened(cell, widths[i] ?? 0).padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
    return columns !== undefined && line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
  });
  return lines.map((line) => `${line}\n`).join('');
}

function narrow(widths: number[], room: number): void {
  for (let excess = widths.reduce((sum, width) => sum + width, 0) - room; excess > 0; excess--) {
    const widest = Math.max(...widths);
    if (widest <= CELL_CHARS_MIN) return;
    widths[widths.indexOf(widest)] = widest - 1;
  }
}

function shortened(cell: string, width: number): string {
  if (cell.length <= width) return cell;
  const start = Math.floor((width - 1) / 3);
  return `${cell.slice(0, start)}…${cell.slice(cell.length - (width - 1 - start))}`;
}

/** For people who wait; a pipe gets nothing of it. */
export function progress({ stdout, stderr }: Terminal, text: string): void {
  if (stdout.isTTY === true) stderr.write(`${text} ...\n`);
}

export type Interruption = Closable & { readonly signal: AbortSignal; stop(): void };

/** Ctrl-C, SIGTERM, or a reader of the output that has seen enough: the end of what has none of its own. */
export function interruption(): Interruption {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.stdout.once('error', stop);
  return {
    signal: controller.signal,
    stop,
    close() {
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
      process.stdout.removeListener('error', stop);
    },
  };
}

/** Undefined in a pipe. */
export function widthOf(stdout: Terminal['stdout'] & { readonly columns?: number }): number | undefined {
  return stdout.isTTY === true ? (stdout.columns ?? 80) : undefined;
}
