/**
 * A router: names requests, keeps what is bound (four caches), and makes the parts that a request goes
 * through. The stages of a request, in order: receive (contexts), identify, service path, bound tree, client,
 * endpoint, session.
 */
import { isDeepStrictEqual } from 'node:util';
import type {
  ClientParams,
  ConnectionSpec,
  LoadBalancerSpec,
  RouterSpec,
  ServiceParams,
} from '../config/spec.ts';
import type { Bound, NameTree } from '../dtab/names.ts';
import { Path } from '../dtab/path.ts';
import type { Clock } from '../src/base/clock.ts';
import { type Closable, nothingToClose } from '../src/base/closable.ts';
import { Failure } from '../src/base/failure.ts';
import type { Rng } from '../src/base/rng.ts';
import type { Scope } from '../src/base/stats.ts';
import type { TimerWheel } from '../src/base/timer-wheel.ts';
import { BindCache, type CacheEntry } from './binding/bind-cache.ts';
import type { Binder } from './binding/binder.ts';
import { BoundName, BoundTree, treeKey } from './binding/bound-tree.ts';
import { askForPort } from './binding/port-question.ts';
import { type ServiceDeps, ServicePath, type ServiceSettings } from './binding/service-path.ts';
import { ServiceScopes } from './binding/service-scopes.ts';
import { WaitList } from './binding/wait-list.ts';
import { makeHttpClassifier } from './classify/http.ts';
import { makeAccrualPolicy } from './client/accrual-policy.ts';
import { Client } from './client/client.ts';
import { ClientStats } from './client/client-stats.ts';
import type { EndpointSettings } from './client/endpoint.ts';
import { FailFast } from './client/fail-fast.ts';
import { DEFAULT_ACCRUAL, FailureAccrual } from './client/failure-accrual.ts';
import type { Descriptors } from './descriptors.ts';
import type { Exchange } from './exchange.ts';
import { Fields } from './fields.ts';
import { withTimeout } from './headers/deadline.ts';
import type { ForwardedLine } from './headers/forwarded.ts';
import { LocalDtabs } from './headers/local-dtab.ts';
import { prepareForward, type ReceiveOptions, receiveRequest } from './headers/receive.ts';
import { makeTracePropagator, type TracePropagator } from './headers/trace.ts';
import { ConnectPolicy, portsIn } from './http1/connect-policy.ts';
import { HEAD_LINES_MAX, type HeadLimits } from './http1/limits.ts';
import { type SocketLimits, socketLimits } from './http1/socket-watch.ts';
import { Transport } from './http1/transport.ts';
import { NotYet } from './identify/identifier.ts';
import { makeIdentifier, type RequestIdentifier } from './identify/index.ts';
import {
  type ErrorLimits,
  errorLimits,
  failureResponse,
  type GeneratedResponse,
} from './respond/error-response.ts';
import { noBackoff } from './retry/backoff.ts';
import { RetryBudget } from './retry/budget.ts';
import type { RequestTap } from './tap/request-tap.ts';
import type { ClientTls } from './tls/client-tls.ts';

export const DEFAULT_BUDGET = { ttlMs: 10000, minRetriesPerSec: 10, percentCanRetry: 0.2 } as const;
const DEFAULT_CONNECT_TIMEOUT_MS = 1000;
const DEFAULT_BODY_IDLE_MS = 60000;
const DEFAULT_SOCKET: ConnectionSpec = { noDelay: true };
const DEFAULT_BALANCER: LoadBalancerSpec = { kind: 'p2c', maxEffort: 5, enableProbation: false };

