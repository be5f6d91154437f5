/** Everything that listens to requests because the configuration says so. */
import type { LinkerSpec } from '../config/spec.ts';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { type AccessLog, openAccessLog } from './telemetry/access-log.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';
import type { Tap } from './telemetry/tap.ts';

export type ListenersDeps = {
  readonly tap: Tap;
  readonly metrics: MetricsTree;
  readonly clock: Clock;
  readonly log: Log;
};

export class Listeners {
  readonly #logs: readonly AccessLog[];

  constructor({ routers }: LinkerSpec, { tap, metrics, clock, log }: ListenersDeps) {
    this.#logs = routers.flatMap(({ label, accessLog }) => {
      const stats = metrics.scope.scope('rt', label);
      return accessLog === undefined ? [] : [openAccessLog(label, accessLog, { tap, clock, log, stats })];
    });
  }

  /** Resolves when what they were told has been written. */
  async close(): Promise<void> {
    await Promise.all(this.#logs.map((log) => log.close()));
  }
}
