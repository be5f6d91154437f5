/** Simulated time: whoever waits is called in the order of the moments; nothing really waits. */
import type { Clock } from '../../../src/base/clock.ts';
import type { Closable } from '../../../src/base/closable.ts';

type Event = { readonly dueMs: number; callback: (() => void) | undefined };

export class EventClock implements Clock {
  #nowMs = 0;
  /** A binary heap by the moment. */
  readonly #events: Event[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Closable {
    const event: Event = { dueMs: this.#nowMs + delayMs, callback };
    this.#push(event);
    return {
      close() {
        event.callback = undefined;
      },
    };
  }

  /** Until nothing is left to happen, or `done` says so. */
  run(done: () => boolean): void {
    while (!done()) {
      const event = this.#pop();
      if (event === undefined) return;
      this.#nowMs = event.dueMs;
      event.callback?.();
    }
  }

  #push(event: Event): void {
    const events = this.#events;
    let at = events.length;
    events.push(event);
    while (at > 0) {
      const above = (at - 1) >>> 1;
      const parent = events[above] as Event;
      if (parent.dueMs <= event.dueMs) break;
      events[at] = parent;
      at = above;
    }
    events[at] = event;
  }

  #pop(): Event | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= events.length) break;
      if (
        ((events[below + 1] as Event | undefined)?.dueMs ?? Number.POSITIVE_INFINITY) <
        (events[below] as Event).dueMs
      )
        below++;
      const child = events[below] as Event;
      if (child.dueMs >= last.dueMs) break;
      events[at] = child;
      at = below;
    }
    events[at] = last;
    return first;
  }
}
