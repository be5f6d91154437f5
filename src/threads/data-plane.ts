/**
 * The data half of the process: routers and their listeners. The same object runs on a data thread and, with
 * `--threads 0`, on the control thread; it sees names only through a Binder and metrics only through a Scope.
 */
import { isDeepStrictEqual } from 'node:util';
import type { RouterSpec, ServerSpec } from '../../config/spec.ts';
import type { Binder } from '../../routers/binding/binder.ts';
import { Descriptors } from '../../routers/descriptors.ts';
import { HttpServer, type ServerTls } from '../../routers/http1/http-server.ts';
import { Router } from '../../routers/router.ts';
import type { Interest } from '../../routers/tap/interest.ts';
import { RequestTap, type StoryBatch } from '../../routers/tap/request-tap.ts';
import { ClientMaterial } from '../../routers/tls/client-material.ts';
import { certDrainMs } from '../../routers/tls/cohort.ts';
import { SecureContexts } from '../../routers/tls/secure-contexts.ts';
import type { ClientTlsMaterial, ServerTlsMaterial } from '../../routers/tls/tls-material.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import { LimitedLog } from '../base/limited-log.ts';
import type { Log } from '../base/log.ts';
import { LoopDelay } from '../base/loop-delay.ts';
import { mathRng } from '../base/rng.ts';
import type { Scope } from '../base/stats.ts';
import { TimerWheel } from '../base/timer-wheel.ts';
import { type ClientReport, clientReport } from './client-report.ts';
import { type ClientMaterials, routerSections } from './router-sections.ts';

/**
 * A router as a data thread gets it: checked, with bytes in the place of file names. Crosses a thread
 * boundary.
 */
export type RouterPlan = {
  /** By which its names are asked for; the same for as long as the label is. */
  readonly id: number;
  readonly spec: RouterSpec;
  /** Printed dentries of the base dtab, for messages. */
  readonly baseDtab: readonly string[];
  /** Of each server, in order. */
  readonly serverTls: readonly (ServerTlsMaterial | undefined)[];
  /** Of each entry of the client section, in order. */
  readonly clientTls: readonly (ClientTlsMaterial | undefined)[];
};

export type DataPlan = {
  readonly routers: readonly RouterPlan[];
  /** What the keys of session tickets are made of, so that each thread can resume the sessions of all. */
  readonly ticketSecret: Uint8Array;
  readonly threads: number;
  /** Descriptors of all threads together, as in routers/descriptors. */
  readonly descriptors: { readonly callers: number; readonly endpoints: number };
  /** URL of the admin server, without a path: for error texts. */
  readonly admin: string;
};

/** New bytes for one `tls` section of the configuration. Crosses a thread boundary. */
export type TlsReplacement = { readonly router: number } & (
  | { readonly side: 'server'; readonly server: number; readonly material: ServerTlsMaterial }
  | { readonly side: 'client'; readonly entry: number; readonly material: ClientTlsMaterial }
);

/** The plan of a data plane that begins after a replacement. */
export function withTls(plan: DataPlan, replacement: TlsReplacement): DataPlan {
  const routers = plan.routers.map((router, i) =>
    i === replacement.router ? routerWithTls(router, replacement) : router,
  );
  return { ...plan, routers };
}

function routerWithTls(router: RouterPlan, replacement: TlsReplacement): RouterPlan {
  return replacement.side === 'server'
    ? { ...router, serverTls: router.serverTls.with(replacement.server, replacement.material) }
    : { ...router, clientTls: router.clientTls.with(replacement.entry, replacement.material) };
}

export type DataDeps = {
  readonly binder: (router: number) => Binder;
  readonly stats: Scope;
  readonly clock: Clock;
  /** Stories of requests, once somebody is interested; as `send` of a RequestTap. */
  readonly tell: (batch: StoryBatch) => boolean;
  readonly log: Log;
};

/** Ports by router and server, in the order of the configuration. */
export type Ports = readonly (readonly number[])[];

/** By address as configured, which is how a server is known again. */
type Servers = Map<string, HttpServer>;
type Running = {
  plan: RouterPlan;
  readonly router: Router;
  /** Shared with all that the router makes; written anew when the dtab changes. */
  readonly baseDtab: string[];
  readonly servers: Servers;
  /** Of each entry of the client section, in order. */
  readonly clientTls: ClientMaterials;
};

export class DataPlane {
  readonly #deps: DataDeps;
  readonly #wheel: TimerWheel;
  readonly #tap: RequestTap;
  readonly #contexts = new SecureContexts();
  readonly #log: LimitedLog;
  readonly #loop: LoopDelay;
  readonly #descriptors: Descriptors;
  #plan: DataPlan;
  #running: readonly Running[];
  /** Made for the next configuration, and not in force yet. */
  #next: { readonly plan: DataPlan; readonly running: readonly Running[] } | undefined;
  /** No part of the configuration any more; they end with their last request. */
  readonly #leaving = new Set<Running>();

