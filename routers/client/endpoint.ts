/**
 * One ip:port of a bound name, with its connections. An attempt takes the idle connection that was used last,
 * or opens one; at `maxSize` connections attempts wait in order, and beyond `maxWaiters` they fail at once.
 * The endpoint is loaded from the moment an attempt is given to it until the response has been read.
 */
import type { Address } from '../../dtab/names.ts';
import { Failure } from '../../src/base/failure.ts';
import type { Balanced, EndpointStatus } from '../balance/balancer.ts';
import { type Exchange, type LoadedEndpoint, Opaque } from '../exchange.ts';
import { ClientConnection, type SessionOwner, type SessionSettings } from '../http1/client-connection.ts';
import type { Transport } from '../http1/transport.ts';
import type { ClientStats } from './client-stats.ts';

/** Idle connections are closed before the usual keep-alive time of servers (5 s) is over (decision 16). */
const DEFAULT_IDLE_MS = 3000;
/** How long before the announced end of a server's patience a connection is given up. */
const ANNOUNCED_MARGIN_MS = 1000;

export type EndpointSettings = {
  readonly session: SessionSettings;
  readonly minSize: number;
  readonly maxSize: number;
  readonly maxWaiters: number;
  /** Absent: by what the endpoint announces. */
  readonly idleTimeMs: number | undefined;
  /** `plain`: without TLS, whatever the client says. */
  readonly open: (address: Address, connection: ClientConnection, plain: boolean) => Transport;
  readonly stats: ClientStats;
  readonly nowMs: () => number;
};

/** The client that attempts come from. */
export interface EndpointUser {
  acquired(exchange: Exchange, session: ClientConnection): void;
  acquireFailed(exchange: Exchange, failure: Failure): void;
}

export class Endpoint implements Balanced, LoadedEndpoint, SessionOwner {
  readonly address: Address;
  readonly name: string;
  readonly weight: number;
  readonly status: EndpointStatus = 'open';
  load = 0;
  readonly #settings: EndpointSettings;
  readonly #user: EndpointUser;
  readonly #idle: ClientConnection[] = [];
  /** All connections, with the time at which each was begun. */
  readonly #all = new Map<ClientConnection, number>();
  /** How many of them are not connected yet. */
  #connecting = 0;
  /** Connections begun for one stream each; undefined: it has been given up. */
  readonly #dials = new Map<ClientConnection, Exchange | undefined>();
  #waiters: Exchange[] = [];
  #closed = false;

  constructor(address: Address, user: EndpointUser, settings: EndpointSettings) {
    this.address = address;
    this.name = endpointName(address);
    this.weight = address.meta?.weight ?? 1;
    this.#user = user;
    this.#settings = settings;
  }

  get connections(): number {
    return this.#all.size;
  }

