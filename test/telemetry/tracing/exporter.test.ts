/** Spans on their way to a collector, over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import { SpanExporter } from '../../../src/telemetry/tracing/exporter.ts';
import { otlpBody, zipkinBody } from '../../../src/telemetry/tracing/formats.ts';
import { spansOf } from '../../../src/telemetry/tracing/spans.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { RecordedStats } from '../../support/recorded-stats.ts';
import { until } from '../../support/until.ts';

const attempt = { client: '/#/io.l5d.fs/web', endpoint: '10.0.0.1:80', atMs: 1, ms: 2 };
const story = {
  time: '2026-11-25T12:00:00.000Z',
  router: 'out',
  server: '0.0.0.0/4140',
  peer: '[::1]:5000',
  tls: false,
  method: 'GET',
  host: 'web',
  target: '/a?token=secret',
  version: '1.1',
  status: 200,
  path: '/svc/web',
  class: 'success',
  latencyMs: 4,
  durationMs: 5.5,
  requestBytes: 0,
  responseBytes: 2,
  retries: 1,
  requeues: 1,
  attempts: [
    { ...attempt, spanId: '', failure: 'connect' },
    { ...attempt, spanId: '00000000000000a1', status: 503 },
    { ...attempt, spanId: '00000000000000a2', status: 200, tls: 'web' },
  ],
  traceId: '00000000000000aa',
  spanId: '00000000000000a0',
  parentId: '0000000000000099',
} as const;

describe('The spans of a request', () => {
  it('are the server, and every attempt that was sent as its child', () => {
    const spans = spansOf(story);
    assert.deepEqual(
      spans.map(({ kind, id, parentId, name, failed }) => ({ kind, id, parentId, name, failed })),
      [
        { kind: 'SERVER', id: story.spanId, parentId: story.parentId, name: 'out /svc/web', failed: false },
        { kind: 'CLIENT', id: '00000000000000a1', parentId: story.spanId, name: 'GET /a', failed: true },
        { kind: 'CLIENT', id: '00000000000000a2', parentId: story.spanId, name: 'GET /a', failed: false },
      ],
    );
    assert.deepEqual(spans[0]?.remote, { ip: '::1', port: 5000 });
    assert.equal(spans[2]?.tags['tls'], 'web');
    assert.ok(!JSON.stringify(spans).includes('secret'));
  });

  it('are written as zipkin and as OTLP want them', () => {
    const [server] = JSON.parse(zipkinBody(spansOf(story)));
    assert.equal(server.timestamp, Date.parse(story.time) * 1000);
    assert.equal(server.duration, 5500);
    assert.deepEqual(server.remoteEndpoint, { ipv6: '::1', port: 5000 });
    const { spans } = JSON.parse(otlpBody(spansOf(story), '1')).resourceSpans[0].scopeSpans[0];
    assert.equal(spans[0].traceId, story.traceId.padStart(32, '0'));
    assert.equal(spans[0].startTimeUnixNano, `${Date.parse(story.time)}000000`);
    assert.equal(spans[1].kind, 3);
    assert.deepEqual(spans[1].status, { code: 2 });
  });
});

describe('SpanExporter', () => {
  let server: Server;
  let statuses: number[];
  let bodies: string[];
  let clock: HandClock;
  let stats: RecordedStats;
  let exporter: SpanExporter;
  const warnings: string[] = [];

  beforeEach(async () => {
    statuses = [];
    bodies = [];
    warnings.length = 0;
    clock = new HandClock();
    stats = new RecordedStats();
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      bodies.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(statuses.shift() ?? 202).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    exporter = new SpanExporter({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2/spans`,
      body: zipkinBody,
      clock,
      log: { ...silentLog, warn: (message) => warnings.push(message) },
      stats: stats.root,
    });
  });
  afterEach(async () => {
    await exporter.close();
    server.close();
    assert.equal(clock.pending, 0);
  });

  const line = `${JSON.stringify(story)}\n`;

  it('sends what has come within a second as one batch', async () => {
    exporter.take(Buffer.from(line));
    exporter.take(Buffer.from(line + line));
    clock.advance(1000);
    await until(() => stats.value('spans/sent') === 9, 'the batch');
    assert.equal(bodies.length, 1);
    assert.match(bodies[0] ?? '', /^POST \/api\/v2\/spans \[/);
  });

  it('tries again, later and later, while the collector has troubles, and says so once', async () => {
    statuses = [503, 503];
    exporter.take(Buffer.from(line));
    for (const [i, pauseMs] of [1000, 1000, 2000].entries()) {
      await until(() => clock.pending === 1, 'the next try');
      clock.advance(pauseMs - 1);
      assert.equal(bodies.length, i);
      clock.advance(1);
      await until(() => bodies.length === i + 1, 'the try');
    }
    await until(() => stats.value('spans/sent') === 3, 'the spans');
    assert.equal(warnings.length, 1);
    assert.equal(stats.value('spans/dropped'), 0);
  });

  it('drops what the collector refuses, and what there is no room for', async () => {
    statuses = [400];
    exporter.take(Buffer.from(line));
    clock.advance(1000);
    await until(() => stats.value('spans/dropped') === 3, 'the refusal');
    exporter.take(Buffer.from(line.repeat(3000)));
    assert.equal(stats.value('spans/dropped'), 3 + 9000 - 8190);
  });
});
