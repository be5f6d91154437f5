/**
 * What the Ingress objects of a cluster say, as plain data that crosses threads, and the answer to a request
 * by it. The most specific host wins (itself, then a wildcard of one label, then none), then the longest
 * path, then an exact one; of equals the first.
 */
import { PathPattern } from './path-pattern.ts';

/** Namespace, port (name or number) and service. */
export type IngressBackend = readonly [string, string, string];

export type IngressRoute = {
  /** In lower case; `*.` at the beginning stands for one label; empty for every host. */
  readonly host: string;
  /** A prefix ends at a slash; a pattern is one of `PathPattern`. */
  readonly type: 'exact' | 'prefix' | 'pattern';
  readonly path: string;
  readonly backend: IngressBackend;
};

export type IngressRules = {
  readonly routes: readonly IngressRoute[];
  /** For requests that no route matches. */
  readonly defaultBackend?: IngressBackend;
};

/** `T` is what a backend is turned into, once. */
export class IngressMatcher<T> {
  readonly #hosts = new Map<string, PathTable<T>>();
  readonly #default: T | undefined;

  constructor({ routes, defaultBackend }: IngressRules, make: (backend: IngressBackend) => T) {
    this.#default = defaultBackend && make(defaultBackend);
    for (const route of routes) {
      let table = this.#hosts.get(route.host);
      if (table === undefined) {
        table = new PathTable();
        this.#hosts.set(route.host, table);
      }
      table.add(route, make(route.backend));
    }
  }

  /** `host` in lower case and without a port; `path` without a query. */
  match(host: string, path: string): T | undefined {
    const dot = host.indexOf('.');
    return (
      this.#hosts.get(host)?.match(path) ??
      (dot > 0 ? this.#hosts.get(`*${host.slice(dot)}`)?.match(path) : undefined) ??
      this.#hosts.get('')?.match(path) ??
      this.#default
    );
  }
}

type Pattern<T> = { readonly pattern: PathPattern; readonly length: number; readonly value: T };

class PathTable<T> {
  readonly #exact = new Map<string, T>();
  /** Without a slash at the end. */
  readonly #prefixes = new Map<string, T>();
  #longestPrefix = 0;
  /** The longest first. */
  readonly #patterns: Pattern<T>[] = [];

  add({ type, path }: IngressRoute, value: T): void {
    if (type === 'pattern') {
      const pattern = PathPattern.of(path);
      if (pattern === undefined) return;
      this.#patterns.push({ pattern, length: path.length, value });
      this.#patterns.sort((a, b) => b.length - a.length);
      return;
    }
    const paths = type === 'exact' ? this.#exact : this.#prefixes;
    const key = type === 'exact' ? path : withoutSlash(path);
    if (!paths.has(key)) paths.set(key, value);
    if (type === 'prefix') this.#longestPrefix = Math.max(this.#longestPrefix, key.length);
  }

  match(path: string): T | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    let prefix = withoutSlash(path);
    // Whatever a caller sends, no more of it is looked up than could be found.
    if (prefix.length > this.#longestPrefix) prefix = upTo(prefix, this.#longestPrefix);
    while (prefix !== '' && !this.#prefixes.has(prefix)) prefix = prefix.slice(0, prefix.lastIndexOf('/'));
    const value = this.#prefixes.get(prefix);
    const length = value === undefined ? -1 : prefix.length;
    return this.#patterns.find((each) => each.length > length && each.pattern.matches(path))?.value ?? value;
  }
}

/** Its longest part of at most `length` characters that ends before a slash. */
function upTo(path: string, length: number): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/', length)));
}

function withoutSlash(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}
