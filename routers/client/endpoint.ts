/**
 * One ip:port of a bound name, with its connections and what is known of its health. An attempt takes the
 * idle connection that was used last, or opens one; at `maxSize` connections attempts wait in order, and
 * beyond `maxWaiters` they fail at once. The endpoint is loaded from the moment an attempt is given to it
 * until the response has been read.
 */
import type { Address } from '../../dtab/names.ts';
import { Failure } from '../../src/base/failure.ts';
import type { TimerWheel } from '../../src/base/timer-wheel.ts';
import { type Balanced, BalancerNode, type EndpointStatus } from '../balance/distributor.ts';
import { WaitList } from '../binding/wait-list.ts';
import type { Descriptors } from '../descriptors.ts';
import { type Exchange, type LoadedEndpoint, Opaque } from '../exchange.ts';
import { ClientConnection, type SessionOwner, type SessionSettings } from '../http1/client-connection.ts';
import type { Transport } from '../http1/transport.ts';
import type { ToldEndpoint } from '../tap/told-endpoint.ts';
import type { ClientStats } from './client-stats.ts';
import type { FailFast } from './fail-fast.ts';
import type { FailureAccrual } from './failure-accrual.ts';

/** Idle connections are closed before the usual keep-alive time of servers (5 s) is over (decision 16). */
const DEFAULT_IDLE_MS = 3000;
/** How long before the announced end of a server's patience a connection is given up. */
const ANNOUNCED_MARGIN_MS = 1000;

const LOCAL_CODES = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

export type EndpointSettings = {
  readonly session: SessionSettings;
  readonly minSize: number;
  readonly maxSize: number;
  readonly maxWaiters: number;
  /** How long a request waits for a connection. */
  readonly waitMs: number;
  /** Of connections beyond `minSize`. Absent: by what the endpoint announces. */
  readonly idleTimeMs: number | undefined;
  /** Of all connections. */
  readonly sessionIdleMs: number | undefined;
  /**
   * Undefined: whatever happens, it is not taken for dead. `changed` is to be called when that is another.
   */
  readonly makeAccrual: (changed: () => void) => FailureAccrual | undefined;
  readonly makeFailFast: (reconnect: () => void, changed: () => void) => FailFast | undefined;
  /** `plain`: without TLS, whatever the client says. */
  readonly open: (address: Address, connection: ClientConnection, plain: boolean) => Transport;
  readonly stats: ClientStats;
  readonly wheel: TimerWheel;
  readonly descriptors: Descriptors;
};

/** The client that attempts come from. */
export interface EndpointUser {
  acquired(exchange: Exchange, session: ClientConnection): void;
  acquireFailed(exchange: Exchange, failure: Failure): void;
  /** It has waited for a connection for too long. */
  waitExpired(exchange: Exchange): void;
  statusChanged(endpoint: Endpoint, before: EndpointStatus): void;
}

export class Endpoint implements Balanced, LoadedEndpoint, SessionOwner {
  readonly name: string;
  readonly node = new BalancerNode();
  readonly accrual: FailureAccrual | undefined;
  address: Address;
  weight: number;
  status: EndpointStatus = 'open';
  load = 0;
  /** Kept by EndpointSet: the place in its list, and the last update that had it. */
  index = -1;
  generation = -1;
  /** Kept by the client, once a request to it has been told. */
  told: ToldEndpoint | undefined;
  readonly #failFast: FailFast | undefined;
  readonly #settings: EndpointSettings;
  readonly #user: EndpointUser;
  readonly #idle: ClientConnection[] = [];
  #size = 0;
  /** How many of them are not connected yet. */
  #connecting = 0;
  /** Connections begun for one stream each; undefined: for nobody (any more). */
  readonly #dials = new Map<ClientConnection, Exchange | undefined>();
  /** The connection that fail fast tries. */
  #trial: ClientConnection | undefined;
  #waiters: WaitList | undefined;
  #closed = false;

  constructor(address: Address, user: EndpointUser, settings: EndpointSettings) {
    this.address = address;
    this.name = endpointName(address);
    this.weight = weightOf(address);
    this.#user = user;
    this.#settings = settings;
    const changed = (): void => this.#updateStatus();
    this.accrual = settings.makeAccrual(changed);
    this.#failFast = settings.makeFailFast(() => this.#tryConnection(), changed);
  }

  get connections(): number {
    return this.#size;
  }

  get idleConnections(): number {
    return this.#idle.length;
  }

  get waiting(): number {
    return this.#waiters?.size ?? 0;
  }

