/**
 * A listener of a router: accepts connections (plain or TLS), limits and counts what they bring, and hands
 * requests to the router.
 */
import type net from 'node:net';
import tls from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { ServerSpec } from '../../config/spec.ts';
import { assert } from '../../src/base/assert.ts';
import type { Closable } from '../../src/base/closable.ts';
import { Failure } from '../../src/base/failure.ts';
import type { LimitedLog } from '../../src/base/limited-log.ts';
import { LinkedList } from '../../src/base/linked-list.ts';
import type { Rng } from '../../src/base/rng.ts';
import type { Counter, Scope, Stat } from '../../src/base/stats.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';
import { BodyStats } from '../body-stats.ts';
import type { ResponseClass } from '../classify/http.ts';
import { ConnectionStats } from '../connection-stats.ts';
import type { Descriptors } from '../descriptors.ts';
import { type EarlyBytes, type Exchange, Opaque, type TunnelEnd } from '../exchange.ts';
import type { RequestHead, ResponseHead } from '../head.ts';
import { clientCertValue } from '../headers/client-cert.ts';
import { DeadlineStats } from '../headers/deadline-stats.ts';
import { ForwardedLine } from '../headers/forwarded.ts';
import type { ReceiveOptions } from '../headers/receive.ts';
import { RequestStats, StatusStats } from '../request-stats.ts';
import type { GeneratedResponse } from '../respond/error-response.ts';
import { totalTimeoutText } from '../respond/messages.ts';
import type { Router } from '../router.ts';
import { StoryOrigin } from '../tap/story.ts';
import { type Cohort, certDrainMs } from '../tls/cohort.ts';
import { Refusals } from '../tls/refusals.ts';
import { TlsListener } from '../tls/tls-listener.ts';
import type { ServerTlsMaterial } from '../tls/tls-material.ts';
import { Admission } from './admission.ts';
import { CallerLimits } from './caller-limits.ts';
import { type CallerSide, KeptCaller, type Source } from './caller-side.ts';
import { CallerTunnel } from './caller-tunnel.ts';
import type { ConnectPolicy } from './connect-policy.ts';
import type { ConnectTarget } from './connect-target.ts';
import type { Caller, ConnectionHost, Upgraded } from './connection-host.ts';
import { CHUNKED } from './framing.ts';
import type { HeadLimits } from './limits.ts';
import { Lingering } from './lingering.ts';
import { Listener } from './listener.ts';
import { refusalText } from './response-writer.ts';
import { Resting } from './resting.ts';
import { ServerConnection } from './server-connection.ts';
import { type SocketLimits, socketLimits } from './socket-watch.ts';
import { Transport } from './transport.ts';
import { TunnelStats } from './tunnel-stats.ts';

/** The first request and every so many are timed for `handletime_us`. */
const TIMED_EVERY = 16;

export type ServerTls = {
  readonly material: ServerTlsMaterial;
  readonly ticketSecret: Uint8Array;
  readonly log: LimitedLog;
};

export type HttpServerDeps = {
  readonly spec: ServerSpec;
  readonly router: Router;
  /** `rt/<label>/server/<ip>/<port>` */
  readonly stats: Scope;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly clock: { wallMs(): number };
  readonly tls: ServerTls | undefined;
  /** Threads that listen on the same port, each with its part of the limits. */
  readonly threads: number;
  readonly descriptors: Descriptors;
  readonly loop: { readonly delayMs: number };
};

const FULL = refusalText(503, 'this listener has no room for another connection');

export class HttpServer implements ConnectionHost {
  spec: ServerSpec;
  limits: HeadLimits;
  readonly callers: CallerLimits;
  /** The bound port, once it listens. */
  port = 0;
  readonly wheel: TimerWheel;
  readonly traffic: ConnectionStats;
  keepAliveEnding: string;
  #deps: HttpServerDeps;
  /** Of what is told of its requests. */
  #origin: StoryOrigin;
  readonly #router: Router;
  #receive: ReceiveOptions;
  readonly #listener: Listener;
  #tls: TlsListener<CallerSide> | undefined;
  /** Where a connection is now (between its requests, in a tunnel, at its end). */
  readonly #connections = new LinkedList<KeptCaller>();
  readonly #admission: Admission;
  readonly #resting: Resting;
  readonly tunnels: TunnelStats;
  #policy: ConnectPolicy;
  readonly #requests: RequestStats;
  readonly #status: StatusStats;
  readonly #bodies: BodyStats;
  readonly #handlingUs: Stat;
  #handled = 0;
  readonly #refused: Counter;
  readonly #nacks: Counter;
  #socketLimits: SocketLimits | undefined;
  readonly #cut: Counter;
  readonly #deadlines: DeadlineStats;
  #draining = false;
  readonly #whenEmpty: (() => void)[] = [];

