/** The last requests that were looked at (`io.l5d.recentRequests`), for the page `/requests`. */
import type { StoryRecord } from './tap.ts';

type Batch = { readonly lines: Buffer; readonly count: number };

export class RecentRequests {
  readonly #capacity: number;
  /** Oldest first; parsed when somebody looks. */
  readonly #batches: Batch[] = [];
  /** Lines of all batches: the capacity, and what the oldest batch has more. */
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Lines of stories, as the tap tells them. */
  take(lines: Buffer, count: number): void {
    this.#batches.push({ lines, count });
    this.#count += count;
    for (let first = this.#batches[0]; first !== undefined; first = this.#batches[0]) {
      if (this.#count - first.count < this.#capacity) break;
      this.#count -= first.count;
      this.#batches.shift();
    }
  }

  list(): StoryRecord[] {
    const lines = Buffer.concat(this.#batches.map((batch) => batch.lines))
      .toString()
      .split('\n');
    lines.pop();
    return lines
      .slice(-this.#capacity)
      .map((line): StoryRecord => JSON.parse(line))
      .reverse();
  }
}
