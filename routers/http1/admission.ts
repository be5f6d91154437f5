/**
 * Who is let in by a listener: its limits on connections and requests, and fair shares of both when they run
 * out. Nobody waits: what is over a limit is refused at once.
 *
 * Requests: a source gets its equal share of the places, and more than that as far as all others together
 * have needed less lately. Connections: when there is no place left, a source below its share gets that of
 * an idle connection of the source that has the most; if it has no idle one, one of them is asked to end
 * with its next answer.
 */
import type { ServerSpec } from '../../config/spec.ts';
import type { Counter, Gauge, Scope } from '../../src/base/stats.ts';
import type { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { Descriptors } from '../descriptors.ts';
import type { Source } from './caller-side.ts';
import { Sources } from './sources.ts';

export type AdmissionDeps = {
  readonly spec: ServerSpec;
  readonly stats: Scope;
  readonly wheel: TimerWheel;
  readonly descriptors: Descriptors;
  readonly loop: { readonly delayMs: number };
  /** Threads that listen on the same port, each with its part of the limits. */
  readonly threads: number;
};

export class Admission {
  readonly #deps: AdmissionDeps;
  #maxConnections = 0;
  #maxPerSource = 0;
  #maxRequests = 0;
  #maxLoopDelayMs = 0;
  readonly #sources = new Sources();
  #connections = 0;
  #requests = 0;
  /** Made when there is a limit. */
  #concurrency: Gauge | undefined;
  readonly #overConnections: Counter;
  readonly #overSource: Counter;
  readonly #overDescriptors: Counter;
  readonly #evicted: Counter;
  readonly #overRequests: Counter;
  readonly #overShare: Counter;
  readonly #shed: Counter;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
    this.configure(deps.spec);
    const limits = deps.stats.scope('limits');
    this.#overConnections = limits.counter('connections');
    this.#overSource = limits.counter('connections_per_source');
    this.#overDescriptors = limits.counter('descriptors');
    this.#evicted = limits.counter('evicted');
    this.#overRequests = limits.counter('requests');
    this.#overShare = limits.counter('fair_share');
    this.#shed = limits.counter('loop_delay');
  }

  /** What is there already stays. */
  configure(spec: ServerSpec): void {
    const { threads, stats } = this.#deps;
    const part = (max: number): number => Math.max(1, Math.ceil(max / threads));
    this.#maxConnections = part(spec.maxConnections);
    this.#maxPerSource = part(spec.maxConnectionsPerSource ?? Number.POSITIVE_INFINITY);
    this.#maxRequests = part(spec.maxConcurrentRequests ?? Number.POSITIVE_INFINITY);
    this.#sources.places = this.#maxRequests;
    this.#maxLoopDelayMs = spec.maxLoopDelayMs ?? Number.POSITIVE_INFINITY;
    if (spec.maxConcurrentRequests === undefined) return;
    this.#concurrency ??= stats.gauge('request_concurrency');
    // Nobody waits: whoever is one too many is refused at once.
    stats.gauge('request_queue_size').set(0);
  }

  /** A connection has come. Undefined: it is to be refused. Otherwise `leave` has to follow. */
  enter(address: string): Source | undefined {
    const { descriptors } = this.#deps;
    const source = this.#sources.at(address);
    const over = this.#over(source);
    if (over !== undefined) {
      over.add(1);
      this.#sources.forget(source);
      return undefined;
    }
    source.connections++;
    this.#connections++;
    descriptors.callers++;
    return source;
  }

  leave(source: Source): void {
    source.connections--;
    this.#connections--;
    this.#deps.descriptors.callers--;
    this.#sources.forget(source);
  }

  /** That of a connection which has entered. */
  sourceAt(address: string): Source {
    return this.#sources.at(address);
  }

  /** Requests have to be told apart by their sources. */
  get countsSources(): boolean {
    return this.#maxRequests !== Number.POSITIVE_INFINITY;
  }

  /** True: the request may be worked on, and `ended` has to follow in any case. */
  begin(source: Source | undefined): boolean {
    const before = this.#requests++;
    this.#concurrency?.set(this.#requests);
    if (source !== undefined) this.#sources.asks(source, this.#deps.wheel.nowMs());
    if (this.#deps.loop.delayMs > this.#maxLoopDelayMs) {
      this.#shed.add(1);
      return false;
    }
    if (before >= this.#maxRequests) {
      this.#overRequests.add(1);
      return false;
    }
    if (source === undefined || source.requests <= this.#sources.share) return true;
    const others = Math.max(before - source.requests + 1, this.#sources.neededBeside(source));
    if (source.requests + others <= this.#maxRequests) return true;
    this.#overShare.add(1);
    return false;
  }

  ended(source: Source | undefined): void {
    this.#requests--;
    this.#concurrency?.set(this.#requests);
    if (source !== undefined) source.requests--;
  }

  /** The limit in the way of one more connection from here. */
  #over(source: Source): Counter | undefined {
    if (source.connections >= this.#maxPerSource) return this.#overSource;
    const full = this.#connections >= this.#maxConnections;
    if (!full && !this.#deps.descriptors.noneForCallers) return undefined;
    if (this.#makeRoom(source)) return undefined;
    return full ? this.#overConnections : this.#overDescriptors;
  }

  /** Takes a place from the source that has the most. */
  #makeRoom(source: Source): boolean {
    if (source.connections + 1 > this.#connections / this.#sources.size) return false;
    const greediest = this.#sources.greediest();
    if (greediest === undefined || greediest.connections < source.connections + 2) return false;
    const { callers } = greediest;
    for (let link = callers.first; link !== undefined; link = link.next) {
      const { side } = link.value;
      if (side.busy) continue;
      this.#evicted.add(1);
      side.close();
      return true;
    }
    const next = callers.first;
    if (next !== undefined) {
      callers.toEnd(next);
      next.value.side.drain();
    }
    return false;
  }
}
