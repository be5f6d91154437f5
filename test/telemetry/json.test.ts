import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { flatJson, prettyJson, treeJson } from '../../src/telemetry/json.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { HandClock } from '../support/hand-clock.ts';

function rig() {
  const clock = new HandClock();
  const tree = new MetricsTree(clock);
  const node = (...segments: string[]) => tree.find(segments)!;
  const flat = (...segments: string[]) => [...flatJson(node(...segments))].join('');
  const pretty = () => [...prettyJson(node())].join('');
  const nested = (...segments: string[]) => [...treeJson(node(...segments))].join('');
  return { clock, scope: tree.scope, flat, pretty, nested };
}

function fill() {
  const made = rig();
  const server = made.scope.scope('rt', 'http', 'server', '0.0.0.0/4140');
  server.counter('requests').add(12);
  server.gauge('pending').set(0);
  for (const ms of [1, 4, 9]) server.stat('request_latency_ms').observe(ms);
  return made;
}

describe('metrics as flat JSON', () => {
  it('joins segments by slashes and shows gauges as floats', () => {
    const text = fill().flat();
    assert.match(text, /"rt\/http\/server\/0\.0\.0\.0\/4140\/requests":12[,}]/);
    assert.match(text, /"rt\/http\/server\/0\.0\.0\.0\/4140\/pending":0\.0[,}]/);
  });

  it('shows the summary of a stat, and of an idle one only that it counted nothing', () => {
    const { clock, flat } = fill();
    clock.advance(60_000);
    const key = 'rt/http/server/0.0.0.0/4140/request_latency_ms';
    const first = JSON.parse(flat());
    const fields = ['count', 'max', 'min', 'p50', 'p90', 'p95', 'p99', 'p9990', 'p9999', 'sum'];
    assert.deepEqual(
      fields.map((field) => first[`${key}.${field}`]),
      [3, 9, 1, 4, 9, 9, 9, 9, 9, 14],
    );
    assert.ok(Math.abs(first[`${key}.avg`] - 14 / 3) < 1e-9);
    clock.advance(60_000);
    const second = JSON.parse(flat());
    assert.equal(second[`${key}.count`], 0);
    assert.ok(!(`${key}.max` in second));
  });

  it('is relative to the node asked for', () => {
    assert.deepEqual(
      Object.keys(JSON.parse(fill().flat('rt', 'http', 'server')))[0],
      '0.0.0.0/4140/requests',
    );
  });

  it('is sorted when pretty, also over many runs', () => {
    const { scope, pretty, flat } = rig();
    for (let i = 0; i < 3000; i++) scope.counter(`k${(i * 7919) % 3001}`).add(i);
    const keys = pretty().match(/^ {2}"([^"]*)"/gm) ?? [];
    assert.equal(keys.length, 3000);
    assert.deepEqual(keys, keys.toSorted());
    assert.deepEqual(JSON.parse(pretty()), JSON.parse(flat()));
  });

  it('is sorted by whole keys where a segment begins like another', () => {
    const { scope, pretty } = rig();
    scope.counter('a').add(1);
    for (const segment of ['a', 'a-b', 'a.b', 'a/b']) {
      scope.counter(segment, 'x').add(1);
      scope.stat(segment, 'ms').observe(1);
    }
    scope.counter('a', 'b', 'n').add(1);
    const keys = Object.keys(JSON.parse(pretty()));
    assert.equal(keys.length, 50);
    assert.deepEqual(keys, keys.toSorted());
  });

  it('is an empty object without metrics, and null where a number is none', () => {
    const { scope, flat, pretty } = rig();
    assert.equal(flat(), '{}');
    assert.deepEqual(JSON.parse(pretty()), {});
    scope.gauge('odd').set(Number.NaN);
    assert.equal(flat(), '{"odd":null}');
  });

  it('is JSON for whatever segments there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 })),
        (names) => {
          const { scope, flat, pretty, nested } = rig();
          for (const segments of names) scope.counter(...segments).add(1);
          for (const text of [flat(), pretty(), nested()]) JSON.parse(text);
        },
      ),
    );
  });
});

describe('metrics as a tree', () => {
  it('nests segments and puts the values beside the children', () => {
    const { scope, nested } = fill();
    scope.counter('rt', 'http', 'server', '0.0.0.0/4140', 'requests', 'sub').add(1);
    const server = JSON.parse(nested()).rt.http.server['0.0.0.0/4140'];
    assert.deepEqual(server.requests, { counter: 12, sub: { counter: 1 } });
    assert.deepEqual(server.pending, { gauge: 0 });
    assert.equal(server.request_latency_ms['stat.count'], 3);
    assert.equal(server.request_latency_ms['stat.p50'], 4);
    assert.match(nested(), /"pending":\{"gauge":0\.0\}/);
  });
});
