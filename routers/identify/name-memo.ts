/**
 * Remembers the names made from the last few header values. Almost every request repeats a value, and a
 * repeated value then costs one comparison, and its name is the same string as before, whose hash the path
 * cache need not compute: less than half of the time of making the name and looking it up. Fixed size: a
 * value that falls on a used slot replaces what was there.
 */
import { detached } from './name-text.ts';

const SLOTS = 1024;
/** Longer values are not remembered, which bounds the memory. */
const LENGTH_MAX = 128;

export class NameMemo {
  readonly #values: string[] = new Array<string>(SLOTS).fill('');
  readonly #names: string[] = new Array<string>(SLOTS).fill('');

  get(value: string): string | undefined {
    if (value.length > LENGTH_MAX || value === '') return undefined;
    const slot = slotOf(value);
    if (this.#values[slot] === value) return this.#names[slot];
    return this.#values[slot ^ 1] === value ? this.#names[slot ^ 1] : undefined;
  }

  /** Returns the name to use from now on. */
  set(value: string, name: string): string {
    if (value.length > LENGTH_MAX) return name;
    const slot = slotOf(value);
    // The neighbour takes what was here: two values that share a slot do not push each other out.
    this.#values[slot ^ 1] = this.#values[slot] as string;
    this.#names[slot ^ 1] = this.#names[slot] as string;
    this.#values[slot] = detached(value);
    const kept = detached(name);
    this.#names[slot] = kept;
    return kept;
  }
}

function slotOf(value: string): number {
  let hash = value.length;
  for (let i = 0; i < value.length; i++) hash = (Math.imul(hash, 31) + value.charCodeAt(i)) | 0;
  return (hash ^ (hash >>> 10) ^ (hash >>> 20)) & (SLOTS - 1);
}
