/**
 * The data threads, seen from the control thread: starts them, starts another in the place of one that died,
 * drains and ends them. With no threads the data plane runs on this loop; what is asked of it is the same.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { ServerSpec } from '../../config/spec.ts';
import type { Interest } from '../../routers/tap/interest.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Closable } from '../base/closable.ts';
import { Failure } from '../base/failure.ts';
import { notLent } from '../base/loans.ts';
import type { Log } from '../base/log.ts';
import type { Counter } from '../base/stats.ts';
import type { MetricsSource, MetricsTree } from '../telemetry/metrics-tree.ts';
import { stackOfThread } from './blocked-stack.ts';
import type { ClientReport } from './client-report.ts';
import { type DataPlan, DataPlane, type Ports, type TlsReplacement, withTls } from './data-plane.ts';
import { Heartbeat } from './heartbeat.ts';
import { isInspected } from './inspected-thread.ts';
import { localBinder, type NameSource, serveInterpreters } from './interpreter-port.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';
import { failureFromData } from './naming-messages.ts';
import { SlabStats } from './stat-slab.ts';
import { StoryReader, storyMemory, type TakeStories } from './story-ring.ts';
import { takenAddress } from './taken-address.ts';

/** The first to die is replaced at once, those that follow it soon after ever longer pauses. */
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 10_000;
/** After a thread that ran for this long the next one starts without a pause. */
const SETTLED_MS = 60_000;

/** Meanwhile those whose connections come to a thread that hangs wait for nothing. */
const STACK_MS = 300;

/** What lives no longer than a request fits in; by default the garbage of a busy thread grows to 100 MB. */
const YOUNG_GENERATION_MB = 8;

export type DataHostDeps = {
  readonly plan: DataPlan;
  readonly names: NameSource;
  readonly metrics: MetricsTree;
  /** Stories of requests, as asked for by `setInterests`. */
  readonly stories: TakeStories;
  readonly log: Log;
  /** Of the pauses before a thread that died is replaced. */
  readonly clock: Clock;
};

/** Where the data plane runs. */
export interface DataHost {
  /** The bound ports, or why they cannot be had. */
  start(): Promise<Ports | Failure>;
  clients(): Promise<readonly ClientReport[]>;
  setInterests(interests: readonly Interest[]): void;
  /** In every data thread, those included that start later. */
  replaceTls(replacement: TlsReplacement): void;
  replaceTicketSecret(secret: Uint8Array): void;
  /**
   * Puts a new configuration in force and answers its ports; after a failure everything is as it was.
   */
  apply(plan: DataPlan): Promise<Ports | Failure>;
  /** Resolves when every accepted request has been answered. */
  drain(): Promise<void>;
  /** Cuts what is left, and answers how many requests and tunnels that were. */
  close(): Promise<number>;
}

export function makeDataHost(deps: DataHostDeps): DataHost {
  return deps.plan.threads === 0 ? new LocalHost(deps) : new ThreadHost(deps);
}

class LocalHost implements DataHost {
  readonly #plane: DataPlane;
  readonly #source: MetricsSource;
  readonly #configured: Ports;

  constructor({ plan, names, metrics, stories, log }: DataHostDeps) {
    this.#configured = configuredPorts(plan);
    this.#source = metrics.addSource();
    this.#plane = new DataPlane(
      { ...plan, threads: 1 },
      {
        binder: (router) => localBinder(router, names),
        stats: new SlabStats((messages) => this.#source.receive(messages)),
        clock: systemClock,
        tell({ lines, masks }) {
          stories({ lines: Buffer.from(lines), masks: Array.from(masks) }, notLent);
          return true;
        },
        log,
      },
    );
  }

  start(): Promise<Ports | Failure> {
    return this.#plane.listen(this.#configured, false);
  }

  async apply(plan: DataPlan): Promise<Ports | Failure> {
    const ports = await this.#plane.prepare({ ...plan, threads: 1 }, configuredPorts(plan), false);
    if (!(ports instanceof Failure)) this.#plane.commit();
    return ports;
  }

