/**
 * The client of one bound name, shared by every service path that resolves to it: its endpoints and balancer,
 * its connections, its metrics. It makes attempts, and repeats by itself those that certainly did not reach
 * the application (requeues).
 */
import type { LoadBalancerSpec } from '../../config/spec.ts';
import type { Addr, Address } from '../../dtab/names.ts';
import { type Closable, nothingToClose } from '../../src/base/closable.ts';
import { Failure } from '../../src/base/failure.ts';
import type { Rng } from '../../src/base/rng.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';
import type { Var } from '../../src/base/var.ts';
import { Balancer } from '../balance/balancer.ts';
import type { EndpointStatus } from '../balance/distributor.ts';
import { makeDistributor } from '../balance/make-distributor.ts';
import { WaitList } from '../binding/wait-list.ts';
import { isNack, isNonRetryableNack } from '../classify/http.ts';
import { type AttemptStage, type Exchange, Opaque } from '../exchange.ts';
import { Fields } from '../fields.ts';
import type { ResponseHead } from '../head.ts';
import { authorityHost } from '../headers/host-rewrite.ts';
import type { ClientConnection, SessionSettings } from '../http1/client-connection.ts';
import type { RequestStats } from '../request-stats.ts';
import { localAnswer, type RoutingDetails } from '../respond/diagnostics.ts';
import {
  bindingTimeoutText,
  connectionFailedText,
  deadlineText,
  noBrokersText,
} from '../respond/messages.ts';
import { reasonPhrase } from '../respond/reason-phrase.ts';
import type { RetryBudget } from '../retry/budget.ts';
import { ToldEndpoint } from '../tap/told-endpoint.ts';
import type { ClientStats } from './client-stats.ts';
import { Endpoint, type EndpointSettings, type EndpointUser } from './endpoint.ts';
import { EndpointSet } from './endpoint-set.ts';
import { judge, saysNothing } from './judge.ts';
import { mayBeResent } from './may-be-resent.ts';
import { TracedAnswer } from './traced-answer.ts';

/** Acquisitions tried for one attempt at the most; and if every endpoint is taken for dead. */
const ACQUISITIONS_MAX = 25;
const ACQUISITIONS_DOWN_MAX = 3;
/** How often an aperture looks for endpoints that it can let go. */
const EXPIRE_MS = 10_000;
const REFRESH_MS = 1000;
/** Share of the budget's balance that one request may use up. */
const REQUEST_SHARE = 0.2;
/** Another endpoint would not help. */
const FULL: ReadonlySet<string> = new Set(['too-many-waiters', 'no-descriptors']);

export type ClientSettings = {
  /** Printed bound id. */
  readonly id: string;
  /** Label of the router. */
  readonly router: string;
  readonly addr: Var<Addr>;
  /** Told, at most once a second, that an endpoint cannot be connected to: the set may be out of date. */
  readonly refresh: (() => void) | undefined;
  readonly stats: ClientStats;
  readonly session: SessionSettings;
  readonly pool: Omit<EndpointSettings, 'session' | 'open' | 'stats' | 'wheel' | 'waitMs'>;
  readonly loadBalancer: LoadBalancerSpec;
  readonly requeueBudget: RetryBudget;
  readonly forwardClientCert: boolean;
  readonly bindingTimeoutMs: number;
  readonly baseDtab: readonly string[];
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly open: EndpointSettings['open'];
  /** The name that endpoints must prove; '' when TLS proves none, undefined without TLS. */
  readonly tlsName: string | undefined;
  /** Set when no connection may be made, e.g. because TLS is misconfigured. */
  readonly refusal: Failure | undefined;
};

