/**
 * `socketOptions` of the admin server, servers and clients. What Node does not let a program choose is
 * refused when it asks for anything else than what is done anyway.
 */
import {
  bool,
  checked,
  type Decoder,
  type Ignored,
  ignored,
  int,
  object,
  optional,
  withDefault,
} from './decode.ts';
import type { SocketSpec } from './spec.ts';

export const socketDefaults: SocketSpec = { noDelay: true, reusePort: false };

const connection = {
  noDelay: withDefault(bool, true),
  keepAlive: optional(bool),
  readTimeoutMs: optional(int(1)),
  writeTimeoutMs: optional(int(1)),
};

const REUSE = 'cannot be false: Node always sets SO_REUSEADDR on a listener. Leave it out';

export const listenerSocket = object({
  ...connection,
  reusePort: withDefault(bool, false),
  backlog: optional(int(1)),
  reuseAddr: impossible(bool, (on) => (on ? undefined : REUSE)),
});

const UNBOUND =
  'has no effect on a client: the system chooses the port of each of its connections. Leave it out';

/** `reuseAddr` is about a port that is bound to, hence says nothing of a client, whatever it says. */
export const clientSocket = object({
  ...connection,
  reuseAddr: ignored(bool),
  reusePort: impossible(bool, (on) => (on ? UNBOUND : undefined)),
  backlog: impossible(int(1), () => 'has no effect on a client: only a listener has a backlog. Leave it out'),
});

function impossible<T>(decode: Decoder<T>, refuse: (value: T) => string | undefined): Ignored {
  return ignored(checked(decode, refuse));
}
