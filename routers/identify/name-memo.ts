/**
 * Remembers the names made from the last few header values. Almost every request repeats a value, and a repeated value
 * then costs one comparison, and its name is the same string as before, whose hash the path cache need not compute.
 * Fixed size: a value that falls on a used slot replaces what was there.
 */
import { detached } from './name-text.ts';

const SLOTS = 256;
/** Longer values are not remembered, which bounds the memory. */
const LENGTH_MAX = 512;

export class NameMemo {
  readonly #values: string[] = new Array<string>(SLOTS).fill('');
  readonly #names: string[] = new Array<string>(SLOTS).fill('');

  get(value: string): string | undefined {
    const slot = slotOf(value);
    return this.#values[slot] === value && value !== '' ? this.#names[slot] : undefined;
  }

  /** Returns the name to use from now on. */
  set(value: string, name: string): string {
    if (value.length > LENGTH_MAX) return name;
    const slot = slotOf(value);
    this.#values[slot] = detached(value);
    const kept = detached(name);
    this.#names[slot] = kept;
    return kept;
  }
}

/** Four characters spread over the value tell the hosts of one cluster apart well enough. */
function slotOf(value: string): number {
  const last = value.length - 1;
  const mixed =
    value.charCodeAt(0) * 31 +
    value.charCodeAt(last >> 1) * 17 +
    value.charCodeAt(last - (last >> 2)) * 7 +
    value.charCodeAt(last) +
    value.length * 13;
  return mixed & (SLOTS - 1);
}
