import { useEffect, useRef, useState } from 'preact/hooks';
import { listen } from './events.ts';
import { query } from './fetch-json.ts';
import { noStories, type Stories, type Story, withStories } from './stories.ts';

/** What comes within this time is shown at once. */
const BATCH_MS = 200;

export type TapState = {
  readonly stories: Stories;
  readonly error: string | undefined;
  readonly clear: () => void;
};

/** Requests for which the conditions hold, while not paused. */
export function useTap(where: string, paused: boolean): TapState {
  const [stories, setStories] = useState(noStories);
  const [error, setError] = useState<string | undefined>(undefined);
  const waiting = useRef<Omit<Story, 'id'>[]>([]);
  useEffect(() => {
    setError(undefined);
    if (paused) return undefined;
    const path = query('admin/tap', { where });
    const timer = window.setInterval(() => {
      const told = waiting.current.splice(0);
      if (told.length > 0) setStories((before) => withStories(before, told));
    }, BATCH_MS);
    const stop = listen(path, {
      on: {
        request: (data) => void waiting.current.push(JSON.parse(data) as Story),
        skipped: (data) => setStories((before) => ({ ...before, skipped: before.skipped + Number(data) })),
      },
      connected: (is) => {
        if (is) setError(undefined);
      },
      refused: () => void reasonOf(path).then(setError),
    });
    return () => {
      stop();
      window.clearInterval(timer);
      waiting.current = [];
    };
  }, [where, paused]);
  return { stories, error, clear: () => setStories(noStories) };
}

/** An event stream does not tell why it was refused. */
async function reasonOf(path: string): Promise<string> {
  const abort = new AbortController();
  try {
    const response = await fetch(path, { signal: abort.signal });
    const text = response.ok ? 'The live view was refused.' : await response.text();
    abort.abort();
    return text;
  } catch {
    return 'The router cannot be reached.';
  }
}