export type RouterDeps = {
  readonly spec: RouterSpec;
  readonly binder: Binder;
  /** `rt/<label>` */
  readonly stats: Scope;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly clientParams: (id: Path) => ClientParams;
  readonly serviceParams: (name: Path) => ServiceParams;
  /**
   * How connections of a client are secured: undefined is plain text; a Failure refuses to connect at all.
   */
  readonly clientTls: (id: Path, stats: Scope) => ClientTls | Failure | undefined;
  /** All that `clientParams` and `clientTls` make of a client, to compare two configurations. */
  readonly clientIdentity: (id: Path) => unknown;
  /** Printed dentries of the base dtab. */
  readonly baseDtab: readonly string[];
  /** Where the admin server is reached, for error texts. */
  readonly admin: string | undefined;
  readonly tap: RequestTap;
  readonly descriptors: Descriptors;
};

/** What a new configuration may change. The array of the base dtab stays, and is written anew. */
export type RouterSettings = Pick<
  RouterDeps,
  'spec' | 'clientParams' | 'serviceParams' | 'clientTls' | 'clientIdentity' | 'admin'
>;

export class Router implements Closable {
  spec: RouterSpec;
  propagator: TracePropagator;
  limits: HeadLimits;
  #deps: RouterDeps;
  #identifier: RequestIdentifier;
  /** What identifies them is not known yet. */
  readonly #unidentified: WaitList;
  readonly #localDtabs = new LocalDtabs();
  #errorLimits: ErrorLimits;
  readonly #serviceDeps: ServiceDeps;
  readonly #paths: BindCache<ServicePath>;
  readonly #trees: BindCache<BoundTree>;
  readonly #bounds: BindCache<BoundName>;
  readonly #clients: BindCache<Client>;