  clients(): Promise<readonly ClientReport[]> {
    return Promise.resolve(this.#plane.clients());
  }

  setInterests(interests: readonly Interest[]): void {
    this.#plane.setInterests(interests);
  }

  replaceTls(replacement: TlsReplacement): void {
    this.#plane.replaceTls(replacement);
  }

  replaceTicketSecret(secret: Uint8Array): void {
    this.#plane.replaceTicketSecret(secret);
  }

  drain(): Promise<void> {
    return this.#plane.drain(() => {});
  }

  close(): Promise<number> {
    const cut = this.#plane.close();
    this.#source.close();
    return Promise.resolve(cut);
  }
}

class ThreadHost implements DataHost {
  readonly #deps: DataHostDeps;
  readonly #clock: Clock;
  readonly #deaths: Counter;
  readonly #cut: Counter;
  readonly #threads: (DataThread | undefined)[] = [];
  /** Have been replaced, and will have ended soon. */
  readonly #hung = new Set<DataThread>();
  /** What a thread that starts now gets. */
  #plan: DataPlan;
  #ports: Ports;
  #interests: readonly Interest[] = [];
  #closing = false;
  #pauseMs = 0;
  readonly #restarts = new Set<Closable>();

  constructor(deps: DataHostDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#deaths = deps.metrics.scope.counter('threads', 'deaths');
    this.#cut = deps.metrics.scope.counter('threads', 'cut');
    this.#plan = deps.plan;
    this.#ports = configuredPorts(deps.plan);
  }

