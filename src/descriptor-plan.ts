/**
 * What the process's limit on open files is spent on: a quarter, at most 256, is kept for the process itself
 * (libraries, files, the admin server, watches), the rest goes to callers and to endpoints in equal parts.
 */
import { readFileSync } from 'node:fs';

const KEPT_MAX = 256;
/** Where there is no limit, or none that can be read. */
const ANY = 1_000_000;

export function descriptorPlan(limit: number): { readonly callers: number; readonly endpoints: number } {
  const half = Math.max(1, Math.floor((limit - Math.min(KEPT_MAX, limit / 4)) / 2));
  return { callers: half, endpoints: half };
}

/** The limit that is in force: Node has raised it to what the process may have. */
export function descriptorLimit(): number {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return found === null ? ANY : Number(found[1]);
  } catch {
    return ANY;
  }
}
