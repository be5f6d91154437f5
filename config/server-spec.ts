/**
 * `routers[].servers[]` of protocol http. Its limits on connections, time and memory are Turnout's own, and a
 * session that does nothing ends after ten minutes unless the config says otherwise.
 */
import { limitMs, session } from './client-spec.ts';
import {
  bool,
  checked,
  type Decoder,
  ignored,
  int,
  ip,
  kinds,
  list,
  map,
  nonEmpty,
  object,
  ofKind,
  optional,
  port,
  required,
  withDefault,
} from './decode.ts';
import { quote } from './errors.ts';
import { path } from './name-decoders.ts';
import { listenerSocket, socketDefaults } from './socket-spec.ts';
import type { ForwardedLabelSpec, ServerSpec } from './spec.ts';
import { serverTls } from './tls-spec.ts';

export const LOOPBACK = '127.0.0.1';
const IDLE_TIME_MS = 600_000;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

export const headerName: Decoder<string> = checked(nonEmpty, (name) =>
  HEADER_NAME.test(name) ? undefined : `${quote(name)} is not a header name`,
);

const simpleLabels = ['ip', 'ip:port', 'requestRandom', 'connectionRandom', 'router'] as const;

const forwardedLabel = kinds<ForwardedLabelSpec>('forwarded label', {
  ...Object.fromEntries(
    simpleLabels.map((kind) => [kind, map(ofKind({}), (): ForwardedLabelSpec => ({ kind }))]),
  ),
  static: map(
    ofKind({ label: required(nonEmpty) }),
    ({ label }): ForwardedLabelSpec => ({ kind: 'static', label }),
  ),
});

const randomLabel: ForwardedLabelSpec = { kind: 'requestRandom' };

const addForwardedHeader = object({
  by: withDefault(forwardedLabel, randomLabel),
  for: withDefault(forwardedLabel, randomLabel),
});

const keys = object({
  port: withDefault(port, 4140),
  ip: withDefault(ip, LOOPBACK),
  label: optional(nonEmpty),
  tls: optional(serverTls),
  maxConcurrentRequests: optional(int(1)),
  maxConnections: withDefault(int(1), 50_000),
  maxConnectionsPerSource: optional(int(1)),
  maxLoopDelayMs: optional(int(1)),
  minBodyBytesPerSec: withDefault(int(0), 100),
  maxBufferedKB: withDefault(int(1), 65_536),
  announce: ignored(list(path)),
  timeoutMs: optional(limitMs),
  clearContext: withDefault(bool, false),
  socketOptions: withDefault(listenerSocket, socketDefaults),
  serverSession: withDefault(session, {}),
  addForwardedHeader: optional(addForwardedHeader),
  timestampHeader: optional(headerName),
  maxCallDepth: withDefault(int(0), 1000),
  headTimeoutMs: withDefault(int(1), 30_000),
  bodyIdleTimeoutMs: withDefault(int(1), 60_000),
  connect: optional(object({ ports: required(list(int(1, 65535))) })),
});

export const httpServer: Decoder<ServerSpec> = map(
  keys,
  ({ serverSession, timeoutMs, maxBufferedKB, ...server }) => ({
    ...server,
    maxBufferedBytes: maxBufferedKB * 1024,
    ...(timeoutMs === undefined || timeoutMs === 0 ? {} : { timeoutMs }),
    ...(serverSession.lifeTimeMs === undefined ? {} : { lifeTimeMs: serverSession.lifeTimeMs }),
    idleTimeMs: serverSession.idleTimeMs ?? IDLE_TIME_MS,
  }),
);
