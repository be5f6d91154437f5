/** `socketOptions`: the same keys for the admin server, servers and clients. */
import { bool, int, object, optional, withDefault } from './decode.ts';
import type { SocketSpec } from './spec.ts';

export const socketDefaults: SocketSpec = { noDelay: true, reuseAddr: true, reusePort: false };

export const socketOptions = object({
  noDelay: withDefault(bool, true),
  reuseAddr: withDefault(bool, true),
  reusePort: withDefault(bool, false),
  readTimeoutMs: optional(int(1)),
  writeTimeoutMs: optional(int(1)),
  keepAlive: optional(bool),
  backlog: optional(int(1)),
});