  constructor(deps: HttpServerDeps) {
    const { spec, router, stats, wheel } = deps;
    this.#deps = deps;
    this.#origin = originOf(deps);
    this.spec = spec;
    this.#router = router;
    this.limits = router.limits;
    this.wheel = wheel;
    this.#deadlines = new DeadlineStats(stats);
    this.#receive = this.#receiveOptions();
    this.keepAliveEnding = keepAliveEnding(spec.idleTimeMs);
    this.#admission = new Admission(deps);
    this.#resting = new Resting(wheel);
    this.callers = new CallerLimits(spec, wheel, stats, deps.threads);
    this.#requests = new RequestStats(stats);
    this.#status = new StatusStats(stats);
    this.traffic = new ConnectionStats(stats);
    this.#bodies = new BodyStats(stats);
    this.#handlingUs = stats.stat('handletime_us');
    this.#refused = stats.counter('refused');
    this.#nacks = stats.counter('nacks');
    this.#cut = stats.counter('cut');
    this.tunnels = new TunnelStats(stats);
    this.#socketLimits = socketLimits(spec.socketOptions, wheel, stats);
    this.#policy = router.connectPolicy(spec.connect?.ports);
    this.#tls = deps.tls && this.#makeTls(deps.tls);
    this.#listener = this.#makeListener();
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Connections are accepted. */
  get listening(): boolean {
    return this.#listener.listening;
  }

  /** Resolves to the bound port, or to why there is none. `port` 0 lets the system choose. */
  async listen(port: number, reusePort: boolean): Promise<number | Failure> {
    const { ip, socketOptions } = this.spec;
    const bound = await this.#listener.listen({ ip, port, reusePort, backlog: socketOptions.backlog });
    if (typeof bound === 'number') this.port = bound;
    return bound;
  }

  /**
   * Settings of a new configuration, after those of the router; the address is the same. Connections that are
   * open go on, with the limits of time that are now in force.
   */
  reconfigure(spec: ServerSpec, tls: ServerTls | undefined): void {
    const { router, wheel, stats, tls: before } = this.#deps;
    const sameTls = isDeepStrictEqual([spec.tls, tls?.material], [this.spec.tls, before?.material]);
    this.#deps = { ...this.#deps, spec, tls };
    this.#origin = originOf(this.#deps);
    this.spec = spec;
    this.limits = router.limits;
    this.#receive = this.#receiveOptions();
    this.keepAliveEnding = keepAliveEnding(spec.idleTimeMs);
    this.#admission.configure(spec);
    this.callers.configure(spec);
    this.#socketLimits = socketLimits(spec.socketOptions, wheel, stats);
    this.#policy = router.connectPolicy(spec.connect?.ports);
    if (sameTls) return;
    if (tls !== undefined && this.#tls !== undefined) {
      this.#tls.replace(tls.material, certDrainMs(spec.tls));
      return;
    }
    this.#tls?.retire();
    this.#tls = tls && this.#makeTls(tls);
  }

  /**
   * Resolves when everybody who has come has been let in, and nobody is accepted any more. Callers are told
   * with their next answer that it is the last; who asks for nothing more is let go after a moment.
   */
  retire(): Promise<void> {
    this.#draining = true;
    const stopped = this.#listener.retire();
    for (const { value } of this.#connections.links()) value.side.drain();
    return stopped;
  }

  /** Resolves when all callers are gone. */
  async empty(): Promise<void> {
    if (this.#connections.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  drain(): Promise<void> {
    return this.retire().then(() => this.empty());
  }

  /** New handshakes are made with these certificates, connections made with others are let go. */
  replaceTls(material: ServerTlsMaterial): void {
    assert(this.#tls !== undefined, 'a listener without TLS has no certificates');
    this.#tls.replace(material);
    const { tls } = this.#deps;
    if (tls !== undefined) this.#deps = { ...this.#deps, tls: { ...tls, material } };
  }

  replaceTicketSecret(secret: Uint8Array): void {
    this.#tls?.replaceTicketSecret(secret);
  }

  /** Cuts what is left, and answers how many requests and tunnels that were. */
  close(): number {
    this.#listener.close();
    this.#resting.close();
    let cut = 0;
    for (const { value } of this.#connections.links()) {
      if (value.side.busy) cut++;
      value.side.close();
    }
    this.#cut.add(cut);
    return cut;
  }

  buffers(length: number): boolean {
    const { streamAfterBytes } = this.#router.spec;
    return length === CHUNKED ? streamAfterBytes === Number.POSITIVE_INFINITY : length <= streamAfterBytes;
  }

  route(exchange: Exchange): void {
    exchange.admitted = true;
    const { tap } = this.#router;
    if (tap.on) exchange.story = tap.begin(exchange, this.#origin);
    this.#requests.begin();
    this.#bodies.begins(exchange);
    if (this.#admission.countsSources) {
      exchange.source = (exchange.answer as ServerConnection).kept?.source;
    }
    if (!this.#admission.begin(exchange.source)) {
      this.#nacks.add(1);
      exchange.answer.fail(new Failure('overloaded', 'the server has too much to do', true));
      this.#rest(exchange.answer as ServerConnection);
      return;
    }
    const { timeoutMs } = this.spec;
    if (timeoutMs !== undefined && timeoutMs > 0) this.#limitTime(exchange, timeoutMs);
    this.#hand(exchange);
  }

  /** Unless its connection ends with the refusal. */
  #rest(refused: ServerConnection): void {
    const { kept } = refused;
    if (kept !== undefined) this.#resting.refused(kept.source, refused.transport);
  }

  /** Asking for the time costs more than all counters: only every so many requests are timed. */
  #hand(exchange: Exchange): void {
    const timed = this.#handled++ % TIMED_EVERY === 0;
    const begunMs = timed ? performance.now() : 0;
    this.#router.route(exchange, this.#receive, this.#forwardedLine(exchange));
    if (timed) this.#handlingUs.observe((performance.now() - begunMs) * 1000);
  }

  answered(exchange: Exchange, response: ResponseHead, length: number): void {
    exchange.counted = true;
    if (length < 0) exchange.answerStreamMs = this.#bodies.responseBegins(this.wheel.nowMs());
    exchange.story?.answered(response.status, response.fields, this.wheel.nowMs());
    exchange.serverTimer?.close();
    const latencyMs = this.wheel.nowMs() - exchange.startedMs;
    const outcome: ResponseClass = exchange.routed
      ? exchange.responseClass
      : response.status < 500
        ? 'success'
        : 'failure';
    this.#requests.end(outcome === 'retryable' ? 'failure' : outcome, latencyMs, undefined);
    this.#status.response(response.status, latencyMs);
  }

  ended(exchange: Exchange): void {
    this.callers.ended(exchange);
    // The caller may go before the body that the request waits for is complete.
    if (!exchange.admitted) return;
    this.#admission.ended(exchange.source);
    this.#bodies.ends(exchange, this.wheel.nowMs());
    exchange.serverTimer?.close();
    if (!exchange.counted) this.#requests.forget();
    exchange.story?.finish();
  }

  refused(status: number): void {
    this.#refused.add(1);
    if (status === 414 || status === 431) this.callers.headSizes.add(1);
    this.#status.response(status, 0);
  }

  failureResponse(exchange: Exchange, failure: Failure): GeneratedResponse {
    if (failure.kind === 'deadline') this.#receive.deadlines.rejected.add(1);
    exchange.story?.failed(failure);
    return this.#router.failureResponse(exchange, failure);
  }

  mayConnect(target: ConnectTarget, tell: (refusal: string | undefined) => void): Closable {
    return this.#policy.decide(target, tell);
  }

  connected(from: Caller, head: RequestHead, early: Buffer | undefined, peerEnded: boolean): CallerTunnel {
    const tunnel = this.#replace(from, CallerTunnel.connected(this, from, head));
    if (early !== undefined) tunnel.early(early, 0, early.length);
    if (peerEnded) tunnel.onEnd();
    return tunnel;
  }

  upgraded(upgraded: Upgraded, far: TunnelEnd, early: EarlyBytes | undefined): void {
    this.#replace(upgraded.from, CallerTunnel.upgraded(this, upgraded)).splice(far, early);
  }

  speaksHttp(from: Caller, authority: string, early: Buffer | undefined, peerEnded: boolean): void {
    const { transport, presentedCert, openedMs } = from;
    const connection = new ServerConnection(this, { presentedCert, openedMs, authority }, (owner) => {
      transport.handOver(owner);
      return transport;
    });
    this.#replace(from, connection);
    if (this.#draining) connection.drain();
    if (early !== undefined) connection.early(early, 0, early.length);
    if (peerEnded) connection.onEnd();
  }

  lingers(from: Caller): Lingering {
    return this.#replace(from, new Lingering(this, from));
  }

  closed(side: CallerSide, transport: Transport, openedMs: number): void {
    const { kept } = side;
    if (kept === undefined) return;
    kept.remove();
    // With TLS it ends with the socket below, which came before the handshake.
    if (kept.cohort === undefined) this.#admission.leave(kept.source);
    const nowMs = this.wheel.nowMs();
    transport.unstuck(nowMs);
    this.traffic.closed(transport, nowMs - openedMs);
    if (this.#connections.size === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  #replace<S extends CallerSide>(before: CallerSide, after: S): S {
    before.kept?.becomes(after);
    return after;
  }

  #makeTls({ material, ticketSecret, log }: ServerTls): TlsListener<CallerSide> {
    const { spec, wheel } = this;
    const { stats, router, clock } = this.#deps;
    const where = `${router.spec.label} ${spec.ip}:${spec.port}`;
    return new TlsListener(material, {
      handshakeTimeoutMs: spec.headTimeoutMs,
      drainMs: certDrainMs(spec.tls),
      stats,
      refusals: new Refusals(stats, where, log),
      clock,
      wheel,
      ticketSecret,
      accept: (socket, cohort) =>
        this.#accept(socket, this.#admission.sourceAt(socket.remoteAddress ?? ''), cohort),
      retire: (connection) => connection.drain(),
      cut: (connection) => connection.close(),
    });
  }

  #receiveOptions(): ReceiveOptions {
    const { clearContext, maxCallDepth, timestampHeader } = this.spec;
    const { localDtabs, propagator } = this.#router;
    return {
      clearContext,
      maxCallDepth,
      timestampHeader,
      localDtabs,
      tracePropagator: propagator,
      clock: this.#deps.clock,
      deadlines: this.#deadlines,
    };
  }

  #makeListener(): Listener {
    const { noDelay, keepAlive } = this.spec.socketOptions;
    const options = { noDelay, keepAlive: keepAlive ?? false, pauseOnConnect: true };
    return new Listener(
      options,
      (socket) => this.#arrived(socket),
      () => this.#refused.add(1),
    );
  }

  #arrived(socket: net.Socket): void {
    const tls = this.#tls;
    const source = this.#admission.enter(socket.remoteAddress ?? '');
    if (source === undefined) {
      this.#refused.add(1);
      socket.on('error', () => {});
      if (tls === undefined) socket.end(FULL, () => socket.destroy());
      else socket.destroy();
    } else if (tls === undefined) this.#accept(socket, source, undefined);
    else {
      socket.once('close', () => this.#admission.leave(source));
      tls.handshake(socket);
    }
  }

  #accept(socket: net.Socket, source: Source, cohort: Cohort<CallerSide> | undefined): void {
    const certificate = socket instanceof tls.TLSSocket ? socket.getPeerX509Certificate() : undefined;
    const presented = certificate === undefined ? undefined : clientCertValue(certificate);
    this.traffic.opened(socket instanceof tls.TLSSocket);
    const identity = { presentedCert: presented, openedMs: this.wheel.nowMs(), authority: undefined };
    const connection = new ServerConnection(this, identity, (owner) => Transport.accept(socket, owner));
    if (this.#socketLimits !== undefined) connection.transport.watch(this.#socketLimits);
    new KeptCaller(connection, source, cohort, this.#connections);
    if (this.#draining) connection.drain();
  }

  #forwardedLine(exchange: Exchange): ForwardedLine | undefined {
    const spec = this.spec.addForwardedHeader;
    // The head of a stream is not sent on.
    if (spec === undefined || exchange.opaque !== Opaque.none) return undefined;
    const connection = exchange.answer as ServerConnection;
    connection.forwarded ??= new ForwardedLine(
      spec,
      {
        ip: connection.transport.socket.localAddress ?? '',
        port: connection.transport.socket.localPort ?? 0,
      },
      {
        ip: connection.transport.socket.remoteAddress ?? '',
        port: connection.transport.socket.remotePort ?? 0,
      },
      this.#router.spec.label,
      this.#deps.rng,
    );
    return connection.forwarded;
  }

  #limitTime(exchange: Exchange, timeoutMs: number): void {
    const timer: WheelTimer = this.wheel.timer(() => {
      if (exchange.over || exchange.routed) return;
      exchange.attempt?.cancelled(exchange);
      const text = totalTimeoutText(timeoutMs, exchange.service?.name, exchange.selected);
      exchange.answer.fail(new Failure('server-timeout', text));
    });
    exchange.dueMs = this.wheel.nowMs() + timeoutMs;
    timer.armAt(exchange.dueMs);
    exchange.serverTimer = timer;
    exchange.serverTimeoutMs = timeoutMs;
  }
}

/** The end of a head after which the connection stays open: callers are told for how long (decision 16). */
function keepAliveEnding(idleTimeMs: number): string {
  const seconds = Math.floor(idleTimeMs / 1000);
  const announced = seconds >= 1 && seconds < 1e9 ? `Keep-Alive: timeout=${seconds}\r\n` : '';
  return `Connection: keep-alive\r\n${announced}\r\n`;
}

/** The server is named as in its metrics. */
function originOf({ router, spec, tls }: HttpServerDeps): StoryOrigin {
  return new StoryOrigin(router.spec.label, `${spec.ip}/${spec.port}`, tls !== undefined);
}
