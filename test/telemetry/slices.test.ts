import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OverviewRows } from '../../src/admin/live/overview-rows.ts';
import { influxLines } from '../../src/telemetry/influx.ts';
import { flatJson, prettyJson, treeJson } from '../../src/telemetry/json.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { prometheusText } from '../../src/telemetry/prometheus.ts';
import { SeriesBudget } from '../../src/telemetry/series-budget.ts';
import { inSlices, type Pieces } from '../../src/telemetry/slices.ts';
import { HandClock } from '../support/hand-clock.ts';

const SERVICES = 1000;

/** 10,000 series: of each service eight counters, a gauge and a stat. */
function manySeries(): MetricsTree {
  const tree = new MetricsTree(new HandClock());
  for (let i = 0; i < SERVICES; i++) {
    const service = tree.scope.scope('rt', 'http', 'service', `svc/a-service-of-some-length-${i}`);
    for (const name of ['requests', 'success', 'failures', 'a', 'b', 'c', 'd', 'e']) {
      service.counter(name).add(i);
    }
    service.gauge('pending').set(i);
    service.stat('request_latency_ms').observe(i);
  }
  tree.settle();
  return tree;
}

const forms: Record<string, (tree: MetricsTree) => Pieces> = {
  Prometheus: (tree) => prometheusText(tree.root, '', new SeriesBudget(20_000)),
  InfluxDB: (tree) => influxLines(tree.root, 'host'),
  'flat JSON': (tree) => flatJson(tree.root),
  'pretty JSON': (tree) => prettyJson(tree.root),
  'JSON as a tree': (tree) => treeJson(tree.root),
};

describe('Ten thousand series', () => {
  const tree = manySeries();

  for (const [name, render] of Object.entries(forms)) {
    it(`are rendered as ${name} a few hundred pieces at a time, and the loop runs in between`, async () => {
      let [pieces, most] = [0, 0];
      const counted = function* (): Pieces {
        for (const piece of render(tree)) {
          most = Math.max(most, ++pieces);
          yield piece;
        }
      };
      const stop = everyTurn(() => {
        pieces = 0;
      });
      const sizes: number[] = [];
      for await (const chunk of inSlices(counted())) sizes.push(chunk.length);
      stop();
      const whole = sizes.reduce((sum, each) => sum + each, 0);
      assert.ok(most <= 400, `${most} pieces`);
      assert.ok(Math.max(...sizes) < whole / 8, `${Math.max(...sizes)} of ${whole} characters`);
    });
  }

  it('are sampled in slices for the live overview', async () => {
    let turns = 0;
    const stop = everyTurn(() => {
      turns++;
    });
    const rows = await new OverviewRows(tree).sample(0);
    stop();
    assert.equal(rows.size, SERVICES + 1);
    assert.ok(turns >= SERVICES / 50, `${turns} turns`);
  });
});

/** Until the function that it returns is called. */
function everyTurn(callback: () => void): () => void {
  let stopped = false;
  const turn = () => {
    callback();
    if (!stopped) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    stopped = true;
  };
}