  constructor(deps: RouterDeps) {
    const { spec, stats, wheel, rng, binder, baseDtab } = deps;
    this.spec = spec;
    this.#deps = deps;
    this.limits = headLimits(spec);
    this.propagator = makeTracePropagator(spec.tracePropagator.kind, rng);
    this.#unidentified = new WaitList(wheel, spec.bindingTimeoutMs, ({ answer, head, over }) => {
      // Its caller may have had an answer meanwhile, and have asked for something else.
      if (over) return;
      const name = this.#identifier.identify(head, answer);
      if (name instanceof Failure) answer.fail(name);
    });
    this.#identifier = this.#makeIdentifier();
    this.#errorLimits = errorLimits(spec.maxHeadersBytes, spec.maxErrResponseChars);
    this.#paths = this.#cache('path', spec.bindingCache.paths);
    this.#trees = this.#cache('tree', spec.bindingCache.trees);
    this.#bounds = this.#cache('bound', spec.bindingCache.bounds);
    this.#clients = this.#cache('client', spec.bindingCache.clients);
    if (spec.originator) stats.gauge('originator').set(1);
    this.#serviceDeps = {
      binder,
      wheel,
      rng,
      scopes: new ServiceScopes(stats),
      baseDtab,
      bindingTimeoutMs: spec.bindingTimeoutMs,
      holdTree: (tree) => this.#holdTree(tree),
      releaseTree: (entry) => this.#trees.release(entry),
      release: (entry) => this.#paths.release(entry),
    };
  }

  get tap(): RequestTap {
    return this.#deps.tap;
  }

  get localDtabs(): LocalDtabs {
    return this.#localDtabs;
  }

  get clients(): readonly Client[] {
    return this.#clients.values();
  }

  /** Ends in exactly one answer, unless the caller goes away before. */
  route(exchange: Exchange, receive: ReceiveOptions, forwarded: ForwardedLine | undefined): void {
    const { head, context, answer, serverTimeoutMs } = exchange;
    exchange.propagator = this.propagator;
    const refused = receiveRequest(head, receive, forwarded, context);
    if (serverTimeoutMs !== undefined) {
      context.deadline = withTimeout(context.deadline, this.#deps.clock.wallMs(), serverTimeoutMs);
    }
    if (refused !== undefined) {
      answer.fail(refused);
      return;
    }
    this.#identify(exchange);
  }

  #identify(exchange: Exchange): void {
    const { head, context, answer } = exchange;
    if (exchange.over) return;
    const name = this.#identifier.identify(head, answer);
    if (name instanceof Failure) {
      if (name instanceof NotYet) this.#unidentified.add(exchange);
      else answer.fail(name);
      return;
    }
    const bad = prepareForward(head, context);
    if (bad !== undefined) {
      answer.fail(bad);
      return;
    }
    const local = context.localDtab;
    // A printed name holds no blank.
    const key = local.show === '' ? name : `${name} ${local.show}`;
    const entry = this.#paths.acquire(key, () => this.#makeService(name, local));
    entry.value.entry = entry;
    entry.value.start(exchange);
  }

  /** Which ports a CONNECT may name, by what a server says and by the router's own dtab. */
  connectPolicy(ports: readonly number[] | undefined): ConnectPolicy {
    const { spec, binder, wheel, baseDtab } = this.#deps;
    return new ConnectPolicy(ports, baseDtab, ({ authority, port }, tell) => {
      const fields = Fields.of([['Host', authority]]);
      const head = { method: 'CONNECT', target: '/', minor: 1, fields };
      const name = this.#identifier.identify(head, { peer: '' });
      if (name instanceof Failure) {
        tell(false);
        return nothingToClose;
      }
      const inId = (shown: string): boolean => portsIn(shown).includes(port);
      const question = { binder, wheel, timeoutMs: spec.bindingTimeoutMs, path: printedPath(name), inId };
      return askForPort(question, tell);
    });
  }

  failureResponse(exchange: Exchange, failure: Failure): GeneratedResponse {
    const { admin } = this.#deps;
    const service = exchange.service?.name;
    const localDtab = exchange.context.localDtab.show;
    const about = {
      router: this.spec.label,
      ...(service === undefined ? {} : { service }),
      ...(admin === undefined ? {} : { admin }),
      ...(localDtab === '' ? {} : { localDtab }),
    };
    return failureResponse(failure, this.#errorLimits, about, exchange.exhausted);
  }

  /**
   * Settings of a new configuration. What they do not concern stays as it is: names that are bound, clients
   * with their connections and balancers, metrics. A client whose parameters differ is replaced by a new one
   * for the requests to come.
   */
  reconfigure(next: RouterSettings): void {
    const before = this.#deps;
    const { spec } = next;
    this.#deps = { ...before, ...next };
    this.spec = spec;
    this.limits = headLimits(spec);
    this.propagator = makeTracePropagator(spec.tracePropagator.kind, before.rng);
    this.#errorLimits = errorLimits(spec.maxHeadersBytes, spec.maxErrResponseChars);
    const { paths, trees, bounds, clients, idleTtlMs } = spec.bindingCache;
    if (!isDeepStrictEqual(spec.bindingCache, before.spec.bindingCache)) {
      this.#paths.resize(paths, idleTtlMs);
      this.#trees.resize(trees, idleTtlMs);
      this.#bounds.resize(bounds, idleTtlMs);
      this.#clients.resize(clients, idleTtlMs);
    }
    if (
      !isDeepStrictEqual([spec.identifiers, spec.dstPrefix], [before.spec.identifiers, before.spec.dstPrefix])
    ) {
      const earlier = this.#identifier;
      this.#identifier = this.#makeIdentifier();
      earlier.close();
      for (const exchange of this.#unidentified.take()) this.#identify(exchange);
    }
    this.#replaceClients(before);
  }

  /** Those whose parameters are not what they were. */
  #replaceClients(before: RouterDeps): void {
    const common = ({ maxInitialLineBytes, maxHeadersBytes, bindingTimeoutMs }: RouterSpec): number[] => [
      maxInitialLineBytes,
      maxHeadersBytes,
      bindingTimeoutMs,
    ];
    const all = !isDeepStrictEqual(common(before.spec), common(this.spec));
    const changed = this.#clients.values().filter((client) => {
      const id = printedPath(client.id);
      return all || !isDeepStrictEqual(before.clientIdentity(id), this.#deps.clientIdentity(id));
    });
    if (changed.length > 0) {
      for (const client of changed) client.superseded = true;
      this.#trees.retire(() => true);
      this.#bounds.retire(() => true);
      this.#clients.retire((client) => changed.includes(client));
    }
    for (const path of this.#paths.values()) {
      path.reconfigure(this.#serviceSettings(printedPath(path.name)));
      if (changed.length > 0) path.rehold();
    }
    const now = new Set(this.#clients.values().map((client) => client.id));
    for (const client of changed) if (!now.has(client.id)) client.stats.prune();
  }

  close(): void {
    this.#identifier.close();
    this.#unidentified.close();
    this.#paths.close();
    this.#trees.close();
    this.#bounds.close();
    this.#clients.close();
  }

  #cache<V extends Closable>(layer: string, max: number): BindCache<V> {
    const { spec, stats, clock, wheel } = this.#deps;
    const { idleTtlMs } = spec.bindingCache;
    const time: Clock = {
      nowMs: () => wheel.nowMs(),
      wallMs: () => clock.wallMs(),
      after: (delayMs, callback) => clock.after(delayMs, callback),
    };
    return new BindCache<V>({ max, idleTtlMs, clock: time, stats: stats.scope('bindcache', layer) });
  }

  #makeService(name: string, local: Exchange['context']['localDtab']): ServicePath {
    const path = printedPath(name);
    return new ServicePath(path, local, this.#serviceSettings(path), this.#serviceDeps);
  }

  #serviceSettings(path: Path): ServiceSettings {
    const params = this.#deps.serviceParams(path);
    return {
      classifier: makeHttpClassifier(params.responseClassifier?.kind ?? 'io.l5d.http.nonRetryable5XX'),
      totalTimeoutMs: positive(params.totalTimeoutMs),
      budget: params.retryBudget ?? DEFAULT_BUDGET,
      backoff: params.retryBackoff ?? noBackoff,
    };
  }

  #makeIdentifier(): RequestIdentifier {
    const { spec, binder } = this.#deps;
    return makeIdentifier(spec.identifiers, spec.dstPrefix, {
      ingress: (index) => binder.ingress(index),
      changed: () => {
        for (const exchange of this.#unidentified.take()) this.#identify(exchange);
      },
    });
  }

  #holdTree(tree: NameTree<Bound>): CacheEntry<BoundTree> {
    return this.#trees.acquire(
      treeKey(tree),
      () => new BoundTree(tree, this.#bounds, (bound) => this.#makeBound(bound)),
    );
  }

  #makeBound(bound: Bound): BoundName {
    return new BoundName(bound, this.#clients, (each) => this.#makeClient(each));
  }

  #makeClient(bound: Bound): Client {
    const { spec, stats: routerStats, wheel, rng, clientParams, clientTls, baseDtab } = this.#deps;
    const { id } = bound;
    const params = clientParams(id);
    const { hostConnectionPool: pool, clientSession, loadBalancer = DEFAULT_BALANCER } = params;
    const { socketOptions = DEFAULT_SOCKET } = params;
    const scope = routerStats.scope('client', id.show.slice(1));
    const stats = new ClientStats(scope, {
      balancer: loadBalancer.kind,
      failFast: params.failFast === true,
      sessionIdle: clientSession?.idleTimeMs !== undefined,
      sessionLife: clientSession?.lifeTimeMs !== undefined,
    });
    const tls = clientTls(id, scope);
    const limits = socketLimits(socketOptions, wheel, scope);
    return new Client({
      id: id.show,
      router: spec.label,
      addr: bound.addr,
      refresh: bound.refresh,
      stats,
      session: {
        wheel,
        limits: this.limits,
        label: id.show,
        attemptTimeoutMs: positive(params.requestAttemptTimeoutMs),
        bodyIdleTimeoutMs: params.bodyIdleTimeoutMs ?? DEFAULT_BODY_IDLE_MS,
        connectTimeoutMs: params.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
        lifeTimeMs: clientSession?.lifeTimeMs,
        tls: tls instanceof Failure ? undefined : tls,
        receivedBytes: stats.traffic.receivedBytes,
        sentBytes: stats.traffic.sentBytes,
        lifetimeClosed: stats.lifetimeClosed,
      },
      pool: {
        minSize: pool?.minSize ?? 0,
        maxSize: pool?.maxSize ?? Number.POSITIVE_INFINITY,
        maxWaiters: pool?.maxWaiters ?? Number.POSITIVE_INFINITY,
        idleTimeMs: pool?.idleTimeMs,
        sessionIdleMs: clientSession?.idleTimeMs,
        descriptors: this.#deps.descriptors,
        ...this.#healthMakers(params, stats),
      },
      loadBalancer,
      requeueBudget: new RetryBudget(
        params.requeueBudget ?? DEFAULT_BUDGET,
        wheel.nowMs(),
        stats.requeueBudget,
      ),
      forwardClientCert: params.forwardClientCert ?? false,
      bindingTimeoutMs: spec.bindingTimeoutMs,
      baseDtab,
      wheel,
      rng,
      open: opener(tls instanceof Failure ? undefined : tls, socketOptions, limits),
      refusal: tls instanceof Failure ? tls : undefined,
      tlsName: tls === undefined || tls instanceof Failure ? undefined : (tls.serverName ?? ''),
    });
  }

  /** What judges the health of each endpoint of a client. */
  #healthMakers(
    { failureAccrual = DEFAULT_ACCRUAL }: ClientParams,
    stats: ClientStats,
  ): Pick<EndpointSettings, 'makeAccrual' | 'makeFailFast'> {
    const { wheel, rng } = this.#deps;
    const accrual = { wheel, rng, stats: stats.accrual, backoff: failureAccrual.backoff };
    const { failFast } = stats;
    return {
      makeAccrual(changed) {
        const policy = makeAccrualPolicy(failureAccrual, wheel.nowMs());
        return policy === undefined ? undefined : new FailureAccrual(policy, accrual, changed);
      },
      makeFailFast: (reconnect, changed) =>
        failFast === undefined
          ? undefined
          : new FailFast({ wheel, rng, stats: failFast }, reconnect, changed),
    };
  }
}

