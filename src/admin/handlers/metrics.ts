/** The metrics in their formats, rendered a slice at a time while they are sent. */
import { influxLines } from '../../telemetry/influx.ts';
import { flatJson, prettyJson, treeJson } from '../../telemetry/json.ts';
import type { MetricsTree } from '../../telemetry/metrics-tree.ts';
import { processMetricNames, processMetricsText } from '../../telemetry/process.ts';
import { prometheusText } from '../../telemetry/prometheus.ts';
import { SeriesBudget } from '../../telemetry/series-budget.ts';
import { inSlices } from '../../telemetry/slices.ts';
import { type AdminAnswer, type AdminRequest, flag, type Page } from '../page.ts';
import type { AdminSources } from '../sources.ts';

const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function metricsPages(sources: AdminSources): Page[] {
  const { metrics } = sources;
  const asJson = (request: AdminRequest) => jsonAnswer(metrics, request.query);
  const pages: Page[] = [
    { path: '/admin/metrics.json', methods: ['GET'], answer: asJson },
    { path: '/metrics.json', methods: ['GET'], answer: asJson },
  ];
  for (const telemeter of sources.telemetry) {
    if (telemeter.kind === 'io.l5d.influxdb') {
      pages.push({ path: '/admin/metrics/influxdb', methods: ['GET'], answer: influxAnswer(metrics) });
    }
    if (telemeter.kind !== 'io.l5d.prometheus') continue;
    const { path, prefix, maxSeries } = telemeter;
    const budget = new SeriesBudget(maxSeries);
    const answer = () => ({
      status: 200,
      type: PROMETHEUS_TYPE,
      body: prometheusBody(metrics, prefix, budget),
    });
    pages.push({ path, methods: ['GET'], answer });
  }
  return pages;
}

function jsonAnswer(metrics: MetricsTree, query: URLSearchParams): AdminAnswer {
  const asked = query.get('q') ?? '';
  const segments = asked.split('/').filter((segment) => segment !== '');
  const node = metrics.find(segments);
  if (node === undefined) {
    const error = `No such subtree: ${segments.join('/').slice(0, 1000)}`;
    return { status: 404, type: 'application/json', body: JSON.stringify({ error }) };
  }
  const render = flag(query, 'tree') ? treeJson : flag(query, 'pretty') ? prettyJson : flatJson;
  return { status: 200, type: 'application/json', body: inSlices(render(node)) };
}

function influxAnswer(metrics: MetricsTree): (request: AdminRequest) => AdminAnswer {
  return ({ rawHeaders }) => {
    const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
    const host = at === -1 ? '' : (rawHeaders[at + 1] ?? '');
    metrics.settle();
    return { status: 200, type: 'text/plain', body: inSlices(influxLines(metrics.root, host)) };
  };
}

async function* prometheusBody(
  metrics: MetricsTree,
  prefix: string,
  budget: SeriesBudget,
): AsyncGenerator<string> {
  metrics.settle();
  yield* inSlices(prometheusText(metrics.root, prefix, budget, processMetricNames()));
  yield await processMetricsText();
}
