/** Which view is shown, with its parameters: the part of the address after `#`. */
import { useEffect, useState } from 'preact/hooks';

/** The first part of the address of each, and its title. */
export const VIEWS = [
  ['overview', 'Overview'],
  ['names', 'Names'],
  ['requests', 'Requests'],
  ['discovery', 'Discovery'],
  ['certificates', 'Certificates'],
  ['config', 'Config'],
  ['logs', 'Logs'],
  ['fleet', 'Fleet'],
  ['help', 'Help'],
] as const;

export type Route = { readonly view: string; readonly params: URLSearchParams };

const ALIASES: Readonly<Record<string, string>> = { delegator: 'names', logging: 'logs', help: 'help' };

/** `#/names?q=/svc/web`; without it the address says it as in linkerd: `/delegator?router=http#/svc/web`. */
function current(): Route {
  const hash = location.hash.replace(/^#\/?/, '');
  const [view = '', query = ''] = hash.split('?', 2);
  const page = location.pathname.split('/').at(-1) ?? '';
  const asked = new URLSearchParams(location.search);
  if (view === '') return { view: ALIASES[page] ?? 'overview', params: asked };
  if (page !== 'delegator' || VIEWS.some(([each]) => each === view))
    return { view, params: new URLSearchParams(query) };
  asked.set('q', decoded(location.hash.slice(1)));
  return { view: 'names', params: asked };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
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
