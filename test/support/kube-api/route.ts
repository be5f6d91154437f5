/** From a URL to what is asked about. */
import type { Kind } from './kinds.ts';

export type Route = {
  readonly verb: 'list' | 'watch' | 'get' | 'other';
  readonly kind: Kind;
  readonly namespace: string | undefined;
  /** Undefined for the collection. */
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly query: URLSearchParams;
};

/** Undefined for what is no resource of `kinds`. */
export function routeOf(url: URL, method: string, kinds: readonly Kind[]): Route | undefined {
  const parts = url.pathname.split('/').slice(1).map(decodeURIComponent);
  const group = parts[0] === 'apis' ? parts[1] : parts[0] === 'api' ? '' : undefined;
  let rest = parts.slice(group === '' ? 1 : 2);
  if (group === undefined || rest.shift() !== 'v1') return undefined;
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status') {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural, name, subresource] = rest;
  const kind = kinds.find((each) => each.group === group && each.plural === plural);
  if (kind === undefined || (!kind.namespaced && namespace !== undefined)) return undefined;
  const query = url.searchParams;
  const watches = query.get('watch') === 'true' || query.get('watch') === '1';
  const verb = method !== 'GET' ? 'other' : name !== undefined ? 'get' : watches ? 'watch' : 'list';
  return { verb, kind, namespace, name, subresource, query };
}
