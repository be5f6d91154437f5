/** Waits for something that the event loop will bring about: the alternative to sleeping. */
import { setTimeout as delay } from 'node:timers/promises';

export async function until(
  condition: () => boolean,
  what: string | (() => string),
  ms = 20_000,
): Promise<void> {
  const end = performance.now() + ms;
  for (let turn = 0; !condition(); turn++) {
    if (performance.now() > end)
      throw new Error(`timed out waiting for ${typeof what === 'string' ? what : what()}`);
    // Sockets first; a little patience only when nothing happens.
    await (turn < 50 ? new Promise((resolve) => setImmediate(resolve)) : delay(2));
  }
}

/** Lets the sockets of this process do all that they can do at once. */
export async function settled(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
