/**
 * Pushes the metrics to a StatsD server over UDP. Once a second: what counters have grown by, and samples of
 * what stats have observed (as timers, at the middle of their buckets); every `gaugeIntervalMs`: all gauges.
 * A share of `sampleRate` is sent, and each line says so. What does not fit into the queue of one round is
 * dropped and counted, and a server that cannot be reached is logged once until it can be again.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { TelemeterSpec } from '../../config/spec.ts';
import type { Clock } from '../base/clock.ts';
import { type Closable, nothingToClose } from '../base/closable.ts';
import type { Log } from '../base/log.ts';
import type { Rng } from '../base/rng.ts';
import type { Counter } from '../base/stats.ts';
import { BucketSum } from './histogram.ts';
import { StatMetric, type ValueMetric } from './metric.ts';
import type { MetricNode, MetricsTree } from './metrics-tree.ts';
import { PartWindow, type SlabPart } from './slab-source.ts';
import { inSlices, type Pieces } from './slices.ts';

export type StatsdSpec = TelemeterSpec & { readonly kind: 'io.l5d.statsd' };

export type StatsdDeps = {
  readonly metrics: MetricsTree;
  readonly clock: Clock;
  readonly log: Log;
  readonly rng: Rng;
};

const ROUND_MS = 1000;
const QUEUE_LINES = 10_000;
/** What a datagram carries without being cut up on the way. */
const DATAGRAM_BYTES = 1400;

export class Statsd {
  readonly #spec: StatsdSpec;
  readonly #deps: StatsdDeps;
  readonly #dropped: Counter;
  readonly #counted = new WeakMap<ValueMetric, number>();
  readonly #windows = new WeakMap<SlabPart, PartWindow>();
  readonly #buckets = new BucketSum();
  readonly #socket: Socket;
  #gaugesMs = Number.NEGATIVE_INFINITY;
  #timer: Closable = nothingToClose;
  #troubled = false;
  #closed = false;

  constructor(spec: StatsdSpec, deps: StatsdDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#dropped = deps.metrics.scope.counter('statsd', 'dropped');
    this.#socket = createSocket({ type: spec.hostname.includes(':') ? 'udp6' : 'udp4' });
    this.#socket.unref();
    this.#socket.on('error', (error) => this.#told(error));
    this.#arm();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.close();
    this.#socket.close();
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.after(Math.min(ROUND_MS, this.#spec.gaugeIntervalMs), () => {
      this.#round().finally(() => this.#arm());
    });
  }

  async #round(): Promise<void> {
    const { metrics, clock } = this.#deps;
    metrics.settle();
    const nowMs = clock.nowMs();
    const gauges = nowMs - this.#gaugesMs >= this.#spec.gaugeIntervalMs;
    if (gauges) this.#gaugesMs = nowMs;
    let left = QUEUE_LINES;
    let datagram = '';
    for await (const text of inSlices(this.#lines(metrics.root, '', gauges))) {
      for (const line of text.split('\n')) {
        if (line === '') continue;
        if (left-- <= 0) {
          this.#dropped.add(1);
          continue;
        }
        if (datagram.length + line.length >= DATAGRAM_BYTES) {
          this.#send(datagram);
          datagram = '';
        }
        datagram += datagram === '' ? line : `\n${line}`;
      }
    }
    if (datagram !== '') this.#send(datagram);
  }

  #send(datagram: string): void {
    if (this.#closed) return;
    const { hostname, port } = this.#spec;
    this.#socket.send(datagram, port, hostname, (error) => this.#told(error));
  }

  #told(error: Error | null): void {
    const { hostname, port } = this.#spec;
    const message = error?.message;
    if (message !== undefined && !this.#troubled && !this.#closed) {
      this.#deps.log.warn('metrics do not reach the StatsD server', {
        server: `${hostname}:${port}`,
        message,
      });
    }
    this.#troubled = message !== undefined;
  }

  *#lines(node: MetricNode, path: string, gauges: boolean): Pieces {
    const { metric } = node;
    if (metric instanceof StatMetric) yield* this.#timers(metric, path);
    else if (metric?.type === 'counter') yield this.#counter(metric, path);
    else if (metric !== undefined && gauges) yield gauge(this.#name(path), metric.value);
    for (const child of node.children.values()) {
      yield* this.#lines(child, path === '' ? child.segment : `${path}/${child.segment}`, gauges);
    }
  }

  #counter(metric: ValueMetric, path: string): string {
    const { value } = metric;
    const grown = this.#share(value - (this.#counted.get(metric) ?? 0));
    this.#counted.set(metric, value);
    return grown === 0 ? '' : `${this.#name(path)}:${grown}|c|@${this.#spec.sampleRate}\n`;
  }

  *#timers(metric: StatMetric, path: string): Pieces {
    this.#buckets.clear();
    for (const part of metric.parts) {
      let window = this.#windows.get(part);
      if (window === undefined) {
        window = new PartWindow();
        this.#windows.set(part, window);
      }
      part.addWindow(this.#buckets, true, window);
    }
    for (const [value, count] of this.#buckets.counts()) {
      const line = `${this.#name(path)}:${value}|ms|@${this.#spec.sampleRate}\n`;
      for (let i = this.#share(count); i > 0; i--) yield line;
    }
  }

  /** So many of `count` as the rate says: right on average, by chance where it leaves a fraction. */
  #share(count: number): number {
    return Math.floor(count * this.#spec.sampleRate + this.#deps.rng.next());
  }

  #name(path: string): string {
    return statsdName(this.#spec.prefix, path);
  }
}

/** Below 0 a gauge must be 0 first: a sign means a change. */
function gauge(name: string, value: number): string {
  if (!Number.isFinite(value)) return '';
  return value < 0 ? `${name}:0|g\n${name}:${value}|g\n` : `${name}:${value}|g\n`;
}

export function statsdName(prefix: string, path: string): string {
  const name = path
    .replace(/[^/A-Za-z0-9]/gu, '_')
    .replaceAll('//', '/')
    .replaceAll('/', '.');
  return prefix === '' ? name : `${prefix}.${name}`;
}
