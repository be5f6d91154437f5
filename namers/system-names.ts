/** The system names that carry addresses, for the table of `namers/system.ts`. */
import type { HostResolver } from './host-resolver.ts';
import { Inet } from './inet.ts';
import { statusName } from './status.ts';
import type { SystemNames } from './system.ts';

export function systemNames(resolver: HostResolver): SystemNames {
  const inet = new Inet(resolver);
  return {
    inet: (rest) => inet.inet(rest),
    fixedinet: (rest) => inet.fixedinet(rest),
    'io.buoyant.rinet': (rest) => inet.rinet(rest),
    'io.buoyant.http.status': statusName,
  };
}
