/** One round of load at a fixed rate, by a process of its own on the core of the load. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pinned } from './processes.ts';

/** `latencies[i]` is that of the request that was due at `dueMs[i]`, in ms since the epoch. */
export type OpenLoop = {
  readonly dueMs: Float64Array;
  readonly latencies: Float64Array;
  readonly errors: number;
  readonly lateP999: number;
  /** Requests that say nothing because the generator itself stood still. */
  readonly leftOut: number;
};

const SLACK_SECONDS = 15;

export async function openLoop(
  folder: string,
  port: number,
  rate: number,
  seconds: number,
): Promise<OpenLoop> {
  const script = fileURLToPath(new URL('open-loop-process.ts', import.meta.url));
  const file = join(folder, `latency-${port}`);
  const node = [process.execPath, '--single-threaded-gc', script, String(port), String(rate)];
  // The backend on the same core takes it at once whenever it has something to do.
  const [program, words] = pinned('load', 'chrt', ['--idle', '0', ...node, String(seconds), file]);
  const { stdout } = await promisify(execFile)(program, words, { timeout: (seconds + SLACK_SECONDS) * 1000 });
  const said: { errors: number; lateP999: number; leftOut: number } = JSON.parse(stdout);
  const bytes = readFileSync(file);
  rmSync(file);
  const pairs = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return {
    dueMs: pairs.filter((_, i) => i % 2 === 0),
    latencies: pairs.filter((_, i) => i % 2 === 1),
    errors: said.errors,
    lateP999: said.lateP999,
    leftOut: said.leftOut,
  };
}

export function percentile(values: Float64Array, part: number): number {
  return values.toSorted()[Math.floor(part * (values.length - 1))] ?? Number.NaN;
}
