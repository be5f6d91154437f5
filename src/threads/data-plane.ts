/**
 * The data half of the process: routers and their listeners. The same object runs on a data thread and, with
 * `--threads 0`, on the control thread; it sees names only through a Binder and metrics only through a Scope.
 */
import { clientTlsOf } from '../../config/client-tls.ts';
import { mergeConfigs, PathMatcher, type PatternedParams } from '../../config/path-matcher.ts';
import type { ClientParams, RouterSpec, Section, ServiceParams } from '../../config/spec.ts';
import type { Path } from '../../dtab/path.ts';
import type { Binder } from '../../routers/binding/binder.ts';
import type { Client } from '../../routers/client/client.ts';
import { HttpServer } from '../../routers/http1/http-server.ts';
import { Router } from '../../routers/router.ts';
import type { Interest } from '../../routers/tap/interest.ts';
import { RequestTap, type StoryBatch } from '../../routers/tap/request-tap.ts';
import { ClientTls } from '../../routers/tls/client-tls.ts';
import { SecureContexts } from '../../routers/tls/secure-contexts.ts';
import type { ClientTlsMaterial, ServerTlsMaterial } from '../../routers/tls/tls-material.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import { mathRng } from '../base/rng.ts';
import type { Scope } from '../base/stats.ts';
import { TimerWheel } from '../base/timer-wheel.ts';

/**
 * A router as a data thread gets it: checked, with bytes in the place of file names. Crosses a thread
 * boundary.
 */
export type RouterPlan = {
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
  readonly threads: number;
  /** URL of the admin server, without a path: for error texts. */
  readonly admin: string;
};

export type DataDeps = {
  readonly binder: (router: number) => Binder;
  readonly stats: Scope;
  readonly clock: Clock;
  /** Stories of requests, once somebody is interested; to be confirmed with `storiesTaken`. */
  readonly tell: (batch: StoryBatch) => void;
};

/** Ports by router and server, in the order of the configuration. */
export type Ports = readonly (readonly number[])[];

/** Address state of one client, as data. */
export type ClientReport = {
  readonly id: string;
  readonly state: string;
  readonly addresses: readonly string[];
};

type Running = { readonly router: Router; readonly servers: readonly HttpServer[] };

export class DataPlane {
  readonly #running: readonly Running[];
  readonly #wheel: TimerWheel;
  readonly #tap: RequestTap;

  constructor(plan: DataPlan, deps: DataDeps) {
    this.#wheel = new TimerWheel(deps.clock);
    this.#tap = new RequestTap({
      wheel: this.#wheel,
      rng: mathRng,
      stats: deps.stats.scope('tap'),
      send: deps.tell,
    });
    const contexts = new SecureContexts();
    this.#running = plan.routers.map((each, index) => {
      const stats = deps.stats.scope('rt', each.spec.label);
      const router = new Router({
        spec: each.spec,
        binder: deps.binder(index),
        stats,
        clock: deps.clock,
        wheel: this.#wheel,
        rng: mathRng,
        ...sections(each, contexts, deps.clock),
        baseDtab: each.baseDtab,
        admin: plan.admin,
        tap: this.#tap,
      });
      const servers = each.spec.servers.map(
        (spec, i) =>
          new HttpServer({
            spec,
            router,
            stats: stats.scope('server', `${spec.ip}/${spec.port}`),
            wheel: this.#wheel,
            rng: mathRng,
            clock: deps.clock,
            tls: each.serverTls[i],
            threads: plan.threads,
          }),
      );
      return { router, servers };
    });
  }

  /** Opens all listeners in order; at the first that cannot be opened everything is closed again. */
  async listen(ports: Ports, reusePort: boolean): Promise<Ports | Failure> {
    const bound: number[][] = [];
    for (const [i, { servers }] of this.#running.entries()) {
      const own: number[] = [];
      bound.push(own);
      for (const [j, server] of servers.entries()) {
        const port = await server.listen(
          ports[i]?.[j] ?? server.spec.port,
          reusePort || server.spec.socketOptions.reusePort,
        );
        if (port instanceof Failure) {
          this.close();
          return port;
        }
        own.push(port);
      }
    }
    return bound;
  }

  /** Lets in whoever has come, stops accepting, and resolves when every request has been answered. */
  async drain(): Promise<void> {
    await Promise.all(this.#running.flatMap(({ servers }) => servers.map((server) => server.drain())));
  }

  /** Cuts what is left, and answers how many requests and tunnels that were. */
  close(): number {
    let cut = 0;
    for (const { router, servers } of [...this.#running].reverse()) {
      for (const server of servers) cut += server.close();
      router.close();
    }
    this.#tap.close();
    this.#wheel.close();
    return cut;
  }

  /** What listeners want to hear of requests from now on. */
  setInterests(interests: readonly Interest[]): void {
    this.#tap.set(interests);
  }

  storiesTaken(chars: number): void {
    this.#tap.taken(chars);
  }

  clients(): ClientReport[] {
    return this.#running.flatMap(({ router }) => router.clients.map(report));
  }
}

function report(client: Client): ClientReport {
  const { addr } = client;
  const addresses = client.endpoints.map((endpoint) => endpoint.name);
  switch (addr.type) {
    case 'bound':
      return { id: client.id, state: 'bound', addresses };
    case 'neg':
      return { id: client.id, state: 'Neg', addresses };
    case 'pending':
      return { id: client.id, state: 'Pending', addresses };
    case 'failed':
      return { id: client.id, state: `Failed: ${addr.failure.message}`, addresses };
  }
}

type Resolvers = {
  readonly clientParams: (id: Path) => ClientParams;
  readonly serviceParams: (name: Path) => ServiceParams;
  readonly clientTls: (id: Path) => ClientTls | Failure | undefined;
};

/** The `client` and `service` sections, compiled once. */
function sections(plan: RouterPlan, contexts: SecureContexts, clock: Clock): Resolvers {
  const { client, service } = plan.spec;
  const clients = compile(client);
  const services = compile(service);
  const choose = clientTlsOf(client);
  const clientParams = (id: Path): ClientParams => mergeConfigs(clients, id).params;
  return {
    clientParams,
    serviceParams: (name) => mergeConfigs(services, name).params,
    clientTls(id) {
      const choice = choose(id);
      if (choice instanceof Failure) return choice;
      if (choice.type === 'plain') return undefined;
      // The entry that decides is the one whose `tls` object is in force.
      const { tls } = clientParams(id);
      const material = plan.clientTls[client.findIndex(({ params }) => params.tls === tls)];
      assert(material !== undefined, 'TLS is on, and its files were read at the start');
      return new ClientTls(material, choice.serverName, contexts, clock);
    },
  };
}

function compile<P>(section: Section<P>): PatternedParams<P>[] {
  return section.map(({ prefix, params }) => ({ prefix: new PathMatcher(prefix), params }));
}
