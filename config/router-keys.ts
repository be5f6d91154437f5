/** What routers of every protocol have. */
import { bool, ignored, int, nonEmpty, object, optional, string, withDefault } from './decode.ts';
import { interpreter, interpreterDefault } from './interpreter-spec.ts';
import { dtab, path } from './name-decoders.ts';
import { notBuiltKeys } from './not-built.ts';

const BINDINGS = 1000;
const IDLE_TTL_SECS = 600;

const bindingCache = object({
  paths: withDefault(int(1), BINDINGS),
  trees: withDefault(int(1), BINDINGS),
  bounds: withDefault(int(1), BINDINGS),
  clients: withDefault(int(1), BINDINGS),
  idleTtlSecs: withDefault(int(1), IDLE_TTL_SECS),
});

export const routerKeys = {
  protocol: ignored(string),
  label: optional(nonEmpty),
  dtab: optional(dtab),
  dstPrefix: withDefault(path, '/svc'),
  originator: withDefault(bool, false),
  interpreter: withDefault(interpreter, interpreterDefault),
  bindingTimeoutMs: withDefault(int(1), 10_000),
  bindingCache: withDefault(bindingCache, {
    paths: BINDINGS,
    trees: BINDINGS,
    bounds: BINDINGS,
    clients: BINDINGS,
    idleTtlSecs: IDLE_TTL_SECS,
  }),
  experimental: ignored(bool),
  ...notBuiltKeys.router,
};
