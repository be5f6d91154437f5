/** A live answer of the server that comes back by itself after the connection was lost. */

const AGAIN_MS = 1000;

export type EventHandlers = {
  readonly on: Readonly<Record<string, (data: string) => void>>;
  readonly connected: (is: boolean) => void;
  /** The server refuses: nothing more comes until it is asked anew. */
  readonly refused?: () => void;
};

/** The result ends it. */
export function listen(path: string, { on, connected, refused }: EventHandlers): () => void {
  let source: EventSource | undefined;
  let timer: number | undefined;
  let everOpen = false;
  const open = (): void => {
    source = new EventSource(path);
    source.onopen = () => {
      everOpen = true;
      connected(true);
    };
    source.onerror = () => {
      connected(false);
      // The browser tries again by itself, unless the answer was no event stream.
      if (source?.readyState !== EventSource.CLOSED) return;
      if (!everOpen && refused !== undefined) refused();
      else timer = window.setTimeout(open, AGAIN_MS);
    };
    for (const [name, handle] of Object.entries(on)) {
      source.addEventListener(name, (event) => handle(event.data));
    }
  };
  open();
  return () => {
    source?.close();
    window.clearTimeout(timer);
  };
}
