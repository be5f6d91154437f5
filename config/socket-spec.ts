/** `socketOptions` of the admin server, servers and clients, each with the keys that mean something there. */
import { bool, int, object, optional, withDefault } from './decode.ts';
import { notBuiltKeys } from './not-built.ts';
import type { SocketSpec } from './spec.ts';

export const socketDefaults: SocketSpec = { noDelay: true, reusePort: false };

const listening = {
  noDelay: withDefault(bool, true),
  reusePort: withDefault(bool, false),
  keepAlive: optional(bool),
  backlog: optional(int(1)),
  ...notBuiltKeys['listener socket'],
};

export const adminSocket = object({
  ...listening,
  readTimeoutMs: optional(int(1)),
  writeTimeoutMs: optional(int(1)),
});

export const serverSocket = object({ ...listening, ...notBuiltKeys['server socket'] });

export const clientSocket = object(notBuiltKeys['client socket']);