  constructor(plan: DataPlan, deps: DataDeps) {
    this.#deps = deps;
    this.#wheel = new TimerWheel(deps.clock);
    this.#tap = new RequestTap({
      wheel: this.#wheel,
      rng: mathRng,
      stats: deps.stats.scope('tap'),
      send: deps.tell,
    });
    this.#log = new LimitedLog(deps.log, deps.clock);
    this.#loop = new LoopDelay(deps.clock, deps.stats.stat('threads', 'loop_delay_ms'));
    const { callers, endpoints } = plan.descriptors;
    const share = (all: number): number => Math.max(1, Math.floor(all / plan.threads));
    this.#descriptors = new Descriptors(share(callers), share(endpoints));
    this.#plan = plan;
    this.#running = plan.routers.map((each) => this.#make(each, undefined));
  }

  /** Opens all listeners in order; at the first that cannot be opened everything is closed again. */
  async listen(ports: Ports, reusePort: boolean): Promise<Ports | Failure> {
    const bound = await this.#open(this.#plan, this.#running, ports, reusePort);
    if (bound instanceof Failure) this.close();
    return bound;
  }

  /**
   * Makes what a new configuration has more than the one in force, and opens its listeners. Nothing of it
   * shows before `commit`; after a failure nothing of it is left.
   */
  async prepare(plan: DataPlan, ports: Ports, reusePort: boolean): Promise<Ports | Failure> {
    const running = plan.routers.map((each) => {
      const now = this.#running.find(({ plan: { id } }) => id === each.id);
      return this.#make(each, now);
    });
    this.#next = { plan: { ...plan, ticketSecret: this.#plan.ticketSecret }, running };
    const bound = await this.#open(plan, running, ports, reusePort);
    if (bound instanceof Failure) this.abort();
    return bound;
  }

  /** Puts in force what has been prepared; what did not change goes on as it is. */
  commit(): void {
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    const before = this.#running;
    for (const each of next.running) {
      const now = before.find(({ router }) => router === each.router);
      if (now !== undefined) this.#reconfigure(now, each, next.plan);
    }
    this.#running = next.running;
    this.#plan = next.plan;
    for (const each of before) {
      const { router, servers } = each;
      const kept = next.running.find((other) => other.router === router);
      const gone = new Map([...servers].filter(([key, server]) => kept?.servers.get(key) !== server));
      if (kept === undefined || gone.size > 0) {
        void this.#leave({ ...each, servers: gone }, kept === undefined);
      }
    }
  }

  /** Closes what has been prepared. */
  abort(): void {
    const next = this.#next;
    this.#next = undefined;
    for (const { router, servers } of next?.running ?? []) {
      const now = this.#running.find((each) => each.router === router);
      for (const [key, server] of servers) if (now?.servers.get(key) !== server) server.close();
      if (now === undefined) router.close();
    }
  }

  #reconfigure(now: Running, next: Running, { admin }: DataPlan): void {
    if (isDeepStrictEqual(now.plan, next.plan) && admin === this.#plan.admin) return;
    const { plan, router, baseDtab, clientTls } = next;
    baseDtab.splice(0, baseDtab.length, ...plan.baseDtab);
    router.reconfigure({
      spec: plan.spec,
      admin,
      ...routerSections(plan.spec, clientTls, this.#log, this.#deps.clock),
    });
    plan.spec.servers.forEach((spec, i) => {
      next.servers.get(addressOf(spec, i))?.reconfigure(spec, this.#serverTls(plan, i));
    });
    now.clientTls.forEach((each, k) => {
      if (!clientTls.includes(each)) each?.retire(clientTls[k]?.drainMs);
    });
  }

  async #leave(gone: Running, whole: boolean): Promise<void> {
    this.#leaving.add(gone);
    await Promise.all([...gone.servers.values()].map((server) => server.drain()));
    if (whole) gone.router.close();
    this.#leaving.delete(gone);
    this.#forget(gone, whole);
  }

  /** Metrics of what has left, unless the same has come back meanwhile. */
  #forget({ plan, servers }: Running, whole: boolean): void {
    const { label } = plan.spec;
    const stats = this.#deps.stats.scope('rt', label);
    const now = this.#running.find((each) => each.plan.spec.label === label);
    if (whole && now === undefined) stats.prune();
    for (const [key, { spec }] of servers) {
      if (now?.servers.has(key) !== true) stats.scope('server', `${spec.ip}/${spec.port}`).prune();
    }
  }

  /** What `now` has already is not made again. */
  #make(plan: RouterPlan, now: Running | undefined): Running {
    const stats = this.#deps.stats.scope('rt', plan.spec.label);
    const baseDtab = now?.baseDtab ?? [...plan.baseDtab];
    const clientTls = this.#clientTls(plan, now);
    const router =
      now?.router ??
      new Router({
        spec: plan.spec,
        binder: this.#deps.binder(plan.id),
        stats,
        clock: this.#deps.clock,
        wheel: this.#wheel,
        rng: mathRng,
        ...routerSections(plan.spec, clientTls, this.#log, this.#deps.clock),
        baseDtab,
        admin: this.#plan.admin,
        tap: this.#tap,
        descriptors: this.#descriptors,
      });
    const servers: Servers = new Map();
    for (const [i, spec] of plan.spec.servers.entries()) {
      const key = addressOf(spec, i);
      const server =
        now?.servers.get(key) ??
        new HttpServer({
          spec,
          router,
          stats: stats.scope('server', `${spec.ip}/${spec.port}`),
          wheel: this.#wheel,
          rng: mathRng,
          clock: this.#deps.clock,
          tls: this.#serverTls(plan, i),
          threads: this.#plan.threads,
          descriptors: this.#descriptors,
          loop: this.#loop,
        });
      servers.set(key, server);
    }
    return { plan, router, baseDtab, servers, clientTls };
  }

  #serverTls({ serverTls }: RouterPlan, i: number): ServerTls | undefined {
    const material = serverTls[i];
    return material && { material, ticketSecret: this.#plan.ticketSecret, log: this.#log };
  }

  /** Entries with the same certificates as before share what has been made with them. */
  #clientTls({ spec, clientTls }: RouterPlan, now: Running | undefined): ClientMaterials {
    return clientTls.map((material, k) => {
      if (material === undefined) return undefined;
      const drainMs = certDrainMs(spec.client[k]?.params.tls);
      const same = now?.clientTls.find(
        (each) => each?.drainMs === drainMs && isDeepStrictEqual(each.material, material),
      );
      return same ?? new ClientMaterial(material, { contexts: this.#contexts, wheel: this.#wheel, drainMs });
    });
  }

  async #open(
    { routers }: DataPlan,
    running: readonly Running[],
    ports: Ports,
    reusePort: boolean,
  ): Promise<Ports | Failure> {
    const bound: number[][] = [];
    for (const [i, { spec: router }] of routers.entries()) {
      const own: number[] = [];
      bound.push(own);
      for (const [j, spec] of router.servers.entries()) {
        const server = running[i]?.servers.get(addressOf(spec, j));
        assert(server !== undefined, 'every server of the plan has been made');
        const wanted = ports[i]?.[j] ?? spec.port;
        const port = server.listening
          ? server.port
          : await server.listen(wanted, reusePort || spec.socketOptions.reusePort);
        if (port instanceof Failure) return port;
        own.push(port);
      }
    }
    return bound;
  }

  /**
   * Lets in whoever has come, stops accepting (`retired`), and resolves when every request has been answered.
   */
  async drain(retired: () => void): Promise<void> {
    const all = [...this.#running, ...this.#leaving].flatMap(({ servers }) => [...servers.values()]);
    await Promise.all(all.map((server) => server.retire()));
    retired();
    await Promise.all(all.map((server) => server.empty()));
  }

  /** Cuts what is left, and answers how many requests and tunnels that were. */
  close(): number {
    let cut = 0;
    this.abort();
    for (const { router, servers } of [...this.#leaving, ...this.#running].reverse()) {
      for (const server of servers.values()) cut += server.close();
      router.close();
    }
    this.#loop.close();
    this.#tap.close();
    this.#wheel.close();
    return cut;
  }

  /** What listeners want to hear of requests from now on. */
  setInterests(interests: readonly Interest[]): void {
    this.#tap.set(interests);
  }

  /** From now on handshakes are made with these bytes; connections made with the old ones are let go. */
  replaceTls(replacement: TlsReplacement): void {
    const at = this.#running[replacement.router];
    if (at === undefined) return;
    // A later configuration is compared with what is in use.
    at.plan = routerWithTls(at.plan, replacement);
    if (replacement.side === 'client') {
      at.clientTls[replacement.entry]?.replace(replacement.material);
      return;
    }
    const spec = at.plan.spec.servers[replacement.server];
    if (spec !== undefined) {
      at.servers.get(addressOf(spec, replacement.server))?.replaceTls(replacement.material);
    }
  }

  /** Sessions are resumed no more whose tickets were given out under the old secret. */
  replaceTicketSecret(secret: Uint8Array): void {
    this.#plan = { ...this.#plan, ticketSecret: secret };
    for (const { servers } of this.#running) {
      for (const server of servers.values()) server.replaceTicketSecret(secret);
    }
  }

  clients(): ClientReport[] {
    const nowMs = this.#wheel.nowMs();
    return this.#running.flatMap(({ router, plan }) =>
      router.clients.map((client) => clientReport(plan.spec.label, client, nowMs)),
    );
  }
}

/** Several servers of a router may leave their port to the system. */
function addressOf({ ip, port }: ServerSpec, index: number): string {
  return port === 0 ? `${ip}:0 ${index}` : `${ip}:${port}`;
}
