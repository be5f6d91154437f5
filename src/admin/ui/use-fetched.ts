/** What a component shows of a question to the server: the latest answer to the latest question. */
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { fetchJson } from './fetch-json.ts';

export type Fetched<T> = {
  readonly value?: T;
  readonly error?: string;
  readonly loading: boolean;
  /** What was running when `value` was asked for. */
  readonly running?: string;
};

/** The start of the process and its configuration: with another, everything is asked anew. */
export const Running = createContext('');

/** Undefined asks nothing. `everyMs` asks again and again; what is known stays until there is more. */
export function useFetched<T>(path: string | undefined, everyMs?: number): Fetched<T> {
  const [state, setState] = useState<Fetched<T> & { readonly path?: string }>({ loading: true });
  const running = useContext(Running);
  useEffect(() => {
    if (path === undefined) return undefined;
    const abort = new AbortController();
    const ask = async (): Promise<void> => {
      try {
        const value = await fetchJson<T>(path, abort.signal);
        setState({ path, value, loading: false, running });
      } catch (error) {
        if (abort.signal.aborted) return;
        const text = error instanceof Error ? error.message : String(error);
        setState((before) => ({
          ...(before.path === path ? before : { path }),
          error: text,
          loading: false,
        }));
      }
    };
    void ask();
    const timer = everyMs === undefined ? undefined : window.setInterval(() => void ask(), everyMs);
    return () => {
      abort.abort();
      window.clearInterval(timer);
    };
  }, [path, everyMs, running]);
  if (path === undefined) return { loading: false };
  return state.path === path ? state : { loading: true };
}
