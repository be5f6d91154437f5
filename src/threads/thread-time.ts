/** What the kernel knows of a thread of this process: whether and how long it runs. Linux only. */
import { readFileSync, readlinkSync } from 'node:fs';

/** `state` as in proc(5): R runs or waits for a CPU, S sleeps. */
export type ThreadTime = { readonly state: string; readonly cpuMs: number };

/** Of a second, in which `/proc` counts, on every architecture. */
const TICKS = 100;

/** The calling thread as the kernel names it; 0 when that cannot be had. */
export function ownThreadId(): number {
  try {
    return Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

export function threadTime(id: number): ThreadTime | undefined {
  if (id === 0) return undefined;
  try {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'latin1');
    // The name, in parentheses, may have blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = ''] = fields;
    return { state, cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS };
  } catch {
    return undefined;
  }
}
