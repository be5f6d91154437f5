/**
 * `admin` and `telemetry`. `workerThreads` is checked and means nothing here: the admin server has the
 * control thread.
 */
import {
  bad,
  bool,
  type Decoder,
  fails,
  ignored,
  int,
  ip,
  list,
  object,
  optional,
  port,
  string,
  withDefault,
} from './decode.ts';
import { quote } from './errors.ts';
import { LOOPBACK } from './server-spec.ts';
import { listenerSocket, socketDefaults } from './socket-spec.ts';
import type { AdminSpec } from './spec.ts';
import { serverTls } from './tls-spec.ts';

export const ADMIN_PORT = 9990;
const DELAY_MS_MAX = 3_600_000;

export const adminDefaults: AdminSpec = {
  ip: LOOPBACK,
  port: ADMIN_PORT,
  shutdownGraceMs: 10_000,
  drain: { delayMs: 0 },
  reload: { watch: true, remote: false },
  socketOptions: socketDefaults,
};

const regex: Decoder<string> = (value, path, context) => {
  const text = string(value, path, context);
  if (text === bad) return bad;
  try {
    new RegExp(`^(?:${text})$`);
    return text;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fails(context, 'type', value, path, `${quote(text)} is not a regular expression: ${why}`);
  }
};

const security = object({
  uiEnabled: withDefault(bool, true),
  controlEnabled: withDefault(bool, true),
  diagnosticsEnabled: withDefault(bool, true),
  pathWhitelist: withDefault(list(regex), []),
  pathBlacklist: withDefault(list(regex), []),
});

export const admin: Decoder<AdminSpec> = object({
  ip: withDefault(ip, LOOPBACK),
  port: withDefault(port, ADMIN_PORT),
  shutdownGraceMs: withDefault(int(0), adminDefaults.shutdownGraceMs),
  drain: withDefault(object({ delayMs: withDefault(int(0, DELAY_MS_MAX), 0) }), adminDefaults.drain),
  reload: withDefault(
    object({ watch: withDefault(bool, true), remote: withDefault(bool, false) }),
    adminDefaults.reload,
  ),
  socketOptions: withDefault(listenerSocket, socketDefaults),
  tls: optional(serverTls),
  httpIdentifierPort: optional(port),
  security: optional(security),
  workerThreads: ignored(int(1)),
});
