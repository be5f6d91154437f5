/** Which view is shown, with its parameters: the part of the address after `#`. */
import { useEffect, useState } from 'preact/hooks';

export type Route = { readonly view: string; readonly params: URLSearchParams };

const ALIASES: Readonly<Record<string, string>> = { delegator: 'names', logging: 'logs', help: 'help' };

/** `#/names?path=/svc/web`; without it the address says which view it is, as in linkerd. */
function current(): Route {
  const hash = location.hash.replace(/^#\/?/, '');
  const [view = '', query = ''] = hash.split('?', 2);
  const page = location.pathname.split('/').at(-1) ?? '';
  return { view: view || ALIASES[page] || 'overview', params: new URLSearchParams(query) };
}

export function useRoute(): Route {
  const [route, setRoute] = useState(current);
  useEffect(() => {
    const changed = () => setRoute(current());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
}

export function linkTo(view: string, params: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString();
  return query === '' ? `#/${view}` : `#/${view}?${query}`;
}
