/**
 * The composition root: a checked configuration becomes running objects. It is the only place that knows
 * every part. Nothing is opened before everything has been made; then the admin server, then the listeners.
 * Closing goes the other way round: stop accepting, let requests finish, cut what is left.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { dtabOf } from '../config/name-decoders.ts';
import type { LinkerSpec } from '../config/spec.ts';
import { showPrefix, showTree } from '../dtab/show.ts';
import type { KubeApis } from '../k8s/apis.ts';
import { environmentProblems } from '../namers/environment.ts';
import { type Loaded, loadClientTls, loadServerTls } from '../routers/tls/material.ts';
import type { ClientTlsMaterial, ServerTlsMaterial } from '../routers/tls/tls-material.ts';
import { AdminFailure, type AdminServer, startAdmin } from './admin/server.ts';
import type { Reloads } from './admin/sources.ts';
import { systemClock } from './base/clock.ts';
import { type Closable, nothingToClose } from './base/closable.ts';
import { Failure } from './base/failure.ts';
import type { Log } from './base/log.ts';
import { listCertificates } from './certificate-list.ts';
import { clientStates } from './client-states.ts';
import { descriptorLimit, descriptorPlan } from './descriptor-plan.ts';
import { Fleet } from './fleet.ts';
import { identifyBy } from './identify.ts';
import { makeKubeApis } from './kube-apis.ts';
import { Listeners } from './listeners.ts';
import { Naming } from './naming.ts';
import { clientTlsNames, routerSummaries } from './router-views.ts';
import { MetricsTree } from './telemetry/metrics-tree.ts';
import { watchProcess } from './telemetry/process.ts';
import { Tap } from './telemetry/tap.ts';
import type { DataPlan, Ports, RouterPlan } from './threads/data-plane.ts';
import { collectSoon } from './threads/settle.ts';
import { type DataHost, makeDataHost } from './threads/supervisor.ts';
import { type Material, TlsRotation } from './tls-rotation.ts';
import { clientPlace, namesFiles, type TlsSection, tlsSections } from './tls-sections.ts';
import { version } from './version.ts';

/** So long can a session be resumed at the most by a TLS 1.2 ticket whose key has become known. */
const TICKET_SECRET_MS = 3_600_000;

/** `auto` uses at most this many data threads, and leaves one core to the control thread. */
const AUTO_THREADS_MAX = 4;

export type LinkerOptions = {
  readonly threads: number | 'auto';
  readonly log: Log;
  /** How to reach the Kubernetes API where the configuration does not say it. */
  readonly kubeconfig?: string | undefined;
};

const noReloads: Reloads = {
  reload: async () => 'this process has no configuration to replace',
  generations: () => [],
};

/** Everything that stands in the way of a start, a line each. */
export type StartErrors = { readonly errors: readonly string[] };

/** Opens everything, or nothing. */
export async function startLinker(spec: LinkerSpec, options: LinkerOptions): Promise<Linker | StartErrors> {
  const plan = planData(spec, options.threads);
  if ('errors' in plan) return plan;
  const { env } = process;
  const problems = environmentProblems(spec, env);
  if (problems.length > 0) return { errors: problems };
  const metrics = new MetricsTree(systemClock);
  const kube = makeKubeApis(metrics, options);
  const naming = new Naming(spec, {
    clock: systemClock,
    log: options.log,
    stats: metrics.scope,
    kube: (place) => kube.at(place),
    env,
  });
  const linker = new Linker(spec, plan, naming, kube, metrics, options.log);
  const errors = await linker.start();
  return errors === undefined ? linker : { errors };
}

