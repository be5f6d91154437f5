import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { influxLines } from '../../src/telemetry/influx.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { HandClock } from '../support/hand-clock.ts';

function rig() {
  const tree = new MetricsTree(new HandClock());
  const lines = (host = '127.0.0.1:9990') => {
    tree.settle();
    return [...influxLines(tree.root, host)].join('').split('\n').slice(0, -1);
  };
  return { scope: tree.scope, tree, lines };
}

describe('The InfluxDB line protocol', () => {
  it('has a line a place, with tags and fields in order', () => {
    const { scope, lines } = rig();
    const server = scope.scope('rt', 'http', 'server', '0.0.0.0/4140');
    server.counter('requests').add(12);
    server.counter('success').add(12);
    server.counter('failures').add(0);
    server.gauge('pending').set(0);
    assert.deepEqual(lines(), [
      'rt:server,host=127.0.0.1:9990,rt=http,server=0.0.0.0/4140 failures=0,pending=0.0,requests=12,success=12',
    ]);
  });

  it('names exceptions in the name, services of clients in tags, and what has no place "root"', () => {
    const { scope, lines } = rig();
    scope.counter('up').add(1);
    const client = scope.scope('rt', 'http', 'client', '#/io.l5d.fs/web');
    client.counter('failures', 'connect').add(2);
    client.counter('service', 'svc/web', 'requests').add(3);
    assert.deepEqual(lines(''), [
      'root,host=none up=1',
      'rt:client:failures,client=#/io.l5d.fs/web,host=none,rt=http connect=2',
      'rt:client:service,client=#/io.l5d.fs/web,host=none,rt=http,service=svc/web requests=3',
    ]);
  });

  it('shows a stat as its fields, and nothing of one that is empty', () => {
    const { scope, lines } = rig();
    for (const value of [1, 4, 9]) scope.stat('a', 'ms').observe(value);
    scope.stat('b', 'ms');
    const [line = '', ...others] = lines('h');
    assert.deepEqual(others, []);
    assert.match(line, /^a,host=h ms_avg=4\.66\d+,ms_count=3,ms_max=9,ms_min=1,ms_p50=4,ms_p90=9,/);
    assert.match(line, /,ms_p95=9,ms_p99=9,ms_p999=9,ms_p9999=9,ms_sum=14$/);
  });

  it('is a sequence of well-formed lines, whatever names and hosts are', () => {
    const key = String.raw`(?:[^\s,=\\]|\\[\s,=])+`;
    const wellFormed = RegExp(
      `^[A-Za-z0-9_:]+(?:,${key}=${key})+ ${key}=[-\\d.e+]+(?:,${key}=[-\\d.e+]+)*$`,
      'u',
    );
    const name = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), fc.string(), (segments, host) => {
        const { scope, lines } = rig();
        scope.counter('rt', 'http', 'client', ...segments).add(1);
        scope.gauge('x', ...segments).set(1.5);
        for (const line of lines(host)) assert.match(line, wellFormed);
      }),
    );
  });
});