/** How connections of a client are opened. */
function opener(
  tls: ClientTls | undefined,
  options: ConnectionSpec,
  limits: SocketLimits | undefined,
): EndpointSettings['open'] {
  return (address, connection, plain) => {
    const connected = (): void => {
      if (limits !== undefined) connection.transport.watch(limits);
      connection.connected();
    };
    if (plain || tls === undefined) return Transport.connect(address, options, connection, connected);
    const { host, port } = address;
    const { noDelay, keepAlive } = options;
    const target = {
      host,
      port,
      side: connection,
      noDelay,
      ...(keepAlive === undefined ? {} : { keepAlive }),
    };
    return Transport.connectTls(
      (done) => tls.connect(target, done),
      connection,
      connected,
      (failure) => connection.refused(failure),
    );
  };
}

function headLimits({ maxInitialLineBytes, maxHeadersBytes }: RouterSpec): HeadLimits {
  return { initialLineBytes: maxInitialLineBytes, headBytes: maxHeadersBytes, lines: HEAD_LINES_MAX };
}

/** Identifiers answer with printed names; this is the path again. */
function printedPath(name: string): Path {
  const segments = name === '/' ? [] : name.slice(1).split('/');
  return new Path(segments.map((segment) => (segment.startsWith('\\x') ? unescapeLabel(segment) : segment)));
}

function unescapeLabel(shown: string): string {
  return shown.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Zero and less mean no limit. */
function positive(ms: number | undefined): number | undefined {
  return ms !== undefined && ms > 0 ? ms : undefined;
}