  /** Ends in a call of `acquired` (at once if a connection is idle) or `acquireFailed`, unless abandoned. */
  acquire(exchange: Exchange): void {
    const { maxSize, maxWaiters, stats } = this.#settings;
    if (this.#failFast?.dead === true) {
      const text = `${this.name} is marked down: the last connection to it failed`;
      this.#user.acquireFailed(exchange, new Failure('marked-down', text, true));
      return;
    }
    if (exchange.opaque !== Opaque.none) {
      this.#dial(exchange);
      return;
    }
    // An idle connection has just turned out to be dead: others of its age may be dead too.
    const fresh = exchange.resent && this.#size < maxSize;
    if (!fresh && this.#reuse(exchange)) return;
    if (this.#size < maxSize) {
      if (this.#mayNotOpen(exchange)) return;
      this.#wait(exchange);
      this.#connect();
      return;
    }
    if (this.waiting >= maxWaiters) {
      stats.tooManyWaiters.add(1);
      const text = `${this.name} has ${maxSize} connections, and ${maxWaiters} requests wait for one`;
      this.#user.acquireFailed(exchange, new Failure('too-many-waiters', text, true));
      return;
    }
    this.#wait(exchange);
    stats.waited.add(1);
  }

  #wait(exchange: Exchange): void {
    const { stats, wheel, waitMs } = this.#settings;
    this.#waiters ??= new WaitList(wheel, waitMs, (expired) => {
      stats.poolWaiters.add(-1);
      this.#user.waitExpired(expired);
    });
    this.#waiters.add(exchange);
    stats.poolWaiters.add(1);
  }

  #reuse(exchange: Exchange): boolean {
    for (let session = this.#idle.pop(); session !== undefined; session = this.#idle.pop()) {
      this.#settings.stats.poolCached.add(-1);
      if (session.idle) {
        this.#user.acquired(exchange, session);
        return true;
      }
    }
    return false;
  }

  /** The exchange no longer wants a connection. One that is being opened for it will serve another. */
  abandon(exchange: Exchange): void {
    for (const [session, dialled] of this.#dials) {
      if (dialled !== exchange) continue;
      this.#dials.set(session, undefined);
      this.#settings.stats.cancelledConnects.add(1);
      session.close();
      return;
    }
    if (this.#waiters?.remove(exchange) !== true) return;
    this.#settings.stats.poolWaiters.add(-1);
    this.#tidy();
  }

  /** All that wait for a connection, who wait no longer. */
  takeWaiters(): readonly Exchange[] {
    const taken = this.#waiters?.take() ?? [];
    this.#settings.stats.poolWaiters.add(-taken.length);
    this.#tidy();
    return taken;
  }

  /** Takes no new attempts: idle connections are closed, those in use when their exchange is over. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.accrual?.close();
    this.#failFast?.close();
    this.#updateStatus();
    this.closeIdle();
    this.#tidy();
  }

  closeIdle(): void {
    for (const session of this.#idle.splice(0)) {
      this.#settings.stats.poolCached.add(-1);
      session.close();
    }
  }

  connected(session: ClientConnection): void {
    const { stats, wheel } = this.#settings;
    const exchange = this.#dials.get(session);
    if (!this.#dials.delete(session)) this.#connecting--;
    if (session === this.#trial) this.#trial = undefined;
    const nowMs = wheel.nowMs();
    stats.traffic.opened(session.transport.isTls);
    stats.connectLatency.observe(nowMs - (session.sinceMs ?? 0));
    session.sinceMs = nowMs;
    this.#failFast?.connected();
    if (exchange === undefined) this.idle(session);
    else this.#user.acquired(exchange, session);
  }

  connectFailed(session: ClientConnection, failure: Failure): void {
    const { stats, wheel } = this.#settings;
    const dialled = this.#dials.get(session);
    const isDial = this.#dials.delete(session);
    const isTrial = session === this.#trial;
    if (!isDial) this.#connecting--;
    if (isTrial) this.#trial = undefined;
    stats.failedConnectLatency.observe(wheel.nowMs() - (session.sinceMs ?? 0));
    this.#forget(session);
    const local = noneLeft(failure);
    if (local) stats.noDescriptors.add(1);
    if (isTrial || !local) this.#failFast?.failed(isTrial);
    const exchange = isDial ? dialled : this.#nextWaiter();
    if (exchange === undefined) return;
    this.#user.acquireFailed(exchange, local ? noDescriptors(this.name, failure.message) : failure);
  }

  idle(session: ClientConnection): void {
    const exchange = this.#nextWaiter();
    if (exchange !== undefined) {
      this.#user.acquired(exchange, session);
      return;
    }
    const idleMs = this.#closed ? 0 : this.#idleMs(session);
    if (idleMs <= 0) {
      session.close();
      return;
    }
    this.#idle.push(session);
    this.#settings.stats.poolCached.add(1);
    session.idleSinceMs = this.#settings.wheel.nowMs();
    session.expireAfter(idleMs);
  }

  /** The first `minSize` connections end only when the session's own limit is over. */
  expired(session: ClientConnection): void {
    const { minSize, sessionIdleMs = Number.POSITIVE_INFINITY, stats, wheel } = this.#settings;
    const leftMs = sessionIdleMs - (wheel.nowMs() - session.idleSinceMs);
    if (leftMs > 0 && this.#size <= minSize) {
      session.expireAfter(leftMs);
      return;
    }
    if (leftMs <= 0) stats.idleClosed?.add(1);
    session.close();
    // At once, so that the next one that expires sees how many are left.
    this.gone(session);
  }

  gone(session: ClientConnection): void {
    const { stats, wheel } = this.#settings;
    const { sinceMs } = session;
    if (sinceMs !== undefined) {
      this.#forget(session);
      session.transport.unstuck(wheel.nowMs());
      stats.traffic.closed(session.transport, wheel.nowMs() - sinceMs);
    }
    const at = this.#idle.indexOf(session);
    if (at !== -1) {
      this.#idle.splice(at, 1);
      stats.poolCached.add(-1);
    }
    // Whoever waited for this connection to become free gets one of his own.
    if (this.waiting > this.#connecting && this.#size < this.#settings.maxSize) this.#connect();
  }

  #forget(session: ClientConnection): void {
    const { descriptors, stats } = this.#settings;
    if (session.sinceMs === undefined) return;
    session.sinceMs = undefined;
    this.#size--;
    descriptors.endpoints--;
    stats.poolSize.add(-1);
  }

  #idleMs(session: ClientConnection): number {
    const { idleTimeMs, sessionIdleMs = Number.POSITIVE_INFINITY, minSize } = this.#settings;
    if (this.#size <= minSize) return sessionIdleMs;
    if (idleTimeMs !== undefined) return Math.min(idleTimeMs, sessionIdleMs);
    const { announcedMs } = session;
    if (announcedMs === undefined) return Math.min(DEFAULT_IDLE_MS, sessionIdleMs);
    return Math.min(Math.max(announcedMs - ANNOUNCED_MARGIN_MS, announcedMs / 2), sessionIdleMs);
  }

  #nextWaiter(): Exchange | undefined {
    const exchange = this.#waiters?.shift();
    if (exchange === undefined) return undefined;
    this.#settings.stats.poolWaiters.add(-1);
    this.#tidy();
    return exchange;
  }

  /** Once it is closed and nobody waits any more, nobody will. */
  #tidy(): void {
    if (this.#closed && this.waiting === 0) this.#waiters?.close();
  }

  #updateStatus(): void {
    const before = this.status;
    const state = this.accrual?.state;
    if (this.#closed) this.status = 'closed';
    else if (state === 'dead' || state === 'probing' || this.#failFast?.dead === true) this.status = 'busy';
    else this.status = 'open';
    if (this.status !== before) this.#user.statusChanged(this, before);
  }

  /** Of fail fast: the connection goes into the pool if it comes about. */
  #tryConnection(): void {
    this.#trial = this.#open(false);
    this.#dials.set(this.#trial, undefined);
  }

  #connect(): void {
    this.#connecting++;
    this.#open(false);
  }

  /** A stream gets a connection of its own, which carries nothing else before or after it. */
  #dial(exchange: Exchange): void {
    const { maxSize, stats } = this.#settings;
    if (this.#size >= maxSize) {
      stats.tooManyWaiters.add(1);
      const text = `${this.name} has ${maxSize} connections, and a stream does not wait for one`;
      this.#user.acquireFailed(exchange, new Failure('too-many-waiters', text, true));
      return;
    }
    if (!this.#mayNotOpen(exchange)) {
      this.#dials.set(this.#open(exchange.opaque === Opaque.tls), exchange);
    }
  }

  /** True, and the attempt has failed, when the process has no descriptor left for a connection. */
  #mayNotOpen(exchange: Exchange): boolean {
    const { descriptors, stats } = this.#settings;
    if (!descriptors.noneForEndpoints) return false;
    stats.noDescriptors.add(1);
    this.#user.acquireFailed(exchange, noDescriptors(this.name, `${descriptors.endpoints} are open`));
    return true;
  }

  #open(plain: boolean): ClientConnection {
    const { session, open, stats, wheel, descriptors } = this.#settings;
    const connection = new ClientConnection(this.name, this, session, (made) =>
      open(this.address, made, plain),
    );
    connection.sinceMs = wheel.nowMs();
    this.#size++;
    descriptors.endpoints++;
    stats.poolSize.add(1);
    return connection;
  }
}

/** `ip:port`, with brackets around an IPv6 address. */
export function endpointName(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The system has no descriptor, port or memory for a connection: that is not the endpoint's fault. */
function noneLeft({ cause }: Failure): boolean {
  return cause instanceof Error && 'code' in cause && LOCAL_CODES.has(String(cause.code));
}

function noDescriptors(endpoint: string, why: string): Failure {
  return new Failure('no-descriptors', `no connection to ${endpoint} can be opened: ${why}`, true);
}

/** What is no weight counts as 1. */
export function weightOf({ meta }: Address): number {
  const weight = meta?.weight ?? 1;
  return weight >= 0 && weight < Number.POSITIVE_INFINITY ? weight : 1;
}
