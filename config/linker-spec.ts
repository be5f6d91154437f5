/** The top level of a configuration. */
import { admin, adminDefaults } from './admin-spec.ts';
import {
  bool,
  type Decoder,
  ignored,
  list,
  map,
  object,
  optional,
  required,
  string,
  withDefault,
} from './decode.ts';
import { namer } from './namer-spec.ts';
import { router } from './router-spec.ts';
import type { LinkerSpec } from './spec.ts';
import { telemeter } from './telemeter-spec.ts';

const NO_ROUTERS = 'At least one router must be specified in the configuration.';

const keys = object({
  admin: withDefault(admin, adminDefaults),
  routers: required(list(router, NO_ROUTERS), NO_ROUTERS),
  namers: withDefault(list(namer), []),
  telemetry: withDefault(list(telemeter), []),
  // linkerd reported its use to its makers; Turnout reports to nobody, so the answer to this changes nothing.
  usage: ignored(object({ orgId: optional(string), enabled: optional(bool) })),
});

/** Everything but `json`, which is the text's own affair. */
export const linker: Decoder<Omit<LinkerSpec, 'json'>> = map(keys, (decoded, { diagnostics }) => ({
  source: diagnostics.source,
  ...decoded,
}));
