/** Everything that listens to requests because the configuration says so. */
import type { LinkerSpec, TelemeterSpec } from '../config/spec.ts';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import { mathRng } from './base/rng.ts';
import { openAccessLog } from './telemetry/access-log.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';
import { RecentRequests } from './telemetry/recent-requests.ts';
import { Statsd } from './telemetry/statsd.ts';
import { everything, type Listening, type TakeLines, type Tap } from './telemetry/tap.ts';
import { SpanExporter } from './telemetry/tracing/exporter.ts';
import { otlpBody, zipkinBody } from './telemetry/tracing/formats.ts';
import type { Span } from './telemetry/tracing/spans.ts';
import { logTraces } from './telemetry/tracing/tracelog.ts';
import { version } from './version.ts';

export type ListenersDeps = {
  readonly tap: Tap;
  readonly metrics: MetricsTree;
  readonly clock: Clock;
  readonly log: Log;
};

type Listener = { close(): void | Promise<void> };

export class Listeners {
  /** Of the telemeter `io.l5d.recentRequests`. */
  readonly recent: RecentRequests | undefined;
  readonly #deps: ListenersDeps;
  readonly #open: Listener[] = [];

  constructor({ routers, telemetry }: LinkerSpec, deps: ListenersDeps) {
    this.#deps = deps;
    const { tap, metrics, clock, log } = deps;
    for (const { label, accessLog } of routers) {
      const stats = metrics.scope.scope('rt', label);
      if (accessLog !== undefined) {
        this.#open.push(openAccessLog(label, accessLog, { tap, clock, log, stats }));
      }
    }
    let recent: RecentRequests | undefined;
    for (const spec of telemetry) recent = this.#start(spec) ?? recent;
    this.recent = recent;
  }

  /** Resolves when what they were told has been written or sent. */
  async close(): Promise<void> {
    await Promise.all(this.#open.map((listener) => listener.close()));
  }

  #start(spec: TelemeterSpec): RecentRequests | undefined {
    const { log } = this.#deps;
    switch (spec.kind) {
      case 'io.l5d.prometheus':
      case 'io.l5d.influxdb':
        return undefined;
      case 'io.l5d.statsd':
        this.#open.push(new Statsd(spec, { ...this.#deps, rng: mathRng }));
        return undefined;
      case 'io.l5d.recentRequests': {
        const recent = new RecentRequests(spec.capacity);
        const take: TakeLines = (lines, count) => recent.take(lines, count);
        this.#listen(spec.kind, { ...everything, rate: spec.sampleRate }, take, spec.capacity);
        return recent;
      }
      case 'io.l5d.tracelog':
        this.#listen(spec.kind, traces(spec.sampleRate), logTraces(log, spec.level));
        return undefined;
      case 'io.l5d.zipkin':
        this.#export(spec, `http://${bracketed(spec.host)}:${spec.port}/api/v2/spans`, zipkinBody);
        return undefined;
      case 'io.turnout.otlp': {
        const url = `${spec.endpoint.replace(/\/$/, '')}/v1/traces`;
        this.#export(spec, url, (spans) => otlpBody(spans, version()));
        return undefined;
      }
    }
  }

  #export(
    { kind, sampleRate }: { readonly kind: string; readonly sampleRate: number },
    url: string,
    body: (spans: readonly Span[]) => string,
  ): void {
    const { metrics, clock, log } = this.#deps;
    const exporter = new SpanExporter({ url, body, clock, log, stats: metrics.scope.scope('tracing', kind) });
    this.#listen(kind, traces(sampleRate), (lines) => exporter.take(lines));
    this.#open.push(exporter);
  }

  #listen(kind: string, wanted: Listening, take: TakeLines, last?: number): void {
    const options = { traces: true, ...(last === undefined ? {} : { last }) };
    const listener = this.#deps.tap.listen(wanted, take, options);
    if (listener === undefined) this.#deps.log.error('too many listen to requests', { kind });
    else this.#open.push(listener);
  }
}

const traces = (rate: number): Listening => ({ ...everything, rate, sampling: 'trace' });

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