  /** The first thread finds out what port 0 means; the others listen on the same ports. */
  async start(): Promise<Ports | Failure> {
    const { threads } = this.#plan;
    const taken = await takenAddress(this.#plan);
    if (taken !== undefined) return taken;
    for (let i = 0; i < threads; i++) {
      const ports = await this.#startOne(i, 'first');
      if (ports instanceof Failure) {
        await this.close();
        return ports;
      }
      this.#ports = ports;
    }
    return this.#ports;
  }

  /** All threads prepare, one after the other; only then the new configuration is in force in each. */
  async apply(next: DataPlan): Promise<Ports | Failure> {
    const plan = { ...next, ticketSecret: this.#plan.ticketSecret };
    const before = addressesOf(this.#plan);
    const added = plan.routers.map((router) => ({
      ...router,
      spec: { ...router.spec, servers: router.spec.servers.filter((server) => !before.has(keyOf(server))) },
    }));
    const taken = await takenAddress({ ...plan, routers: added });
    if (taken !== undefined) return taken;
    let ports = configuredPorts(plan);
    const ready: DataThread[] = [];
    for (const thread of this.#threads) {
      const bound = await thread?.prepare(plan, ports, true);
      if (bound instanceof Failure) {
        for (const other of ready) other.abort();
        return bound;
      }
      if (bound === undefined || thread === undefined) continue;
      ports = bound;
      ready.push(thread);
    }
    for (const thread of ready) thread.commit();
    this.#plan = plan;
    this.#ports = ports;
    return ports;
  }

  async clients(): Promise<readonly ClientReport[]> {
    const all = await Promise.all(this.#threads.map((thread) => thread?.clients() ?? []));
    return all.flat();
  }

  setInterests(interests: readonly Interest[]): void {
    this.#interests = interests;
    for (const thread of this.#threads) thread?.setInterests(interests);
  }

  replaceTls(replacement: TlsReplacement): void {
    this.#plan = withTls(this.#plan, replacement);
    for (const thread of this.#threads) thread?.tell({ op: 'tls', replacement });
  }

  replaceTicketSecret(secret: Uint8Array): void {
    this.#plan = { ...this.#plan, ticketSecret: secret };
    for (const thread of this.#threads) thread?.tell({ op: 'ticket-secret', secret });
  }

  /** One after the other leaves the ports, as routers/http1/listener demands of those beside it. */
  async drain(): Promise<void> {
    this.#stopRestarts();
    const drained: (Promise<void> | undefined)[] = [];
    for (const thread of this.#threads) {
      await new Promise<void>((retired) => {
        if (thread === undefined) retired();
        else drained.push(thread.drain(retired));
      });
    }
    await Promise.all(drained);
  }

  async close(): Promise<number> {
    this.#stopRestarts();
    const cut = await Promise.all([...this.#threads, ...this.#hung].map((thread) => thread?.close() ?? 0));
    return cut.reduce((sum, each) => sum + each, 0);
  }

  #stopRestarts(): void {
    this.#closing = true;
    for (const restart of this.#restarts) restart.close();
    this.#restarts.clear();
  }

  async #startOne(index: number, attempt: 'first' | 'again'): Promise<Ports | Failure> {
    const startedMs = this.#clock.nowMs();
    let serving = false;
    /** What fails at the start of the process ends the process. */
    const missed = (): boolean => !this.#closing && (attempt === 'again' || serving);
    const replace = (): void => {
      this.#threads[index] = undefined;
      if (!missed()) return;
      this.#deaths.add(1);
      if (this.#clock.nowMs() - startedMs > SETTLED_MS) this.#pauseMs = 0;
      this.#startAgain(index);
    };
    const thread = new DataThread(
      { ...this.#deps, plan: this.#plan },
      {
        hangs: () => {
          this.#hung.add(thread);
          replace();
        },
        ended: (reason, cut) => {
          if (missed()) {
            this.#cut.add(cut);
            const fields = { thread: index, cut, reason };
            this.#deps.log.error('a data thread died; another takes its place', fields);
          }
          if (!this.#hung.delete(thread)) replace();
        },
      },
    );
    this.#threads[index] = thread;
    if (this.#interests.length > 0) thread.setInterests(this.#interests);
    const ports = await thread.listen(this.#ports, true);
    // A thread that cannot listen is of no use; its end leads to the next try.
    if (ports instanceof Failure) await thread.close();
    else serving = true;
    return ports;
  }

  #startAgain(index: number): void {
    const restart = this.#clock.after(this.#pauseMs, () => {
      this.#restarts.delete(restart);
      void this.#startOne(index, 'again').then((ports) => {
        const { log } = this.#deps;
        if (!(ports instanceof Failure)) log.info('a data thread serves in its place', { thread: index });
        else log.error('a data thread cannot start', { thread: index, reason: ports.message });
      });
    });
    this.#restarts.add(restart);
    this.#pauseMs = Math.min(RESTART_MS_MAX, Math.max(RESTART_MS_MIN, this.#pauseMs * 2));
  }
}

type ThreadEvents = {
  /** It will have ended soon, but should be replaced now. */
  hangs(): void;
  /** Why, and how many requests and tunnels it left. */
  ended(reason: string, cut: number): void;
};

class DataThread {
  /** The newest that it has been given. */
  #plan: DataPlan;
  readonly #worker: Worker;
  readonly #naming: Closable;
  readonly #metrics: MetricsSource;
  readonly #heartbeat: Heartbeat;
  readonly #log: Log;
  #reason = 'it ended';
  readonly #exited: Promise<void>;
  readonly #told: StoryReader;
  readonly #stories: TakeStories;
  readonly #questions = new Map<number, (clients: readonly ClientReport[]) => void>();
  #question = 0;
  #cut = 0;
  #listening: ((ports: Ports | Failure) => void) | undefined;
  #retired: (() => void) | undefined;
  #drained: (() => void) | undefined;

  constructor({ plan, names, metrics, stories, log }: DataHostDeps, events: ThreadEvents) {
    const { port1, port2 } = new MessageChannel();
    this.#plan = plan;
    this.#naming = serveInterpreters(port1, names);
    this.#metrics = metrics.addSource();
    this.#log = log;
    this.#stories = stories;
    const hangs = (): void => {
      events.hangs();
      void this.#endHung();
    };
    this.#heartbeat = new Heartbeat(systemClock, hangs, () => isInspected(this.#worker.threadId));
    const { pulse } = this.#heartbeat;
    const told = storyMemory();
    this.#told = new StoryReader(told);
    const workerData: ThreadData = { plan, naming: port2, pulse, stories: told };
    this.#worker = new Worker(dataThreadUrl(), {
      workerData,
      transferList: [port2],
      name: 'turnout-data',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => {
      this.#reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#heartbeat.close();
        this.#naming.close();
        const cut = pendingRequests(this.#metrics, this.#plan);
        this.#metrics.close();
        this.#takeStories();
        const text = `a data thread died while it started: ${this.#reason}`;
        this.#listening?.(new Failure('internal', text));
        this.#retired?.();
        this.#drained?.();
        for (const answer of this.#questions.values()) answer([]);
        events.ended(this.#reason, cut);
        resolve();
      });
    });
  }

  listen(ports: Ports, reusePort: boolean): Promise<Ports | Failure> {
    return new Promise((resolve) => {
      this.#listening = resolve;
      this.tell({ op: 'listen', ports, reusePort });
    });
  }

  /** A thread that dies meanwhile comes back with the new configuration. */
  prepare(plan: DataPlan, ports: Ports, reusePort: boolean): Promise<Ports | Failure> {
    this.#plan = plan;
    return new Promise((resolve) => {
      this.#listening = resolve;
      this.tell({ op: 'prepare', plan, ports, reusePort });
    });
  }

  commit(): void {
    this.tell({ op: 'commit' });
  }

  abort(): void {
    this.tell({ op: 'abort' });
  }

  clients(): Promise<readonly ClientReport[]> {
    const question = ++this.#question;
    return new Promise((resolve) => {
      this.#questions.set(question, resolve);
      this.tell({ op: 'clients', question });
    });
  }

  setInterests(interests: readonly Interest[]): void {
    this.tell({ op: 'interests', interests });
  }

  /** `retired` when it listens no more; resolves when every request has been answered. */
  drain(retired: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#retired = retired;
      this.#drained = resolve;
      this.tell({ op: 'drain' });
    });
  }

  async close(): Promise<number> {
    this.tell({ op: 'close' });
    const stuck = setTimeout(() => void this.#worker.terminate(), 500);
    await this.#exited;
    clearTimeout(stuck);
    return this.#cut;
  }

  /** Finds out where it hangs before it is ended. */
  async #endHung(): Promise<void> {
    const stack = await stackOfThread(this.#worker.threadId, STACK_MS);
    this.#reason = `its loop does not turn any more\n${stack}`;
    await this.#worker.terminate();
  }

  tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #takeStories(): void {
    this.#told.readAll(this.#stories);
  }

  #receive(message: FromThread): void {
    switch (message.op) {
      case 'stats':
        this.#metrics.receive(message.messages);
        break;
      case 'stories':
        this.#takeStories();
        break;
      case 'listening':
        this.#listening?.(message.ports);
        this.#listening = undefined;
        break;
      case 'failed':
        this.#listening?.(failureFromData(message.failure));
        this.#listening = undefined;
        break;
      case 'retired':
        this.#retired?.();
        break;
      case 'drained':
        this.#drained?.();
        break;
      case 'closed':
        this.#cut = message.cut;
        break;
      case 'log':
        this.#log[message.level](message.message, message.fields);
        break;
      case 'clients':
        this.#questions.get(message.question)?.(message.clients);
        this.#questions.delete(message.question);
        break;
    }
  }
}

/** Next to this file: its source, or what was built of it. */
function dataThreadUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./data-thread.${extension}`, import.meta.url);
}

function pendingRequests(metrics: MetricsSource, { routers }: DataPlan): number {
  let sum = 0;
  for (const { spec } of routers) {
    for (const { ip, port } of spec.servers) {
      sum += metrics.value(['rt', spec.label, 'server', `${ip}/${port}`, 'pending']);
    }
  }
  return sum;
}

const keyOf = ({ ip, port }: ServerSpec): string => `${ip}:${port}`;

function addressesOf({ routers }: DataPlan): ReadonlySet<string> {
  return new Set(routers.flatMap(({ spec }) => spec.servers.map(keyOf)));
}

function configuredPorts(plan: DataPlan): Ports {
  return plan.routers.map(({ spec }) => spec.servers.map((server) => server.port));
}
