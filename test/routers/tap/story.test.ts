/** Lines of stories that are made of parts which were written before. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, Exchange, Opaque, type ServiceStage } from '../../../routers/exchange.ts';
import { Fields } from '../../../routers/fields.ts';
import { LineBytes } from '../../../routers/tap/line-bytes.ts';
import { Story, StoryOrigin } from '../../../routers/tap/story.ts';
import { ToldEndpoint } from '../../../routers/tap/told-endpoint.ts';
import type { StoryRecord } from '../../../src/telemetry/tap.ts';

const origin = new StoryOrigin('http', '127.0.0.1/4140', false);

/** The line of a GET that was tried at these endpoints, a millisecond each, and answered 200. */
function line(path: string, tried: readonly ToldEndpoint[], change: (exchange: Exchange) => void = () => {}) {
  const head = { method: 'GET', target: '/', minor: 1, fields: Fields.of([['Host', 'web']]) };
  const exchange = new Exchange(head as Exchange['head'], { peer: '127.0.0.1:5000' } as Answer, 0);
  exchange.service = services.get(path) ?? ({ name: path, told: undefined } as ServiceStage);
  services.set(path, exchange.service);
  exchange.routed = true;
  change(exchange);
  const story = new Story(exchange, origin, 1, () => {});
  for (const [i, at] of tried.entries()) {
    story.tried(at, i);
    story.responded(200, i + 1);
  }
  story.answered(200, Fields.of([]), tried.length);
  const bytes = new LineBytes();
  story.write(bytes, tried.length, 1_000_000, false);
  return JSON.parse(bytes.written.toString()) as StoryRecord;
}

const services = new Map<string, ServiceStage>();

describe('The line of a request', () => {
  it('has the name that its endpoint proved, in both places', () => {
    const at = new ToldEndpoint('/#/a "b"', '10.0.0.1:80', 'web"s');
    const { client, endpoint, endpointTls, attempts } = line('/svc/a', [at]);
    assert.deepEqual([client, endpoint, endpointTls], ['/#/a "b"', '10.0.0.1:80', 'web"s']);
    assert.deepEqual(attempts, [
      { client, endpoint, tls: endpointTls, atMs: 0, ms: 1, spanId: '', status: 200 },
    ]);
    assert.equal(line('/svc/a', [new ToldEndpoint('/#/a', '10.0.0.1:80', undefined)]).endpointTls, undefined);
  });

  it('has its own path, whoever came to the endpoint before', () => {
    const at = new ToldEndpoint('/#/a', '10.0.0.1:80', undefined);
    const told = ['/svc/a', '/svc/b', '/svc/a', '/svc/"c'].map((path) => line(path, [at]));
    assert.deepEqual(
      told.map(({ path, endpoint, class: outcome }) => [path, endpoint, outcome]),
      ['/svc/a', '/svc/b', '/svc/a', '/svc/"c'].map((path) => [path, at.endpoint, 'success']),
    );
  });

  it('has its own outcome and way, whatever the one before had', () => {
    const at = new ToldEndpoint('/#/a', '10.0.0.1:80', undefined);
    const plain = line('/svc/a', [at]);
    const failed = line('/svc/a', [at], (exchange) => {
      exchange.responseClass = 'retryable-failure' as Exchange['responseClass'];
    });
    const tunnel = line('/svc/a', [at], (exchange) => {
      exchange.opaque = Opaque.tls;
    });
    const retried = line('/svc/a', [at, at, at], (exchange) => {
      exchange.retries = 1;
    });
    assert.deepEqual(
      [plain, failed, tunnel, retried].map((each) => [each.class, each.tunnel, each.attempts.length]),
      [
        ['success', undefined, 1],
        ['failure', undefined, 1],
        ['success', 'tls', 1],
        ['success', undefined, 3],
      ],
    );
    assert.deepEqual([retried.retries, retried.requeues], [1, 1]);
    assert.deepEqual(
      retried.attempts.map(({ endpoint, atMs }) => [endpoint, atMs]),
      [0, 1, 2].map((atMs) => [at.endpoint, atMs]),
    );
  });
});