export class Client implements AttemptStage, EndpointUser, Closable {
  readonly stats: ClientStats;
  readonly forwardClientCert: boolean;
  readonly #settings: ClientSettings;
  readonly #endpointSettings: EndpointSettings;
  readonly #balancer: Balancer<Endpoint>;
  readonly #waiting: WaitList;
  #refreshDueMs = 0;
  readonly #set = new EndpointSet();
  readonly #expiry: WheelTimer;
  #observation: Closable = nothingToClose;
  /** Another client of the same name goes on with its metrics. */
  superseded = false;
  #addr: Addr = { type: 'pending' };
  #authority: string | undefined;
  /** A pseudo-service: the status that every request is answered with. */
  #status: number | undefined;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.stats = settings.stats;
    this.forwardClientCert = settings.forwardClientCert;
    const { wheel, rng, stats, loadBalancer } = settings;
    this.#endpointSettings = {
      ...settings.pool,
      waitMs: settings.bindingTimeoutMs,
      session: settings.session,
      open: settings.open,
      stats,
      wheel,
    };
    const deps = { rng, nowMs: () => wheel.nowMs(), stats: stats.balancer };
    const make = () => makeDistributor<Endpoint>(loadBalancer, deps);
    this.#balancer = new Balancer({ make, rng, stats: stats.balancer });
    this.#expiry = wheel.timer(() => {
      this.#balancer.expire();
      this.#expiry.arm(EXPIRE_MS);
    });
    if (loadBalancer.kind === 'aperture') this.#expiry.arm(EXPIRE_MS);
    this.#waiting = new WaitList(settings.wheel, settings.bindingTimeoutMs, (exchange) =>
      this.#expired(exchange),
    );
    this.#observation = settings.addr.observe((addr) => this.#update(addr));
  }

  get id(): string {
    return this.#settings.id;
  }

  get addr(): Addr {
    return this.#addr;
  }

  get endpoints(): EndpointSet {
    return this.#set;
  }

  /** `byService` counts the attempts of the service path that this one comes from. */
  attempt(exchange: Exchange, byService: RequestStats): void {
    exchange.attempt = this;
    exchange.byService = byService;
    exchange.authority = this.#authority;
    if (exchange.context.addContext && !(exchange.answer instanceof TracedAnswer)) {
      exchange.answer = new TracedAnswer(exchange.answer, exchange, () => this.#details(exchange));
    }
    // Why there can be no TLS is no concern of two ends that have their own.
    if (this.#settings.refusal !== undefined && exchange.opaque !== Opaque.tls)
      exchange.service?.settleFailure(exchange, this.#settings.refusal);
    else if (this.#status !== undefined) this.#answer(exchange, this.#status, new Fields(), '');
    else if (this.#addr.type === 'pending') this.#waiting.add(exchange);
    else this.#try(exchange, undefined);
  }

  acquired(exchange: Exchange, session: ClientConnection): void {
    exchange.selected = session.endpoint;
    this.stats.acquisitionLatency.observe(this.#settings.wheel.nowMs() - exchange.attemptStartedMs);
    if (this.#tooLate(exchange)) {
      const endpoint = this.#release(exchange, undefined);
      // A stream's connection is its own, and may not have the client's TLS.
      if (exchange.opaque === Opaque.none) endpoint?.idle(session);
      else session.close();
      this.#settle(exchange, this.#deadlinePassed());
      return;
    }
    session.send(exchange);
  }

  acquireFailed(exchange: Exchange, failure: Failure): void {
    const { stats } = this;
    stats.acquisitionFailures.count(failure.kind);
    const endpoint = this.#release(exchange, failure);
    if (failure.kind === 'connect') this.#refresh();
    if (exchange.over) return;
    if (failure.undelivered && !FULL.has(failure.kind)) {
      if (exchange.requeues < this.#acquisitionsMax() - 1) {
        exchange.requeues++;
        stats.requeues.add(1);
        this.#try(exchange, endpoint);
        return;
      }
      if (this.#balancer.open === 0) stats.notOpen.add(1);
    }
    this.#settle(exchange, this.#connectFailure(exchange, failure, endpoint));
  }

  #refresh(): void {
    const nowMs = this.#settings.wheel.nowMs();
    if (nowMs < this.#refreshDueMs) return;
    this.#refreshDueMs = nowMs + REFRESH_MS;
    this.#settings.refresh?.();
  }

  waitExpired(exchange: Exchange): void {
    const failure = this.#bindingTimeout(exchange);
    this.stats.acquisitionFailures.count(failure.kind);
    this.#release(exchange, failure);
    if (!exchange.over) this.#settle(exchange, failure);
  }

  statusChanged(endpoint: Endpoint, before: EndpointStatus): void {
    this.#balancer.changed(endpoint, before);
    this.stats.available.set(this.#balancer.open > 0 ? 1 : 0);
  }

  responded(exchange: Exchange, response: ResponseHead, length: number): void {
    const { service } = exchange;
    if (service === undefined) return;
    const nack = isNack(response.status, response.fields);
    if (exchange.replayable && (nack || isNonRetryableNack(response.status, response.fields))) {
      this.#nacked(exchange, nack);
      return;
    }
    exchange.responseClass = service.classify(exchange, response);
    const { wheel, requeueBudget } = this.#settings;
    const nowMs = wheel.nowMs();
    const latencyMs = nowMs - exchange.attemptStartedMs;
    this.stats.status.response(response.status, latencyMs);
    this.stats.requests.end(exchange.responseClass, latencyMs, undefined);
    exchange.byService?.end(exchange.responseClass, latencyMs, undefined);
    exchange.attemptRecorded = true;
    if (length < 0) exchange.attemptStreamMs = this.stats.bodies.responseBegins(nowMs);
    this.stats.requeuesPerRequest.observe(exchange.requeues);
    judge(exchange.endpoint as Endpoint | undefined, exchange, exchange.responseClass, nowMs);
    exchange.story?.responded(response.status, nowMs);
    if (response.status < 500) requeueBudget.deposit(nowMs);
    service.settleResponse(exchange, response, length);
  }

  failed(exchange: Exchange, failure: Failure): void {
    const endpoint = this.#release(exchange, failure);
    if (exchange.over) return;
    if (mayBeResent(exchange) && this.#mayRequeue(exchange, true)) {
      exchange.resent = true;
      this.#try(exchange, undefined);
      return;
    }
    if (failure.undelivered && this.#mayRequeue(exchange)) {
      this.#try(exchange, endpoint);
      return;
    }
    this.#settle(exchange, failure);
  }

  released(exchange: Exchange): void {
    this.#release(exchange, undefined);
  }

  cancelled(exchange: Exchange): void {
    this.#waiting.remove(exchange);
    const endpoint = exchange.endpoint as Endpoint | undefined;
    endpoint?.abandon(exchange);
    // Nobody has gone away: a time limit of ours ended an attempt that the endpoint had not answered.
    const unanswered = exchange.session !== undefined && !exchange.over && !exchange.attemptRecorded;
    exchange.session?.cancel();
    if (unanswered) endpoint?.accrual?.failure(exchange.probe, this.#settings.wheel.nowMs());
    this.#release(exchange, undefined);
  }

  close(): void {
    this.#observation.close();
    // Nobody looks at the address set any more: those who wait for it would wait in vain.
    for (const exchange of this.#waiting.take()) exchange.service?.resume(exchange);
    this.#waiting.close();
    this.#expiry.close();
    for (const endpoint of this.#set.list) endpoint.close();
    if (!this.superseded) this.stats.prune();
  }

  /** The router is the application: the pseudo-service `http.status`, and a Max-Forwards that is used up. */
  #answer(exchange: Exchange, status: number, fields: Fields, body: string): void {
    const response: ResponseHead = { status, reason: reasonPhrase(status), minor: 1, fields };
    const { service } = exchange;
    if (service === undefined) return;
    exchange.responseClass = service.classify(exchange, response);
    const bytes = Buffer.from(body, 'utf8');
    service.settleResponse(exchange, response, bytes.length);
    if (!exchange.routed) return;
    exchange.answer.data(undefined, bytes, 0, bytes.length);
    exchange.answer.end(undefined);
  }

  /**
   * RFC 9110 7.6.2: the router is as far as this TRACE or OPTIONS goes; the endpoint is chosen all the same.
   */
  #answerHere(exchange: Exchange, endpoint: Endpoint): void {
    exchange.selected = endpoint.name;
    if (exchange.answer instanceof TracedAnswer) exchange.answer = exchange.answer.inner;
    const details = exchange.context.addContext ? this.#details(exchange) : undefined;
    const { status, fields, body } = localAnswer(details);
    this.#answer(exchange, status, Fields.of(fields), body);
  }

  #details(exchange: Exchange): RoutingDetails {
    const service = exchange.service?.name ?? '';
    return {
      router: this.#settings.router,
      durationMs: this.#settings.wheel.nowMs() - exchange.startedMs,
      service,
      client: this.id,
      addresses: this.#set.list.map((each) => each.name),
      selected: exchange.selected ?? 'none',
      steps: [
        { path: service, dentry: '' },
        { path: this.id, dentry: '' },
      ],
    };
  }

  #try(exchange: Exchange, avoid: Endpoint | undefined): void {
    if (this.#tooLate(exchange)) {
      this.#settle(exchange, this.#deadlinePassed());
      return;
    }
    const endpoint = this.#balancer.pick(avoid);
    if (endpoint === undefined) {
      this.#settle(exchange, this.#noEndpoints(exchange));
      return;
    }
    if (exchange.context.answerHere) {
      this.#answerHere(exchange, endpoint);
      return;
    }
    exchange.endpoint = endpoint;
    const nowMs = this.#settings.wheel.nowMs();
    exchange.attemptStartedMs = nowMs;
    exchange.attemptRecorded = false;
    exchange.staleSession = false;
    exchange.probe = endpoint.accrual?.begin(nowMs) ?? false;
    this.#balancer.started(endpoint);
    this.stats.requests.begin();
    this.stats.bodies.begins(exchange);
    exchange.byService?.begin();
    if (exchange.story !== undefined) {
      const tls = exchange.opaque === Opaque.tls ? undefined : this.#settings.tlsName;
      if (endpoint.told === undefined || endpoint.told.tls !== tls) {
        endpoint.told = new ToldEndpoint(this.id, endpoint.name, tls);
      }
      exchange.story.tried(endpoint.told, exchange.attemptStartedMs);
    }
    endpoint.acquire(exchange);
  }

  /** The attempt is over: gives the endpoint back, and counts what has not been counted. */
  #release(exchange: Exchange, failure: Failure | undefined): Endpoint | undefined {
    const endpoint = exchange.endpoint as Endpoint | undefined;
    if (endpoint === undefined) return undefined;
    exchange.endpoint = undefined;
    this.#balancer.ended(endpoint, exchange.attemptStartedMs);
    if (failure !== undefined) exchange.story?.attemptFailed(failure.kind, this.#settings.wheel.nowMs());
    this.stats.bodies.attemptEnds(exchange, this.#settings.wheel.nowMs());
    if (exchange.attemptRecorded) return endpoint;
    exchange.attemptRecorded = true;
    const { requests, status } = this.stats;
    if (failure === undefined || exchange.over) {
      endpoint.accrual?.ignored(exchange.probe);
      requests.forget();
      exchange.byService?.forget();
      return endpoint;
    }
    const outcome = exchange.service?.classifyFailure(exchange, failure) ?? 'failure';
    const nowMs = this.#settings.wheel.nowMs();
    const latencyMs = nowMs - exchange.attemptStartedMs;
    status.error(latencyMs);
    requests.end(outcome, latencyMs, failure.kind);
    exchange.byService?.end(outcome, latencyMs, failure.kind);
    judge(endpoint, exchange, saysNothing(exchange, failure) ? 'ignorable' : outcome, nowMs);
    return endpoint;
  }

  #settle(exchange: Exchange, failure: Failure): void {
    this.stats.requeuesPerRequest.observe(exchange.requeues);
    exchange.service?.settleFailure(exchange, failure);
  }

  /** The deadline that the caller has set is over. */
  #tooLate({ context }: Exchange): boolean {
    return (
      context.deadlineMs !== Number.POSITIVE_INFINITY && this.#settings.wheel.wallMs() >= context.deadlineMs
    );
  }

  #deadlinePassed(): Failure {
    return new Failure('deadline', deadlineText(this.id));
  }

  /** With every endpoint taken for dead another may still be better than the one that just failed. */
  #acquisitionsMax(): number {
    const { size } = this.#set;
    return this.#balancer.open > 0
      ? Math.min(ACQUISITIONS_MAX, 2 * size)
      : Math.min(ACQUISITIONS_DOWN_MAX, size);
  }

  /** The endpoint has refused the request before doing anything with it. */
  #nacked(exchange: Exchange, repeatable: boolean): void {
    const session = exchange.session;
    const name = exchange.endpoint?.name ?? this.id;
    const failure = new Failure('nacked', `${name} refused the request before handling it (503)`, repeatable);
    session?.cancel();
    const endpoint = this.#release(exchange, failure);
    if (repeatable && this.#mayRequeue(exchange)) this.#try(exchange, endpoint);
    else this.#settle(exchange, failure);
  }

  /**
   * Requeues of delivered or half-delivered attempts are limited per request and by the client's budget.
   * `anywhere`: also if every endpoint is taken for dead.
   */
  #mayRequeue(exchange: Exchange, anywhere = false): boolean {
    if (exchange.over || !exchange.replayable) return false;
    if (!anywhere && this.#balancer.open === 0) {
      this.stats.cannotRetry.add(1);
      return false;
    }
    const { wheel, requeueBudget } = this.#settings;
    const nowMs = wheel.nowMs();
    const limit = Math.ceil(REQUEST_SHARE * requeueBudget.balance(nowMs));
    if (exchange.requeues >= limit) {
      this.stats.requestLimit.add(1);
      return false;
    }
    if (!requeueBudget.tryWithdraw(nowMs)) {
      this.stats.requeueBudgetExhausted.add(1);
      return false;
    }
    exchange.requeues++;
    this.stats.requeues.add(1);
    return true;
  }

  /** The last good set stays when a later one is pending or failed (decision 9). */
  #update(addr: Addr): void {
    const before = this.#addr;
    if ((addr.type === 'pending' || addr.type === 'failed') && before.type === 'bound') return;
    this.#addr = addr;
    this.#authority = addr.type === 'bound' ? authorityHost(addr.meta.authority) : undefined;
    this.#status = addr.type === 'bound' ? addr.meta.status : undefined;
    if (addr.type === 'pending') return;
    this.#replace(addr.type === 'bound' ? addr.addresses : []);
    for (const exchange of this.#waiting.take()) {
      if (exchange.byService !== undefined) this.attempt(exchange, exchange.byService);
    }
  }

  #replace(addresses: readonly Address[]): void {
    const { enableProbation } = this.#settings.loadBalancer;
    const { added, removed } = this.#set.replace(
      addresses,
      this.#settings.wheel.nowMs(),
      (address) => new Endpoint(address, this, this.#endpointSettings),
      (endpoint) => enableProbation && endpoint.status === 'open',
    );
    const { list } = this.#set;
    const { balancer, available } = this.stats;
    balancer.adds.add(added);
    balancer.removes.add(removed.length);
    this.#balancer.update(list);
    available.set(this.#balancer.open > 0 ? 1 : 0);
    for (const endpoint of removed) {
      endpoint.close();
      // Whoever still waits for a connection there is better served elsewhere, if there is somewhere.
      if (list.length === 0) continue;
      const left = new Failure('connect', `${endpoint.name} has left the address set`, true);
      for (const exchange of endpoint.takeWaiters()) this.acquireFailed(exchange, left);
    }
  }

  #noEndpoints(exchange: Exchange): Failure {
    if (this.#addr.type === 'failed') return this.#addr.failure;
    const text = noBrokersText(exchange.service?.name ?? '', this.#settings.baseDtab, []);
    const gone = 'has no address: its namer (of /$/inet: DNS) does not know it, or not any more';
    const why = this.#addr.type === 'neg' ? gone : 'has no endpoints';
    return new Failure('no-endpoints', `${text}\nclient name: ${this.id}, which ${why}\n`, true);
  }

  #connectFailure(exchange: Exchange, failure: Failure, endpoint: Endpoint | undefined): Failure {
    if (FULL.has(failure.kind)) return failure;
    const addresses = this.#set.list.map((each) => each.name);
    const selected = endpoint?.name ?? 'none';
    const service = exchange.service?.name ?? '';
    const text = connectionFailedText(service, this.id, addresses, selected, failure.message);
    return new Failure(failure.kind, text, true, failure);
  }

  #bindingTimeout(exchange: Exchange): Failure {
    const text = bindingTimeoutText(this.#settings.bindingTimeoutMs, exchange.service?.name ?? '', this.id);
    return new Failure('binding-timeout', text, true);
  }

  #expired(exchange: Exchange): void {
    exchange.service?.settleFailure(exchange, this.#bindingTimeout(exchange));
  }
}
