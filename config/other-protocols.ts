/**
 * The keys of the protocols that linkerd has and Turnout has not built: they are checked, so that a config is
 * known to be sound, and then the protocol is refused.
 */
import { clientKeys, limitMs, session } from './client-spec.ts';
import {
  bad,
  bool,
  type Decoder,
  decimal,
  type Fields,
  ignored,
  int,
  ip,
  kinds,
  list,
  nonEmpty,
  object,
  ofKind,
  oneOf,
  oneOrMore,
  optional,
  port,
  required,
  string,
} from './decode.ts';
import { ingress } from './identifier-spec.ts';
import { path, pattern } from './name-decoders.ts';
import {
  notBuiltDecoders,
  notBuiltKeys,
  notBuiltProtocols,
  notYet,
  requireExperimental,
} from './not-built.ts';
import { routerKeys } from './router-keys.ts';
import { serviceKeys } from './service-spec.ts';
import { listenerSocket } from './socket-spec.ts';
import { serverTls } from './tls-spec.ts';
import { get } from './value.ts';

type Shape = {
  readonly router: Fields;
  readonly server: Fields;
  readonly client: Fields;
  readonly service: Fields;
  readonly experimental?: true;
};

const forwarded = optional(
  object({
    by: optional(object({ kind: required(nonEmpty), label: optional(nonEmpty) })),
    for: optional(object({ kind: required(nonEmpty), label: optional(nonEmpty) })),
  }),
);

const h2Frames = {
  windowUpdateRatio: optional(decimal(0, 1)),
  headerTableBytes: optional(int(0)),
  initialStreamWindowBytes: optional(int(0)),
  maxFrameBytes: optional(int(16_384, 16_777_215)),
  maxHeaderListBytes: optional(int(1)),
};

const statusCodes = list(int(0));
const grpc = ofKind({ successStatusCodes: optional(statusCodes) });

const h2Classifier = kinds<unknown>('response classifier', {
  ...Object.fromEntries(
    ['nonRetryable5XX', 'retryableRead5XX', 'retryableIdempotent5XX', 'retryableAll5XX', 'allSuccessful'].map(
      (name) => [`io.l5d.h2.${name}`, ofKind({})],
    ),
  ),
  'io.l5d.h2.grpc.default': grpc,
  'io.l5d.h2.grpc.compliant': grpc,
  'io.l5d.h2.grpc.alwaysRetryable': grpc,
  'io.l5d.h2.grpc.neverRetryable': grpc,
  'io.l5d.h2.grpc.retryableStatusCodes': ofKind({
    successStatusCodes: optional(statusCodes),
    retryableStatusCodes: required(statusCodes),
  }),
});

const h2Identifier = kinds<unknown>('identifier', {
  'io.l5d.header.token': ofKind({ header: optional(nonEmpty) }),
  'io.l5d.header.path': ofKind({ header: optional(nonEmpty), segments: optional(int(1)) }),
  'io.l5d.ingress': ingress,
  ...notBuiltDecoders('identifier', {}),
});

const h2: Shape = {
  router: {
    identifier: optional(oneOrMore(h2Identifier, 'a router needs at least one identifier')),
    h2AccessLog: optional(nonEmpty),
    h2AccessLogRollPolicy: optional(nonEmpty),
    h2AccessLogAppend: optional(bool),
    h2AccessLogRotateCount: optional(int()),
    tracePropagator: optional(
      kinds('trace propagator', { 'io.l5d.default': ofKind({}), 'io.l5d.zipkin': ofKind({}) }),
    ),
  },
  server: {
    addForwardedHeader: forwarded,
    maxCallDepth: optional(int(0)),
    maxConcurrentStreamsPerConnection: optional(int(1)),
    ...h2Frames,
  },
  client: { forwardClientCert: optional(bool), ...h2Frames, ...notBuiltKeys['http client'] },
  service: {
    responseClassifier: optional(h2Classifier),
    classificationTimeoutMs: optional(int(0)),
    retryBufferSize: optional(object({ requestBytes: optional(int(0)), responseBytes: optional(int(0)) })),
  },
};

const thrift: Shape = {
  router: { thriftMethodInDst: optional(bool), thriftProtocol: optional(oneOf(['binary', 'compact'])) },
  server: { thriftFramed: optional(bool) },
  client: { thriftFramed: optional(bool), attemptTTwitterUpgrade: optional(bool) },
  service: {},
};

const shapes: Readonly<Record<(typeof notBuiltProtocols)[number], Shape>> = {
  h2,
  thrift,
  thriftmux: { ...thrift, experimental: true },
  mux: { router: {}, server: {}, client: {}, service: {} },
};

const serverKeys = {
  port: optional(port),
  ip: optional(ip),
  label: optional(nonEmpty),
  tls: optional(serverTls),
  maxConcurrentRequests: optional(int(1)),
  announce: optional(list(path)),
  timeoutMs: optional(limitMs),
  clearContext: optional(bool),
  socketOptions: optional(listenerSocket),
  serverSession: optional(session),
};

function section(family: string, keys: Fields): Decoder<unknown> {
  const entry = object({ prefix: required(pattern), ...keys });
  const table: Record<string, Decoder<unknown>> = {
    'io.l5d.global': object({ kind: ignored(string), ...keys }),
    'io.l5d.static': ofKind({ configs: required(list(entry)) }),
  };
  return kinds(family, table, 'io.l5d.global');
}

function refusing(protocol: string, shape: Shape): Decoder<never> {
  const check = object({
    ...routerKeys,
    ...shape.router,
    servers: optional(list(object({ ...serverKeys, ...shape.server }))),
    client: optional(section('client', { ...clientKeys, ...shape.client })),
    service: optional(section('service', { ...serviceKeys, ...shape.service })),
  });
  return (value, at, context) => {
    check(value, at, context);
    const place = get(value, 'protocol') ?? value;
    context.diagnostics.error('not-supported', place.at, `${at}.protocol`, notYet(`protocol "${protocol}"`));
    if (shape.experimental) requireExperimental(`"${protocol}"`, 'protocol', value, at, context);
    return bad;
  };
}

export const otherProtocols: Readonly<Record<string, Decoder<never>>> = Object.fromEntries(
  notBuiltProtocols.map((protocol) => [protocol, refusing(protocol, shapes[protocol])]),
);
