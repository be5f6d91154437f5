/** The last requests that were looked at (`io.l5d.recentRequests`), for the page `/requests`. */
import type { StoryRecord } from './tap.ts';

export class RecentRequests {
  readonly #capacity: number;
  /** Oldest first; parsed when somebody looks. */
  #lines: string[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Lines of stories, as the tap tells them. */
  take(lines: string): void {
    const added = lines.split('\n');
    added.pop();
    this.#lines = [...this.#lines, ...added].slice(-this.#capacity);
  }

  list(): StoryRecord[] {
    return this.#lines.map((line): StoryRecord => JSON.parse(line)).reverse();
  }
}
