/** The Kubernetes API servers of a process, as its namers are given them. */
import { KubeApis } from '../k8s/apis.ts';
import { systemClock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { mathRng } from './base/rng.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';
import { version } from './version.ts';

export function makeKubeApis(
  metrics: MetricsTree,
  { log, kubeconfig }: { readonly log: Log; readonly kubeconfig?: string | undefined },
): KubeApis {
  return new KubeApis({
    auth: { env: process.env, kubeconfig },
    userAgent: `turnout/${version()}`,
    clock: systemClock,
    rng: mathRng,
    log,
    stats: metrics.scope.scope('k8s'),
    gauge: (segments, read) => metrics.computedGauge(['k8s', ...segments], read),
  });
}
