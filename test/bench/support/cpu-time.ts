/**
 * CPU time and memory of a process and all its descendants, from /proc. The time of a process counts all its
 * threads, and that of its children that have ended.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

type Stat = { readonly parent: number; readonly ticks: number; readonly residentPages: number };

/** Microseconds of CPU, user and system. The kernel counts in ticks, usually of 10 ms. */
export function cpuMicros(pid: number): number {
  const ticks = tree(pid).reduce((sum, stat) => sum + stat.ticks, 0);
  return (ticks / ticksPerSecond) * 1e6;
}

export function residentBytes(pid: number): number {
  return tree(pid).reduce((sum, stat) => sum + stat.residentPages * 4096, 0);
}

function tree(root: number): Stat[] {
  const all = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(name) : undefined;
    if (stat !== undefined) all.set(Number(name), stat);
  }
  const found: Stat[] = [];
  const waiting = [root];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    const stat = all.get(pid);
    if (stat !== undefined) found.push(stat);
    for (const [child, { parent }] of all) if (parent === pid) waiting.push(child);
  }
  return found;
}

function readStat(pid: string): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // It ended between the listing and now.
    return undefined;
  }
  // The command stands in parentheses and may hold anything; the fields after it are numbers, the state
  // first.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    parent: field(4),
    ticks: field(14) + field(15) + field(16) + field(17),
    residentPages: field(24),
  };
}
