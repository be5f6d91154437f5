import { useEffect, useState } from 'preact/hooks';
import { listen } from './events.ts';
import { emptyFeed, type Feed, next, type OverviewEvent } from './overview-feed.ts';

/** The live overview, from when the page opens on, whichever view is shown. */
export function useOverview(): { readonly feed: Feed; readonly connected: boolean | undefined } {
  const [feed, setFeed] = useState(emptyFeed);
  const [connected, setConnected] = useState<boolean | undefined>(undefined);
  useEffect(
    () =>
      listen('admin/overview', {
        on: {
          overview(data) {
            const told = JSON.parse(data) as OverviewEvent;
            setFeed((before) => next(before, told, Date.now()));
          },
        },
        connected: setConnected,
      }),
    [],
  );
  return { feed, connected };
}
