/**
 * `admin` and `telemetry`. `workerThreads` is checked and means nothing here: the admin server has the
 * control thread.
 */
import {
  bad,
  bool,
  checked,
  type Decoder,
  fails,
  ignored,
  int,
  ip,
  list,
  nonEmpty,
  object,
  optional,
  port,
  required,
  string,
  withDefault,
} from './decode.ts';
import { quote } from './errors.ts';
import { path } from './name-decoders.ts';
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

/** Stands in addresses as one segment. */
const nodeName = checked(nonEmpty, (text) =>
  /^[\w.:-]{1,253}$/.test(text) && !/^\.\.?$/.test(text)
    ? undefined
    : `${quote(text)} is not a name of a node`,
);

const nodeUrl = checked(nonEmpty, (text) => {
  const url = URL.parse(text);
  const plain = url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '';
  if (plain && url.username === '' && url.password === '') return undefined;
  return `${quote(text)} is not the address of an admin server, such as http://10.0.0.2:9990`;
});

const fleet = object({
  peers: withDefault(
    checked(list(object({ name: required(nodeName), url: required(nodeUrl) })), (peers) => {
      const names = peers.map(({ name }) => name);
      const again = names.find((name, i) => names.indexOf(name) !== i);
      return again === undefined ? undefined : `two nodes have the name ${quote(again)}`;
    }),
    [],
  ),
  dst: optional(path),
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
  fleet: optional(fleet),
  workerThreads: ignored(int(1)),
});
