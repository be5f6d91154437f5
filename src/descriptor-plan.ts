/**
 * What the process's limit on open files is spent on: a quarter, at most 256, is kept for the process itself
 * (libraries, files, the admin server, watches). Callers get three fifths of the rest, because many of their
 * connections are idle, and endpoints two.
 */
import { readFileSync } from 'node:fs';

const KEPT_MAX = 256;
const CALLERS_PART = 0.6;
/** Where there is no limit, or none that can be read. */
const ANY = 1_000_000;

export function descriptorPlan(limit: number): { readonly callers: number; readonly endpoints: number } {
  const rest = Math.max(2, limit - Math.min(KEPT_MAX, limit / 4));
  const callers = Math.max(1, Math.floor(rest * CALLERS_PART));
  return { callers, endpoints: Math.floor(rest - callers) };
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
