/**
 * `l5d-ctx-deadline: <timestamp> <deadline>`, nanoseconds since 1970. Deadlines of several sources combine to
 * the strictest. They inform the next hop, and no attempt is begun once the caller's is over. Nanoseconds
 * need 64 bits, hence bigints: only requests that have a deadline pay for them.
 */
import { Field, type Fields } from '../fields.ts';

export type Deadline = { readonly timestampNs: bigint; readonly deadlineNs: bigint };

const INTEGER = /^[+-]?[0-9]{1,19}$/;

/** Undefined for a malformed value, which is ignored. What follows the second number is ignored as well. */
export function parseDeadline(value: string): Deadline | undefined {
  const [timestamp, deadline] = value.split(' ', 2);
  if (timestamp === undefined || deadline === undefined) return undefined;
  if (!INTEGER.test(timestamp) || !INTEGER.test(deadline)) return undefined;
  const timestampNs = BigInt(timestamp);
  const deadlineNs = BigInt(deadline);
  if (BigInt.asIntN(64, timestampNs) !== timestampNs) return undefined;
  if (BigInt.asIntN(64, deadlineNs) !== deadlineNs) return undefined;
  return { timestampNs, deadlineNs };
}

export function strictest(a: Deadline | undefined, b: Deadline | undefined): Deadline | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return {
    timestampNs: a.timestampNs > b.timestampNs ? a.timestampNs : b.timestampNs,
    deadlineNs: a.deadlineNs < b.deadlineNs ? a.deadlineNs : b.deadlineNs,
  };
}

/** Reads and removes all deadline fields, and combines them with the one in force. */
export function takeDeadline(fields: Fields, current: Deadline | undefined): Deadline | undefined {
  if (!fields.mayHave(Field.l5dCtxDeadline)) return current;
  let deadline = current;
  for (const value of fields.all(Field.l5dCtxDeadline)) deadline = strictest(deadline, parseDeadline(value));
  fields.remove(Field.l5dCtxDeadline);
  return deadline;
}

/** The deadline that a timeout of ours makes, combined with the one in force. `wallMs` is the date. */
export function withTimeout(current: Deadline | undefined, wallMs: number, timeoutMs: number): Deadline {
  const timestampNs = BigInt(Math.round(wallMs * 1000)) * 1000n;
  const ours = { timestampNs, deadlineNs: timestampNs + BigInt(Math.round(timeoutMs * 1000)) * 1000n };
  return strictest(current, ours) ?? ours;
}

/** As a date in ms. */
export function deadlineMsOf({ deadlineNs }: Deadline): number {
  return Number(deadlineNs) / 1e6;
}

export function deadlineValue(deadline: Deadline): string {
  return `${deadline.timestampNs} ${deadline.deadlineNs}`;
}

export function appendDeadline(out: string, deadline: Deadline | undefined): string {
  return deadline === undefined ? out : `${out}l5d-ctx-deadline: ${deadlineValue(deadline)}\r\n`;
}
