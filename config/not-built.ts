/**
 * What linkerd 1.7.5 knows and Turnout has not built: the one list. Keys and kinds that stand here are
 * checked like all others and then refused with "not supported yet". Whoever builds one deletes its row and
 * decodes it where it belongs; docs/config.md lists every row.
 */
import { backoff } from './backoff-spec.ts';
import {
  bad,
  below,
  bool,
  type Decoder,
  decimal,
  type Fields,
  fails,
  type Ignored,
  ignored,
  int,
  kinds,
  list,
  nonEmpty,
  object,
  ofKind,
  oneOf,
  optional,
  port,
  required,
  string,
} from './decode.ts';
import { path } from './name-decoders.ts';
import { clientTls } from './tls-spec.ts';
import { entryOf, get, textOf, type Value } from './value.ts';

/** `experimental`: what needs `experimental: true` beside it, as in the message. */
type Row = { readonly fields: Fields; readonly experimental?: string };

const host = optional(nonEmpty);
const optionalPort = optional(port);
const flag = optional(bool);
const hostPort = object({ host: required(nonEmpty), port: optional(port) });
const zkAddrs = required(list(hostPort, 'name at least one ZooKeeper server'));
const fullZkAddrs = required(list(object({ host: required(nonEmpty), port: required(port) })));
const consistency = optional(oneOf(['default', 'stale', 'consistent']));
const retry = object(
  { baseSeconds: optional(int(1)), maxSeconds: optional(int(1)) },
  (value, { baseSeconds, maxSeconds }, at, { diagnostics }) => {
    if (baseSeconds === undefined || maxSeconds === undefined || baseSeconds <= maxSeconds) return;
    diagnostics.error('range', value.at, at, "'baseSeconds' is above 'maxSeconds'");
  },
);
const failureThreshold = object({ minPeriodMs: optional(int(0)), closeTimeoutMs: optional(int(0)) });
const istioApi = {
  discoveryHost: host,
  discoveryPort: optionalPort,
  apiserverHost: host,
  apiserverPort: optionalPort,
};
const ingress = {
  host,
  port: optionalPort,
  namespace: optional(nonEmpty),
  ingressClassAnnotation: optional(nonEmpty),
  ignoreDefaultBackends: flag,
};

const namers = {
  'io.l5d.consul': {
    fields: {
      host,
      port: optionalPort,
      includeTag: flag,
      useHealthCheck: flag,
      healthStatuses: optional(list(oneOf(['passing', 'warning', 'critical', 'maintenance']))),
      token: optional(string),
      setHost: flag,
      consistencyMode: consistency,
      failFast: flag,
      preferServiceAddress: flag,
      weights: optional(list(object({ tag: required(nonEmpty), weight: required(decimal(0, 1e9)) }))),
      transferMetadata: flag,
      fixedLengthStreamedAfterKB: optional(int(0)),
      tls: optional(clientTls),
    },
  },
  'io.l5d.marathon': {
    fields: {
      host,
      port: optionalPort,
      dst: optional(path),
      uriPrefix: optional(string),
      ttlMs: optional(int(1)),
      jitterMs: optional(int(0)),
      useHealthCheck: flag,
      tls: optional(clientTls),
    },
  },
  'io.l5d.serversets': { fields: { zkAddrs } },
  'io.l5d.zkLeader': { fields: { zkAddrs: fullZkAddrs } },
  'io.l5d.curator': { fields: { zkAddrs, basePath: optional(nonEmpty) }, experimental: 'namer' },
  'io.l5d.dnssrv': {
    fields: { refreshIntervalSeconds: optional(int(1)), dnsHosts: optional(list(nonEmpty)) },
    experimental: 'namer',
  },
  'io.l5d.rancher': {
    fields: { portMappings: optional(anyKeys(port)), maxWait: optional(int(1)) },
    experimental: 'namer',
  },
  'io.l5d.k8s.istio': { fields: { host, port: optionalPort }, experimental: 'namer' },
} satisfies Record<string, Row>;

