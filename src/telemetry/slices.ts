/**
 * Long texts made piece by piece, so that rendering never holds the loop: a renderer is a generator that
 * yields after every small piece of work (an empty string when there is nothing to show for it); between
 * slices the loop runs.
 */
import { setImmediate } from 'node:timers/promises';

const PIECES_A_SLICE = 200;

export type Pieces = Generator<string, void, undefined>;

export async function* inSlices(pieces: Pieces): AsyncGenerator<string, void, undefined> {
  let text = '';
  let count = 0;
  for (const piece of pieces) {
    text += piece;
    if (++count < PIECES_A_SLICE) continue;
    if (text !== '') yield text;
    text = '';
    count = 0;
    await setImmediate();
  }
  if (text !== '') yield text;
}

const RUN = 512;

/** Sorts in runs and merges them, with a yield after every small piece of work. */
export function* sortInSlices<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<string, T[], undefined> {
  let runs: T[][] = [];
  for (let at = 0; at < items.length; at += RUN) {
    runs.push(items.slice(at, at + RUN).sort(compare));
    for (let i = 0; i < PIECES_A_SLICE; i++) yield '';
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(yield* merge(runs[i] ?? [], runs[i + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<string, T[], undefined> {
  const merged: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const a = left[l];
    const b = right[r];
    if (a !== undefined && (b === undefined || compare(a, b) <= 0)) {
      merged.push(a);
      l++;
    } else if (b !== undefined) {
      merged.push(b);
      r++;
    }
    if (merged.length % 16 === 0) yield '';
  }
  return merged;
}
