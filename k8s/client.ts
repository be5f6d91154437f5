/** One API server: its watches, shared by all who ask the same. */
import { type Activity, equalStates, okActivity, type State } from '../src/base/activity.ts';
import type { Clock } from '../src/base/clock.ts';
import type { Log } from '../src/base/log.ts';
import type { Rng } from '../src/base/rng.ts';
import type { Scope } from '../src/base/stats.ts';
import { Lazy } from '../src/base/var.ts';
import type { Access } from './access.ts';
import type { KubeApi, KubeFailure, WatchReport } from './api.ts';
import { ApiHealth } from './health.ts';
import { type Objects, Reflector, type ReflectorDeps, type ReflectorStats } from './reflector.ts';
import type { KubeObject } from './resources.ts';
import { isDnsLabel, type Selection, selectionPath } from './selection.ts';
import type { Timing } from './timing.ts';
import { KubeTransport } from './transport.ts';

/** How often the log says the same about one resource in one namespace, and how many it remembers. */
const COMPLAIN_AGAIN_MS = 3_600_000;
const COMPLAINTS_MAX = 1000;

export type KubeClientOptions = {
  /** For logs and metrics. */
  readonly name: string;
  /** May be rejected: it is asked again for the next request. */
  readonly access: () => Promise<Access>;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** The API's own scope. */
  readonly stats: Scope;
  readonly timing: Timing;
};

type Running = {
  readonly activity: Activity<Objects<KubeObject>>;
  reflector: Reflector<KubeObject> | undefined;
};

export class KubeClient implements KubeApi {
  readonly #options: KubeClientOptions;
  readonly #transport: KubeTransport;
  readonly #health: ApiHealth;
  readonly #stats: ReflectorStats;
  readonly #running = new Map<string, Running>();
  readonly #complaints = new Map<string, number>();

  constructor(options: KubeClientOptions) {
    const { name, access, timing, stats } = options;
    this.#options = options;
    this.#transport = new KubeTransport(access, options);
    this.#health = new ApiHealth({ ...options, server: name, timing, transport: this.#transport });
    this.#stats = {
      lists: stats.counter('lists'),
      events: stats.counter('events'),
      drift: stats.counter('drift'),
      failure: ({ reason }) => stats.counter('failures', reason).add(1),
    };
  }

  watch<T extends KubeObject>(selection: Selection<T>): Activity<Objects<T>> {
    const { namespace } = selection;
    // There can be nothing there, and a path could lead elsewhere.
    if (namespace !== undefined && !isDnsLabel(namespace)) return okActivity(new Map<string, T>());
    const key = selectionPath(selection);
    return new Lazy<State<Objects<T>>>((set) => {
      // The key holds the resource's group, version and name: what runs under it has read these objects.
      const { activity } = this.#shared(key, selection) as { activity: Activity<Objects<T>> };
      return activity.observe(set);
    }, equalStates<Objects<T>>());
  }

  refresh(selection: Selection<KubeObject>): void {
    this.#running.get(selectionPath(selection))?.reflector?.refresh();
  }

  watches(): readonly WatchReport[] {
    return [...this.#running.values()].flatMap(({ reflector }) => reflector?.report() ?? []);
  }

  /** Observers hear nothing any more. */
  close(): void {
    for (const { reflector } of this.#running.values()) reflector?.close();
    this.#running.clear();
    this.#health.close();
    this.#transport.close();
  }

  #shared(key: string, selection: Selection<KubeObject>): Running {
    const known = this.#running.get(key);
    if (known !== undefined) return known;
    const running: Running = {
      reflector: undefined,
      activity: new Lazy<State<Objects<KubeObject>>>((set) => {
        const reflector = new Reflector(selection, set, this.#reflectorDeps());
        running.reflector = reflector;
        return {
          close: () => {
            reflector.close();
            if (this.#running.get(key) === running) this.#running.delete(key);
          },
        };
      }, equalStates<Objects<KubeObject>>()),
    };
    this.#running.set(key, running);
    return running;
  }

  #reflectorDeps(): ReflectorDeps {
    return {
      ...this.#options,
      transport: this.#transport,
      health: this.#health,
      stats: this.#stats,
      complain: (failure, selection) => this.#complain(failure, selection),
    };
  }

  #complain({ reason, message }: KubeFailure, { resource, namespace = '' }: Selection<KubeObject>): void {
    const what = `${reason} ${resource.group}/${resource.plural} ${namespace}`;
    const nowMs = this.#options.clock.nowMs();
    const lastMs = this.#complaints.get(what);
    if (lastMs !== undefined && nowMs - lastMs < COMPLAIN_AGAIN_MS) return;
    if (this.#complaints.size >= COMPLAINTS_MAX) this.#complaints.clear();
    this.#complaints.set(what, nowMs);
    const fields = { server: this.#options.name, reason };
    // A server that is too old for a resource is no fault: another one is asked for instead.
    if (reason === 'no-such-resource') this.#options.log.info(message, fields);
    else this.#options.log.warn(message, fields);
  }
}
