/** What a router is like whose configuration has these lines (and a server at port 4140, unless they have one). */
import type { ServerSpec } from '../../config/spec.ts';
import { LimitedLog } from '../../src/base/limited-log.ts';
import { silentLog } from '../../src/base/log.ts';
import { routerSections } from '../../src/threads/router-sections.ts';
import { router } from '../config/harness.ts';
import { HandClock } from './hand-clock.ts';
import type { RigOptions } from './rig.ts';

export function configured(lines: string): RigOptions {
  const spec = router(lines);
  const clock = new HandClock();
  const sections = routerSections(spec, [], new LimitedLog(silentLog, clock), clock);
  return {
    router: spec,
    server: spec.servers[0] as ServerSpec,
    client: sections.clientParams,
    service: sections.serviceParams,
  };
}
