/**
 * The names under `/$`: `/$/<name>/rest`. `nil` and `fail` and the names that rewrite a path into another one
 * live here; those that carry addresses are passed in. A name that nobody knows is a failure, not neg: no
 * table falls back from a spelling mistake.
 */

import {
  empty as emptyTree,
  fail as failTree,
  leaf,
  type Name,
  type Namer,
  type NameTree,
  neg,
} from '../dtab/names.ts';
import { Path } from '../dtab/path.ts';
import { type Activity, failedActivity, okActivity } from '../src/base/activity.ts';
import { Failure } from '../src/base/failure.ts';

/**
 * Answers for what follows `/$/<name>`; undefined when that is not of the name's shape, as if it were not
 * known.
 */
export type SystemName = (rest: Path) => Activity<NameTree<Name>> | undefined;

/** By the segment after `/$`, e.g. `inet` or `io.buoyant.rinet`. */
export type SystemNames = Readonly<Record<string, SystemName>>;

export const SYSTEM_PREFIX = Path.of('$');

/** What follows the name, rewritten; undefined when it is not of the expected shape. */
type Rewrite = (segments: readonly string[]) => readonly string[] | undefined;

/** Stands last in a table of namers, with the prefix SYSTEM_PREFIX. */
export function systemNamer(known: SystemNames): Namer {
  const names = new Map<string, SystemName>(Object.entries({ ...OWN_NAMES, ...known }));
  return {
    lookup(path) {
      const [name] = path.segments;
      if (name === undefined) return okActivity(neg);
      const answer = names.get(name)?.(path.drop(1));
      if (answer !== undefined) return answer;
      const full = SYSTEM_PREFIX.concat(path);
      const shown = Path.of(name).show.slice(1);
      return failedActivity(new Failure('naming', `Unknown namer: ${shown} for path: ${full.show}`));
    },
  };
}

const HOST = /^[A-Za-z0-9.:_-]+$/;
const METHOD = /^[A-Z]+$/;
const PORT_NAME = /^[a-z0-9][-a-z0-9]{0,62}$/;

const isHost = (segment: string | undefined): segment is string =>
  segment !== undefined && HOST.test(segment);
const isMethod = (segment: string | undefined): segment is string =>
  segment !== undefined && METHOD.test(segment);

/** `GET/rest` -> `rest`. */
const anyMethod: Rewrite = ([method, ...rest]) => (isMethod(method) ? rest : undefined);

/** `a.b/rest` -> `rest`. */
const anyHost: Rewrite = ([host, ...rest]) => (isHost(host) ? rest : undefined);

/** `domain/sub.domain/rest` -> `sub/rest`. */
const subdomainOf: Rewrite = ([domain, host, ...rest]) => {
  if (!isHost(domain) || !isHost(host)) return undefined;
  const subdomain = subdomainIn(domain, host);
  return subdomain === undefined ? undefined : [subdomain, ...rest];
};

/** `domain/pfx/sub.domain/rest` -> `pfx/sub/rest`. */
const subdomainOfPfx: Rewrite = ([domain, prefix, ...rest]) => {
  if (domain === undefined || prefix === undefined) return undefined;
  const rewritten = subdomainOf([domain, ...rest]);
  return rewritten === undefined ? undefined : [prefix, ...rewritten];
};

/** `a.b.c/rest` -> `c/b/a/rest`. */
const domainToPath: Rewrite = ([host, ...rest]) =>
  isHost(host) ? [...splitAt(host, '.').reverse(), ...rest] : undefined;

/** `host:port/rest` -> `host/port/rest`. */
const hostport: Rewrite = ([authority, ...rest]) => {
  const parts = hostAndPort(authority);
  return parts === undefined ? undefined : [parts.host, parts.port, ...rest];
};

/** `host:port/rest` -> `port/host/rest`. */
const porthost: Rewrite = ([authority, ...rest]) => {
  const parts = hostAndPort(authority);
  return parts === undefined ? undefined : [parts.port, parts.host, ...rest];
};

/** The same rewriting behind a segment that stays where it is. */
function afterPrefix(rewrite: Rewrite): Rewrite {
  return ([prefix, ...rest]) => {
    if (prefix === undefined) return undefined;
    const rewritten = rewrite(rest);
    return rewritten === undefined ? undefined : [prefix, ...rewritten];
  };
}

function hostAndPort(authority: string | undefined): { host: string; port: string } | undefined {
  if (authority === undefined) return undefined;
  const [host, port, ...more] = splitAt(authority, ':');
  if (host === undefined || port === undefined || more.length > 0) return undefined;
  return PORT_NAME.test(port) ? { host, port } : undefined;
}

function subdomainIn(domain: string, authority: string): string | undefined {
  const colon = authority.indexOf(':');
  const host = colon > 0 ? authority.slice(0, colon) : authority;
  const suffix = `.${domain}`;
  return host.length > suffix.length && host.endsWith(suffix) ? host.slice(0, -suffix.length) : undefined;
}

/** Empty parts at the end do not count, as in `foo.com.`; others stay. */
function splitAt(text: string, separator: string): string[] {
  const parts = text.split(separator);
  while (parts.at(-1) === '') parts.pop();
  return parts;
}

/** A rewriting that would make an empty segment fails: no path can be written like that. */
function rewriting(name: string, rewrite: Rewrite): SystemName {
  return (rest) => {
    const segments = rewrite(rest.segments);
    if (segments === undefined) return okActivity(neg);
    if (!segments.includes('')) return okActivity(leaf<Name>(new Path(segments)));
    const full = Path.of('$', name).concat(rest).show;
    return failedActivity(
      new Failure('naming', `${full} would be rewritten to a path with an empty segment`),
    );
  };
}

const REWRITES: Readonly<Record<string, Rewrite>> = {
  'io.buoyant.hostportPfx': afterPrefix(hostport),
  'io.buoyant.porthostPfx': afterPrefix(porthost),
  'io.buoyant.http.anyMethod': anyMethod,
  'io.buoyant.http.anyMethodPfx': afterPrefix(anyMethod),
  'io.buoyant.http.anyHost': anyHost,
  'io.buoyant.http.anyHostPfx': afterPrefix(anyHost),
  'io.buoyant.http.subdomainOf': subdomainOf,
  'io.buoyant.http.subdomainOfPfx': subdomainOfPfx,
  'io.buoyant.http.domainToPath': domainToPath,
  'io.buoyant.http.domainToPathPfx': afterPrefix(domainToPath),
};

const OWN_NAMES: SystemNames = {
  nil: () => okActivity(emptyTree),
  fail: () => okActivity(failTree),
  ...Object.fromEntries(Object.entries(REWRITES).map(([name, rewrite]) => [name, rewriting(name, rewrite)])),
};