  get idleConnections(): number {
    return this.#idle.length;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Ends in a call of `acquired` (at once if a connection is idle) or `acquireFailed`, unless abandoned. */
  acquire(exchange: Exchange): void {
    const { maxSize, maxWaiters, stats } = this.#settings;
    if (exchange.opaque !== Opaque.none) {
      this.#dial(exchange);
      return;
    }
    // An idle connection has just turned out to be dead: others of its age may be dead too.
    const fresh = exchange.resent && this.#all.size < maxSize;
    if (!fresh && this.#reuse(exchange)) return;
    if (this.#all.size < maxSize) {
      this.#waiters.push(exchange);
      stats.poolWaiters.add(1);
      this.#connect();
      return;
    }
    if (this.#waiters.length >= maxWaiters) {
      stats.tooManyWaiters.add(1);
      const text = `${this.name} has ${maxSize} connections, and ${maxWaiters} requests wait for one`;
      this.#user.acquireFailed(exchange, new Failure('too-many-waiters', text, true));
      return;
    }
    this.#waiters.push(exchange);
    stats.waited.add(1);
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
      session.close();
      return;
    }
    const at = this.#waiters.indexOf(exchange);
    if (at === -1) return;
    this.#waiters.splice(at, 1);
    this.#settings.stats.poolWaiters.add(-1);
  }

  /** Takes no new attempts: idle connections are closed, those in use when their exchange is over. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const session of this.#idle.splice(0)) {
      this.#settings.stats.poolCached.add(-1);
      session.close();
    }
  }

  connected(session: ClientConnection): void {
    const { stats, nowMs } = this.#settings;
    const exchange = this.#dials.get(session);
    if (!this.#dials.delete(session)) this.#connecting--;
    stats.connects.add(1);
    stats.connections.add(1);
    stats.connectLatency.observe(nowMs() - (this.#all.get(session) ?? 0));
    if (exchange === undefined) this.idle(session);
    else this.#user.acquired(exchange, session);
  }

  connectFailed(session: ClientConnection, failure: Failure): void {
    const { stats, nowMs } = this.#settings;
    const dialled = this.#dials.get(session);
    const isDial = this.#dials.delete(session);
    if (!isDial) this.#connecting--;
    stats.failedConnectLatency.observe(nowMs() - (this.#all.get(session) ?? 0));
    this.#all.delete(session);
    stats.poolSize.add(-1);
    const exchange = isDial ? dialled : this.#nextWaiter();
    if (exchange !== undefined) this.#user.acquireFailed(exchange, failure);
  }

  idle(session: ClientConnection): void {
    const exchange = this.#nextWaiter();
    if (exchange !== undefined) {
      this.#user.acquired(exchange, session);
      return;
    }
    if (this.#closed) {
      session.close();
      return;
    }
    this.#idle.push(session);
    this.#settings.stats.poolCached.add(1);
    session.expireAfter(this.#idleMs(session));
  }

  gone(session: ClientConnection): void {
    const { stats } = this.#settings;
    if (this.#all.delete(session)) {
      stats.poolSize.add(-1);
      stats.connections.add(-1);
      stats.closes.add(1);
    }
    const at = this.#idle.indexOf(session);
    if (at !== -1) {
      this.#idle.splice(at, 1);
      stats.poolCached.add(-1);
    }
    // Whoever waited for this connection to become free gets one of his own.
    if (this.#waiters.length > this.#connecting && this.#all.size < this.#settings.maxSize) this.#connect();
  }

  #idleMs(session: ClientConnection): number {
    const { idleTimeMs, minSize } = this.#settings;
    if (this.#all.size <= minSize) return Number.POSITIVE_INFINITY;
    if (idleTimeMs !== undefined) return idleTimeMs;
    const { announcedMs } = session;
    if (announcedMs === undefined) return DEFAULT_IDLE_MS;
    return Math.max(announcedMs - ANNOUNCED_MARGIN_MS, announcedMs / 2);
  }

  #nextWaiter(): Exchange | undefined {
    const exchange = this.#waiters.shift();
    if (exchange !== undefined) this.#settings.stats.poolWaiters.add(-1);
    return exchange;
  }

  #connect(): void {
    this.#connecting++;
    this.#open(false);
  }

  /** A stream gets a connection of its own, which carries nothing else before or after it. */
  #dial(exchange: Exchange): void {
    const { maxSize, stats } = this.#settings;
    if (this.#all.size >= maxSize) {
      stats.tooManyWaiters.add(1);
      const text = `${this.name} has ${maxSize} connections, and a stream does not wait for one`;
      this.#user.acquireFailed(exchange, new Failure('too-many-waiters', text, true));
      return;
    }
    this.#dials.set(this.#open(exchange.opaque === Opaque.tls), exchange);
  }

  #open(plain: boolean): ClientConnection {
    const { session, open, stats, nowMs } = this.#settings;
    const connection = new ClientConnection(this.name, this, session, (made) =>
      open(this.address, made, plain),
    );
    this.#all.set(connection, nowMs());
    stats.poolSize.add(1);
    return connection;
  }
}

/** `ip:port`, with brackets around an IPv6 address. */
export function endpointName(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
