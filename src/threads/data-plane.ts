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
import { ClientMaterial } from '../../routers/tls/client-material.ts';
import { ClientTls } from '../../routers/tls/client-tls.ts';
import { certDrainMs } from '../../routers/tls/cohort.ts';
import { Refusals } from '../../routers/tls/refusals.ts';
import { SecureContexts } from '../../routers/tls/secure-contexts.ts';
import type { ClientTlsMaterial, ServerTlsMaterial } from '../../routers/tls/tls-material.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import { LimitedLog } from '../base/limited-log.ts';
import type { Log } from '../base/log.ts';
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
  /** What the keys of session tickets are made of, so that each thread can resume the sessions of all. */
  readonly ticketSecret: Uint8Array;
  readonly threads: number;
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
  const routers = plan.routers.map((router, i) => {
    if (i !== replacement.router) return router;
    if (replacement.side === 'server') {
      return { ...router, serverTls: router.serverTls.with(replacement.server, replacement.material) };
    }
    return { ...router, clientTls: router.clientTls.with(replacement.entry, replacement.material) };
  });
  return { ...plan, routers };
}

export type DataDeps = {
  readonly binder: (router: number) => Binder;
  readonly stats: Scope;
  readonly clock: Clock;
  /** Stories of requests, once somebody is interested; to be confirmed with `storiesTaken`. */
  readonly tell: (batch: StoryBatch) => void;
  readonly log: Log;
};

/** Ports by router and server, in the order of the configuration. */
export type Ports = readonly (readonly number[])[];

/** Address state of one client, as data. */
export type ClientReport = {
  readonly id: string;
  readonly state: string;
  readonly addresses: readonly string[];
};

type Running = {
  readonly router: Router;
  readonly servers: readonly HttpServer[];
  /** Of each entry of the client section, in order. */
  readonly clientTls: readonly (ClientMaterial | undefined)[];
};

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
    const log = new LimitedLog(deps.log, deps.clock);
    const { ticketSecret } = plan;
    this.#running = plan.routers.map((each, index) => {
      const stats = deps.stats.scope('rt', each.spec.label);
      const clientTls = each.clientTls.map((material, k) => {
        const drainMs = certDrainMs(each.spec.client[k]?.params.tls);
        return material && new ClientMaterial(material, { contexts, wheel: this.#wheel, drainMs });
      });
      const router = new Router({
        spec: each.spec,
        binder: deps.binder(index),
        stats,
        clock: deps.clock,
        wheel: this.#wheel,
        rng: mathRng,
        ...sections(each, clientTls, log, deps.clock),
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
            tls: each.serverTls[i] && { material: each.serverTls[i], ticketSecret, log },
            threads: plan.threads,
          }),
      );
      return { router, servers, clientTls };
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

  /** From now on handshakes are made with these bytes; connections made with the old ones are let go. */
  replaceTls(replacement: TlsReplacement): void {
    const { servers, clientTls } = this.#running[replacement.router] ?? {};
    if (replacement.side === 'server') servers?.[replacement.server]?.replaceTls(replacement.material);
    else clientTls?.[replacement.entry]?.replace(replacement.material);
  }

  /** Sessions are resumed no more whose tickets were given out under the old secret. */
  replaceTicketSecret(secret: Uint8Array): void {
    for (const { servers } of this.#running) for (const server of servers) server.replaceTicketSecret(secret);
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
  readonly clientTls: (id: Path, stats: Scope) => ClientTls | Failure | undefined;
};

/** The `client` and `service` sections, compiled once. */
function sections(
  { spec }: RouterPlan,
  clientTls: Running['clientTls'],
  log: LimitedLog,
  clock: Clock,
): Resolvers {
  const { client, service } = spec;
  const clients = compile(client);
  const services = compile(service);
  const choose = clientTlsOf(client);
  const clientParams = (id: Path): ClientParams => mergeConfigs(clients, id).params;
  return {
    clientParams,
    serviceParams: (name) => mergeConfigs(services, name).params,
    clientTls(id, stats) {
      const choice = choose(id);
      if (choice instanceof Failure) return choice;
      if (choice.type === 'plain') return undefined;
      // The entry that decides is the one whose `tls` object is in force.
      const { tls } = clientParams(id);
      const material = clientTls[client.findIndex(({ params }) => params.tls === tls)];
      assert(material !== undefined, 'TLS is on, and its files were read at the start');
      const refusals = new Refusals(stats, `${spec.label} ${id.show}`, log);
      return new ClientTls(material, choice.serverName, { stats, refusals, clock });
    },
  };
}

function compile<P>(section: Section<P>): PatternedParams<P>[] {
  return section.map(({ prefix, params }) => ({ prefix: new PathMatcher(prefix), params }));
}
