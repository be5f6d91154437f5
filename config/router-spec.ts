/** `routers[]`: the keys of protocol http, and the choice by `protocol`. */
import { accessLogKeys, accessLogOf } from './access-log-spec.ts';
import { clientSection } from './client-spec.ts';
import { bool, type Decoder, int, kinds, list, map, object, ofKind, withDefault } from './decode.ts';
import { identifierDefault, identifiers } from './identifier-spec.ts';
import { emptyDtab } from './name-decoders.ts';
import { notBuiltKeys } from './not-built.ts';
import { otherProtocols } from './other-protocols.ts';
import { routerKeys } from './router-keys.ts';
import { httpServer } from './server-spec.ts';
import { serviceSection } from './service-spec.ts';
import type { RouterSpec } from './spec.ts';

const KB = 1024;
const KB_MAX = 2_097_151;

const tracePropagator = kinds<RouterSpec['tracePropagator']>('trace propagator', {
  'io.l5d.default': map(ofKind({}), () => ({ kind: 'io.l5d.default' })),
  'io.l5d.zipkin': map(ofKind({}), () => ({ kind: 'io.l5d.zipkin' })),
});

const kilobytes = int(0, KB_MAX);

const keys = object({
  ...routerKeys,
  // An absent or empty list is refused by config/checks, with the router's label.
  servers: withDefault(list(httpServer), []),
  identifier: withDefault(identifiers, identifierDefault),
  client: withDefault(clientSection, []),
  service: withDefault(serviceSection, []),
  streamAfterContentLengthKB: withDefault(kilobytes, 5),
  streamingEnabled: withDefault(bool, true),
  maxHeadersKB: withDefault(int(1, KB_MAX), 8),
  maxInitialLineKB: withDefault(int(1, KB_MAX), 4),
  maxErrResponseKB: withDefault(kilobytes, 5120),
  tracePropagator: withDefault(tracePropagator, { kind: 'io.l5d.default' }),
  ...accessLogKeys,
  ...notBuiltKeys['http router'],
});

const http: Decoder<RouterSpec> = map(keys, (router, { diagnostics }) => ({
  protocol: 'http',
  label: router.label ?? 'http',
  dstPrefix: router.dstPrefix,
  dtab: router.dtab ?? emptyDtab(diagnostics.source),
  originator: router.originator,
  servers: router.servers,
  interpreter: router.interpreter,
  bindingTimeoutMs: router.bindingTimeoutMs,
  bindingCache: {
    paths: router.bindingCache.paths,
    trees: router.bindingCache.trees,
    bounds: router.bindingCache.bounds,
    clients: router.bindingCache.clients,
    idleTtlMs: router.bindingCache.idleTtlSecs * 1000,
  },
  identifiers: router.identifier,
  client: router.client,
  service: router.service,
  streamAfterBytes: router.streamingEnabled
    ? router.streamAfterContentLengthKB * KB
    : Number.POSITIVE_INFINITY,
  maxHeadersBytes: router.maxHeadersKB * KB,
  maxInitialLineBytes: router.maxInitialLineKB * KB,
  maxErrResponseChars: router.maxErrResponseKB * KB,
  tracePropagator: router.tracePropagator,
  ...withAccessLog(accessLogOf(router)),
}));

function withAccessLog(accessLog: RouterSpec['accessLog']): Pick<RouterSpec, 'accessLog'> {
  return accessLog === undefined ? {} : { accessLog };
}

export const router: Decoder<RouterSpec> = kinds<RouterSpec>(
  'router',
  { http, ...otherProtocols },
  undefined,
  'protocol',
);