export class Linker {
  /**
   * Resolves when the admin server has been asked to end the process; the grace it was given is `graceMs`.
   */
  readonly stopped: Promise<undefined>;
  /** In force. */
  spec: LinkerSpec;
  readonly metrics: MetricsTree;
  /** Bound ports, once started. */
  ports: Ports = [];
  adminPort = 0;
  /** Of the admin's identifier listener, when it is configured. */
  identifierPort: number | undefined;
  readonly #log: Log;
  readonly #threads: number;
  /** As of the last configuration; certificates may have been replaced since. */
  #plan: DataPlan;
  /** Numbers of routers by label. */
  #routers: ReadonlyMap<string, number>;
  /** Takes a new configuration; set by whoever knows where it comes from. */
  reloads: Reloads = noReloads;
  readonly #naming: Naming;
  readonly #kube: KubeApis;
  readonly #data: DataHost;
  readonly #tap: Tap;
  readonly #listeners: Listeners;
  readonly #fleet: Fleet;
  readonly #clientTls = clientTlsNames(() => this.spec.routers);
  #admin: AdminServer | undefined;
  #process: Closable | undefined;
  #rotation: Closable = nothingToClose;
  #ticketTimer: Closable = nothingToClose;
  #unready: string[] = ['starting'];
  #askedGraceMs: number | undefined;
  #lastRouter: number;
  #stop: (value: undefined) => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(
    spec: LinkerSpec,
    plan: DataPlan,
    naming: Naming,
    kube: KubeApis,
    metrics: MetricsTree,
    log: Log,
  ) {
    this.spec = spec;
    this.metrics = metrics;
    this.#log = log;
    this.#plan = plan;
    this.#threads = plan.threads;
    this.#lastRouter = plan.routers.length;
    this.#routers = new Map(plan.routers.map(({ id, spec: { label } }) => [label, id]));
    this.stopped = new Promise((resolve) => {
      this.#stop = resolve;
    });
    this.#kube = kube;
    this.#tap = new Tap((interests) => this.#data.setInterests(interests));
    this.#naming = naming;
    this.#fleet = new Fleet(spec.admin.fleet, (path) => naming.bindPlainly(path));
    this.#data = makeDataHost({
      plan,
      names: naming,
      metrics,
      stories: (batch, loan) => this.#tap.receive(batch, loan),
      log,
      clock: systemClock,
    });
    this.#listeners = new Listeners(spec, { tap: this.#tap, metrics, clock: systemClock, log });
  }

  /** Undefined when everything is open. */
  async start(): Promise<readonly string[] | undefined> {
    this.#process = await watchProcess(this.metrics, systemClock);
    const admin = await startAdmin(this.spec.admin, this.#adminSources());
    if (admin instanceof AdminFailure) {
      await this.close(0);
      return [admin.message];
    }
    this.#admin = admin;
    this.adminPort = admin.port;
    this.identifierPort = admin.identifierPort;
    const ports = await this.#data.start();
    if (ports instanceof Failure) {
      await this.close(0);
      return [ports.message];
    }
    this.ports = ports;
    this.#rotation = this.#watchTls(admin);
    this.#changeTicketSecret();
    this.#unready = [];
    collectSoon();
    return undefined;
  }

  /** What stands in the way of this configuration, as far as that can be told without doing anything. */
  check(spec: LinkerSpec): readonly string[] {
    const plan = planData(spec, this.#threads, this.#numbers(spec));
    return 'errors' in plan ? plan.errors : environmentProblems(spec, process.env);
  }

  /**
   * Puts a configuration in force that has been checked; answers what stood in the way, and then all is as it
   * was. What is set up once stays: the admin server, telemeters, access logs.
   */
  async apply(spec: LinkerSpec): Promise<readonly string[]> {
    if (this.#closing !== undefined) return ['the process is ending'];
    const numbers = this.#numbers(spec);
    const plan = planData(spec, this.#threads, numbers);
    if ('errors' in plan) return plan.errors;
    for (const { id, spec: router } of plan.routers) this.#naming.introduce(id, router);
    const ports = await this.#data.apply(plan);
    const { admin, telemetry } = this.spec;
    if (!(ports instanceof Failure)) {
      this.spec = { ...spec, admin, telemetry };
      this.#routers = numbers;
      this.#plan = plan;
      this.#rotation.close();
      if (this.#admin !== undefined) this.#rotation = this.#watchTls(this.#admin);
      this.ports = ports;
    }
    const routers = new Map(
      this.spec.routers.map((router) => [this.#routers.get(router.label) ?? -1, router]),
    );
    this.#naming.reconfigure(this.spec.namers, routers);
    return ports instanceof Failure ? [ports.message] : [];
  }

  /** A router that keeps its label keeps its number. */
  #numbers({ routers }: LinkerSpec): ReadonlyMap<string, number> {
    return new Map(routers.map(({ label }) => [label, this.#routers.get(label) ?? ++this.#lastRouter]));
  }

  /**
   * Is not ready any more, goes on for `admin.drain.delayMs`, stops accepting, waits for requests in progress
   * at most `graceMs`, then cuts them. Later calls wait for the first.
   */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(this.#askedGraceMs ?? graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    this.#unready = ['stopping'];
    this.#rotation.close();
    this.#ticketTimer.close();
    const started = this.ports.length > 0;
    const { drain, socketOptions } = this.spec.admin;
    // Whoever shares the port is to be asked from now on: what this one says would be taken for the other's.
    if (started && socketOptions.reusePort) this.#admin?.stopListening();
    if (started && drain.delayMs > 0) {
      await new Promise<void>((resolve) => {
        systemClock.after(drain.delayMs, resolve);
      });
    }
    if (started && graceMs > 0) await withinMs(this.#data.drain(), graceMs);
    const cut = await this.#data.close();
    if (cut > 0)
      this.#log.warn('requests and tunnels were cut at the end of the grace period', { cut, graceMs });
    await this.#listeners.close();
    await this.#admin?.close(started ? 200 : 0);
    this.#fleet.close();
    this.#kube.close();
    this.#process?.close();
    this.metrics.close();
    if (started) this.#log.info('turnout has stopped');
  }

  /** What runs and where it listens, for people; once started. */
  summary(): Record<string, string | number> {
    const summary: Record<string, string | number> = {
      version: version(),
      config: this.spec.source,
      threads: this.#threads,
      admin: `${this.spec.admin.ip}:${this.adminPort}`,
    };
    if (this.identifierPort !== undefined)
      summary['identifier'] = `${this.spec.admin.ip}:${this.identifierPort}`;
    for (const [i, router] of this.spec.routers.entries()) {
      summary[`router ${router.label}`] = router.servers
        .map((server, j) => {
          const name = server.label === undefined ? '' : `${server.label} `;
          return `${name}${server.ip}:${this.ports[i]?.[j] ?? server.port}${server.tls ? ' (TLS)' : ''}`;
        })
        .join(', ');
    }
    return summary;
  }

  #watchTls(admin: AdminServer): Closable {
    const data = this.#data;
    return new TlsRotation(tlsSections(this.spec), {
      clock: systemClock,
      log: this.#log,
      metrics: this.metrics,
      inUse: ({ at }) => materialOf(this.#plan, at),
      replace(update) {
        if (update.side === 'admin') admin.replaceTls(update.material);
        else data.replaceTls(update);
      },
    });
  }

  #changeTicketSecret(): void {
    this.#ticketTimer = systemClock.after(TICKET_SECRET_MS, () => {
      this.#data.replaceTicketSecret(newSecret());
      this.#changeTicketSecret();
    });
  }

  #adminSources(): Parameters<typeof startAdmin>[1] {
    return {
      clock: systemClock,
      log: this.#log,
      serverInfo: {
        name: 'turnout',
        version: version(),
        node: process.version,
        threads: String(this.#threads),
      },
      metrics: this.metrics,
      tap: this.#tap,
      recent: this.#listeners.recent,
      telemetry: this.spec.telemetry,
      namers: this.spec.namers.map(({ prefix }) => prefix),
      routers: () => routerSummaries(this.spec.routers),
      clientTls: this.#clientTls,
      config: () => this.spec.json,
      delegate: (...question) => this.#naming.delegate(...question),
      unready: () => this.#unready,
      shutdown: (graceMs) => {
        this.#askedGraceMs = graceMs;
        this.#stop(undefined);
      },
      boundNames: () => this.#naming.boundNames(),
      interpreterState: (label) => this.#naming.interpreterState(label),
      lint: async () => (await import('./lint/lint.ts')).lint(this.spec),
      clientState: async () => clientStates(await this.#data.clients(), this.#clientTls),
      certificates: () => listCertificates(this.spec),
      fleet: () => this.#fleet.peers(),
      kubernetes: () => this.#kube.watches(),
      identify: (head) => {
        const ingress = (i: number, identifier: number) =>
          this.#naming.ingress(this.#routers.get(this.spec.routers[i]?.label ?? '') ?? -1, identifier);
        return identifyBy(this.spec.routers, ingress)(head);
      },
      reload: (text, dryRun) => this.reloads.reload(text, dryRun),
      generations: () => this.reloads.generations(),
    };
  }
}

/** True when the time was over first. */
function withinMs(done: Promise<void>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = systemClock.after(limitMs, () => resolve(true));
    void done.then(() => {
      timer.close();
      resolve(false);
    });
  });
}

function planData(
  spec: LinkerSpec,
  threads: number | 'auto',
  numbers?: ReadonlyMap<string, number>,
): DataPlan | StartErrors {
  const errors: string[] = [];
  const taken = <T>(where: string, loaded: Loaded<T>): T | undefined => {
    if (loaded.ok) return loaded.value;
    errors.push(...loaded.errors.map((error) => `${spec.source} ${where}.${error}`));
    return undefined;
  };
  const routers = spec.routers.map((router, i): RouterPlan => {
    const place = `routers[${i}]`;
    return {
      id: numbers?.get(router.label) ?? i,
      spec: router,
      baseDtab: dtabOf(router.dtab).map(({ prefix, dst }) => `${showPrefix(prefix)} => ${showTree(dst)}`),
      serverTls: router.servers.map(
        (server, j): ServerTlsMaterial | undefined =>
          server.tls && taken(`${place}.servers[${j}].tls`, loadServerTls(server.tls)),
      ),
      clientTls: router.client.map(({ params }, k): ClientTlsMaterial | undefined =>
        params.tls !== undefined && namesFiles(params.tls)
          ? taken(`${place}.${clientPlace(router.client, k)}.tls`, loadClientTls(params.tls))
          : undefined,
      ),
    };
  });
  if (errors.length > 0) return { errors };
  const count =
    threads === 'auto' ? Math.max(1, Math.min(AUTO_THREADS_MAX, availableParallelism() - 1)) : threads;
  const descriptors = descriptorPlan(descriptorLimit());
  return { routers, ticketSecret: newSecret(), threads: count, descriptors, admin: adminUrl(spec.admin) };
}

function materialOf({ routers }: DataPlan, at: TlsSection['at']): Material | undefined {
  if (at.side === 'admin') return undefined;
  const router = routers[at.router];
  return at.side === 'server' ? router?.serverTls[at.server] : router?.clientTls[at.entry];
}

function newSecret(): Uint8Array {
  return new Uint8Array(randomBytes(48));
}

function adminUrl({ ip, port, tls }: LinkerSpec['admin']): string {
  const everywhere = ip === '0.0.0.0' || ip === '::';
  const host = everywhere ? 'localhost' : ip.includes(':') ? `[${ip}]` : ip;
  return `${tls === undefined ? 'http' : 'https'}://${host}:${port}`;
}