const interpreters = {
  'io.l5d.namerd': {
    fields: {
      dst: required(path),
      namespace: optional(nonEmpty),
      retry: optional(retry),
      tls: optional(object({ commonName: required(nonEmpty), caCert: optional(nonEmpty) })),
      failureThreshold: optional(failureThreshold),
    },
  },
  'io.l5d.namerd.http': {
    fields: {
      dst: required(path),
      namespace: optional(nonEmpty),
      retry: optional(retry),
      tls: optional(clientTls),
    },
    experimental: 'interpreter',
  },
  'io.l5d.mesh': {
    fields: {
      dst: required(path),
      root: optional(path),
      tls: optional(clientTls),
      retry: optional(retry),
      failureThreshold: optional(failureThreshold),
      initialStreamWindowSizeKB: optional(int(1)),
    },
  },
  'io.l5d.k8s.configMap': {
    fields: {
      host,
      port: optionalPort,
      namespace: optional(nonEmpty),
      name: required(nonEmpty),
      filename: required(nonEmpty),
    },
    experimental: 'interpreter',
  },
  'io.l5d.consul.interpreter': {
    fields: {
      host,
      port: optionalPort,
      pathPrefix: optional(path),
      namespace: optional(nonEmpty),
      token: optional(string),
      datacenter: optional(nonEmpty),
      readConsistencyMode: consistency,
      writeConsistencyMode: consistency,
      failFast: flag,
      backoff: optional(backoff),
      tls: optional(clientTls),
    },
  },
  'io.l5d.k8s.istio': { fields: istioApi, experimental: 'interpreter' },
} satisfies Record<string, Row>;

const identifiers = {
  'io.l5d.k8s.istio': { fields: istioApi },
  'io.l5d.k8s.istio-ingress': { fields: { ...ingress, ...istioApi } },
} satisfies Record<string, Row>;

const authorizer = kinds('request authorizer', {
  'io.l5d.k8s.istio': ofKind({ mixerHost: host, mixerPort: optionalPort }),
});

const announcer = kinds('announcer', {
  'io.l5d.serversets': ofKind({
    prefix: optional(path),
    zkAddrs: required(list(object({ host: required(nonEmpty), port: required(port) }))),
    pathPrefix: optional(path),
  }),
});

/**
 * Keys by the object that they stand in. `accept` tells the values that ask for nothing more than is built.
 */
export const notBuiltKeys = {
  router: {
    announcers: key('router key "announcers"', list(announcer), (all) => all.length === 0),
  },
  'http router': {
    compressionLevel: key('router key "compressionLevel" other than 0', int(-1, 9), (level) => level === 0),
  },
  'http client': {
    requestAuthorizers: key('client key "requestAuthorizers"', list(authorizer), (all) => all.length === 0),
  },
} as const;

/** Protocols: config/other-protocols knows their keys. */
export const notBuiltProtocols = ['h2', 'thrift', 'thriftmux', 'mux'] as const;

export const notBuiltKinds = {
  namer: namers,
  interpreter: interpreters,
  identifier: identifiers,
} as const satisfies Record<string, Record<string, Row>>;

type Family = keyof typeof notBuiltKinds;

/**
 * Decoders of a family's rows: they check and then refuse. `common` are the keys that all kinds of the family
 * have.
 */
export function notBuiltDecoders(family: Family, common: Fields): Record<string, Decoder<never>> {
  const rows: Readonly<Record<string, Row>> = notBuiltKinds[family];
  const decoders: Record<string, Decoder<never>> = {};
  for (const [kind, row] of Object.entries(rows))
    decoders[kind] = refusing(`${family} "${kind}"`, row, common);
  return decoders;
}

function refusing(what: string, row: Row, common: Fields): Decoder<never> {
  const check = ofKind({ ...common, ...row.fields });
  return (value, at, context) => {
    check(value, at, context);
    const kind = entryOf(value, 'kind');
    context.diagnostics.error('not-supported', kind?.value.at ?? value.at, below(at, 'kind'), notYet(what));
    if (row.experimental !== undefined) requireExperimental(what, row.experimental, value, at, context);
    return bad;
  };
}

/** The gate of linkerd: an experimental plugin runs only when the config says that it knows. */
export function requireExperimental(
  what: string,
  family: string,
  value: Value,
  at: string,
  context: Parameters<Decoder<unknown>>[2],
): void {
  if (textOf(get(value, 'experimental'))?.toLowerCase() === 'true') return;
  const name = what.slice(what.indexOf('"'));
  const enable = "explicitly enabled by setting the `experimental' parameter to `true'.";
  const message = `The ${name} ${family} is experimental and must be ${enable}`;
  context.diagnostics.error('experimental', value.at, at, message);
}

export function notYet(what: string): string {
  return `not supported yet: ${what} (linkerd knows it, Turnout has not built it)`;
}

function key<T>(
  what: string,
  decode: Decoder<T>,
  accept?: (decoded: T) => boolean,
): Ignored & { what: string } {
  const field = ignored((value, at, context) => {
    const decoded = decode(value, at, context);
    if (decoded === bad || accept?.(decoded) === true) return decoded;
    return fails(context, 'not-supported', value, at, notYet(what));
  });
  return { ...field, what };
}

/** An object with any keys, all values of one type. */
function anyKeys(decode: Decoder<unknown>): Decoder<null> {
  return (value, at, context) => {
    if (value.type !== 'object') return fails(context, 'type', value, at, 'expected an object');
    const results = value.entries.map((entry) => decode(entry.value, below(at, entry.key), context));
    return results.includes(bad) ? bad : null;
  };
}
