/**
 * `Via`: appended on every message that is passed on, and counted to stop loops. As in linkerd the new item
 * goes to the end of the first line, and further lines are not sent on.
 */
import { Failure } from '../../src/base/failure.ts';
import { Field, type Fields } from '../fields.ts';

/** What we call ourselves (decision 15). */
export const PRODUCT = 'turnout';

export function viaValue(before: string | undefined, minor: number, product: string = PRODUCT): string {
  const item = minor === 0 ? `1.0 ${product}` : `1.1 ${product}`;
  return before === undefined ? item : `${before}, ${item}`;
}

const VIA_11 = `Via: 1.1 ${PRODUCT}\r\n`;
const VIA_10 = `Via: 1.0 ${PRODUCT}\r\n`;

/** `before` is the value that was received; `minor` is of the message that is passed on. */
export function appendVia(out: string, before: string | undefined, minor: number): string {
  if (before === undefined) return out + (minor === 0 ? VIA_10 : VIA_11);
  return `${out}Via: ${viaValue(before, minor)}\r\n`;
}

/** Items of all Via lines. Empty pieces at the end of a line do not count. */
export function countHops(fields: Fields): number {
  if (!fields.mayHave(Field.via)) return 0;
  let hops = 0;
  for (let i = 0; i < fields.ids.length; i++) {
    if (fields.ids[i] === Field.via) hops += countItems(fields.values[i] as string);
  }
  return hops;
}

const COMMA = 0x2c;

function countItems(value: string): number {
  let end = value.length;
  while (end > 0 && value.charCodeAt(end - 1) === COMMA) end--;
  if (end === 0) return 0;
  let items = 1;
  for (let i = 0; i < end; i++) if (value.charCodeAt(i) === COMMA) items++;
  return items;
}

export function checkCallDepth(fields: Fields, maxCallDepth: number): Failure | undefined {
  if (!fields.mayHave(Field.via) || countHops(fields) <= maxCallDepth) return undefined;
  return new Failure(
    'call-depth',
    `Maximum number of calls (${maxCallDepth}) has been exceeded. Please check for proxy loops.`,
    true,
  );
}
