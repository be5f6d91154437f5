import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRng } from '../../src/base/rng.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { processMetricNames, processMetricsText } from '../../src/telemetry/process.ts';
import { prometheusText } from '../../src/telemetry/prometheus.ts';
import { SeriesBudget } from '../../src/telemetry/series-budget.ts';
import { HandClock } from '../support/hand-clock.ts';
import { parseExposition } from './exposition-parser.ts';

function rig(prefix = '', maxSeries = 10_000) {
  const clock = new HandClock();
  const tree = new MetricsTree(clock);
  const budget = new SeriesBudget(maxSeries);
  const render = () => {
    tree.settle();
    return [...prometheusText(tree.root, prefix, budget)].join('');
  };
  return {
    clock,
    scope: tree.scope,
    tree,
    render,
    lines: () =>
      render()
        .split('\n')
        .filter((line) => line !== ''),
  };
}

describe('Prometheus exposition', () => {
  it('turns routers, servers, services, clients and exceptions into labels', () => {
    const { scope, lines } = rig();
    const rt = scope.scope('rt', 'http');
    rt.counter('server', '0.0.0.0/4140', 'requests').add(12);
    rt.counter('server', '0.0.0.0/4140', 'failures').add(2);
    rt.counter('server', '0.0.0.0/4140', 'failures', 'A').add(1);
    rt.counter('server', '0.0.0.0/4140', 'failures', 'A', 'B').add(1);
    rt.counter('server', '0.0.0.0/4140', 'exn', 'E').add(3);
    rt.counter('server', '0.0.0.0/4140', 'exn', 'E', 'F').add(4);
    rt.counter('server', '0.0.0.0/4140', 'status', '2XX').add(10);
    rt.counter('service', 'svc/web', 'retries', 'total');
    const client = rt.scope('client', '#/io.l5d.fs/web');
    client.counter('requests').add(12);
    client.counter('service', 'svc/web', 'requests').add(11);
    client.counter('service', 'svc/web', 'failures', 'A').add(1);
    client.counter('service_creation', 'failures', 'com.twitter.X').add(1);
    client.gauge('loadbalancer', 'size').set(3);
    scope.gauge('jvm', 'mem', 'current', 'used').set(1.5);
    const got = lines().filter((line) => !line.startsWith('#'));
    assert.deepEqual(got, [
      'rt:server:requests{rt="http", server="0.0.0.0/4140"} 12',
      'rt:server:failures{rt="http", server="0.0.0.0/4140"} 2',
      'rt:server:failures{rt="http", server="0.0.0.0/4140", exception="A"} 1',
      'rt:server:failures{rt="http", server="0.0.0.0/4140", exception="A:B"} 1',
      'rt:server:exceptions{rt="http", server="0.0.0.0/4140", exception="E"} 3',
      'rt:server:exceptions{rt="http", server="0.0.0.0/4140", exception="E:F"} 4',
      'rt:server:status:2XX{rt="http", server="0.0.0.0/4140"} 10',
      'rt:service:retries:total{rt="http", service="svc/web"} 0',
      'rt:client:requests{rt="http", client="#/io.l5d.fs/web"} 12',
      'rt:client:service:requests{rt="http", client="#/io.l5d.fs/web", service="svc/web"} 11',
      'rt:client:service:failures:A{rt="http", client="#/io.l5d.fs/web", service="svc/web"} 1',
      'rt:client:service_creation:failures:com_twitter_X{rt="http", client="#/io.l5d.fs/web"} 1',
      'rt:client:loadbalancer:size{rt="http", client="#/io.l5d.fs/web"} 3.0',
      'jvm:mem:current:used 1.5',
    ]);
  });

  it('announces every family once and keeps its samples together', () => {
    const { scope, render } = rig();
    for (const service of ['a', 'b', 'c']) {
      scope.counter('rt', 'http', 'service', service, 'requests').add(1);
      scope.gauge('rt', 'http', 'service', service, 'pending').set(2);
      scope.stat('rt', 'http', 'service', service, 'request_latency_ms').observe(7);
    }
    const { types, samples } = parseExposition(render());
    assert.deepEqual(
      [...types],
      [
        ['rt:service:requests', 'counter'],
        ['rt:service:pending', 'gauge'],
        ['rt:service:request_latency_ms', 'summary'],
        ['rt:service:request_latency_ms_avg', 'gauge'],
      ],
    );
    assert.equal(samples.length, 3 * (1 + 1 + 2 + 8 + 1));
  });

  it('shows quantiles of the last window and cumulative counts and sums', () => {
    const { clock, scope, render } = rig();
    const stat = scope.stat('ms');
    const read = () => {
      const { samples } = parseExposition(render());
      return Object.fromEntries(
        samples.map(({ name, labels, value }) => [name + (labels.get('quantile') ?? ''), value]),
      );
    };
    for (let i = 1; i <= 10; i++) stat.observe(i);
    clock.advance(60_000);
    assert.deepEqual(
      [read()['ms_count'], read()['ms_sum'], read()['ms_avg'], read()['ms0'], read()['ms0.5'], read()['ms1']],
      [10, 55, 5.5, 1, 5, 10],
    );
    stat.observe(100);
    clock.advance(60_000);
    assert.deepEqual([read()['ms_count'], read()['ms_sum'], read()['ms0']], [11, 155, 100]);
    clock.advance(60_000);
    assert.deepEqual(read(), { ms_count: 11, ms_sum: 155 });
  });

  it('puts the configured prefix in front without a separator', () => {
    const { scope, lines } = rig('linker-d_');
    scope.counter('rt', 'http', 'x').add(1);
    assert.deepEqual(lines(), ['# TYPE linker_d_rt:x counter', 'linker_d_rt:x{rt="http"} 1']);
  });

  it('escapes label values so that they come back as they were', () => {
    const { scope, render } = rig();
    const hostile = ['a"b', 'back\\slash', 'new\nline', 'ünïcode ☃', '\\n"', '} 1', '', 'a, b="c'];
    for (const name of hostile) scope.counter('rt', 'http', 'service', name, 'requests').add(1);
    const { samples } = parseExposition(render());
    assert.deepEqual(
      samples.map(({ labels }) => labels.get('service')),
      hostile,
    );
  });

  it('is valid for whatever segments there are', () => {
    const segment = fc.oneof(
      fc.string({ maxLength: 6, unit: 'binary' }),
      fc.constantFrom(
        'rt',
        'http',
        'server',
        'client',
        'service',
        'failures',
        'exn',
        'exceptions',
        'a',
        'a_count',
      ),
      fc.constantFrom('a b', 'a_b', 'a:b', '"', '\\', '\n', '9', 'a_sum', 'a_avg', '\ud800', '\udc00'),
    );
    const metric = fc.record({
      segments: fc.array(segment, { minLength: 1, maxLength: 6 }),
      type: fc.constantFrom('counter', 'gauge', 'stat'),
    });
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 12 }), (metrics) => {
        const { scope, render, tree } = rig();
        const seen = new Set<string>();
        let expected = 0;
        for (const { segments, type } of metrics) {
          const key = JSON.stringify(segments);
          if (seen.has(key)) continue;
          seen.add(key);
          // A stat has count, sum, average and eight quantiles.
          expected += type === 'stat' ? 11 : 1;
          if (type === 'counter') scope.counter(...segments).add(1);
          else if (type === 'gauge') scope.gauge(...segments).set(-0.5);
          else scope.stat(...segments).observe(3);
        }
        const text = render();
        if (seen.size === 0) assert.equal(text, '');
        else assert.equal(parseExposition(Buffer.from(text).toString('utf8')).samples.length, expected);
        tree.close();
      }),
      { numRuns: 500 },
    );
  });

  it('never lets a counter go down, whatever threads end and windows close', () => {
    const { clock, scope, render } = rig();
    const counter = scope.counter('n');
    const stat = scope.stat('ms');
    let before = new Map<string, number>();
    for (let i = 0; i < 8; i++) {
      counter.add(i % 3);
      stat.observe(i * 10);
      clock.advance(25_000);
      const now = new Map<string, number>();
      for (const { name, value } of parseExposition(render()).samples) {
        if (name === 'n' || name === 'ms_count' || name === 'ms_sum') now.set(name, value);
      }
      for (const [name, value] of before) assert.ok((now.get(name) ?? -1) >= value, name);
      before = now;
    }
  });

  it('adds up what is beyond the budget of a label, and says how many those are', () => {
    const { scope, render, lines } = rig('', 2);
    for (const [i, service] of ['a', 'b', 'c', 'd'].entries()) {
      const each = scope.scope('rt', 'http', 'service', service);
      each.counter('requests').add(i + 1);
      each.gauge('pending').set(1);
      each.stat('ms').observe(10 * i);
    }
    const got = lines().filter((line) => !line.startsWith('#') && !line.includes('quantile'));
    assert.deepEqual(got, [
      'rt:service:requests{rt="http", service="a"} 1',
      'rt:service:requests{rt="http", service="b"} 2',
      'rt:service:requests{rt="http", service="_other"} 7',
      'rt:service:pending{rt="http", service="a"} 1.0',
      'rt:service:pending{rt="http", service="b"} 1.0',
      'rt:service:pending{rt="http", service="_other"} 2.0',
      'rt:service:ms_count{rt="http", service="a"} 1',
      'rt:service:ms_sum{rt="http", service="a"} 0',
      'rt:service:ms_count{rt="http", service="b"} 1',
      'rt:service:ms_sum{rt="http", service="b"} 10',
      'rt:service:ms_count{rt="http", service="_other"} 2',
      'rt:service:ms_sum{rt="http", service="_other"} 50',
      'rt:service:ms_avg{rt="http", service="a"} 0',
      'rt:service:ms_avg{rt="http", service="b"} 10',
      'telemetry:folded_values{label="service"} 2.0',
    ]);
    parseExposition(render());
  });

  it('never lets _other go down nor a name move, whatever comes and goes', () => {
    const { scope, render, tree } = rig('', 3);
    const numbers = seededRng(5);
    let before = new Map<string, number>();
    let goneBefore = new Set<string>();
    for (let scrape = 0; scrape < 200; scrape++) {
      const gone = new Set<string>();
      for (let i = 0; i < 8; i++) {
        const service = scope.scope('rt', 'http', 'service', `s${i}`);
        service.counter('requests').add(numbers.below(5));
        service.stat('ms').observe(numbers.below(100));
        if (numbers.below(10) > 0) continue;
        service.prune();
        gone.add(`s${i}`);
      }
      tree.settle();
      const now = new Map<string, number>();
      for (const { name, labels, value } of parseExposition(render()).samples) {
        if (/requests|_count|_sum/.test(name)) now.set(`${name} ${labels.get('service')}`, value);
      }
      for (const [key, value] of before) {
        const service = key.split(' ')[1] ?? '';
        if (service === '_other')
          assert.ok((now.get(key) ?? 0) >= value, `${key}: ${value}, ${now.get(key)}`);
        else if (!gone.has(service) && !goneBefore.has(service)) {
          assert.ok((now.get(key) ?? -1) >= value, `${key}: ${value}, ${now.get(key)}`);
        }
      }
      before = now;
      goneBefore = gone;
    }
    assert.ok((before.get('rt:service:requests _other') ?? 0) > 500);
  });

  it('stays valid with the process metrics appended', async () => {
    const { scope, tree } = rig();
    scope.counter('process_cpu_seconds_total').add(1);
    tree.settle();
    const own = [...prometheusText(tree.root, '', new SeriesBudget(10), processMetricNames())].join('');
    const { types } = parseExposition(own + (await processMetricsText()));
    assert.equal(types.get('process_cpu_seconds_total'), 'counter');
    assert.equal(types.get('process_cpu_seconds_total_counter'), 'counter');
    assert.ok(types.has('nodejs_heap_size_used_bytes'));
  });
});
