/** A client of the API server for tests, on a clock that stands still unless a test moves it. */
import type { Access } from '../../k8s/access.ts';
import { plainAccess } from '../../k8s/auth.ts';
import { KubeClient } from '../../k8s/client.ts';
import type { KubeObject } from '../../k8s/resources.ts';
import { type EndpointSlice, endpointSlices } from '../../k8s/resources.ts';
import type { Selection } from '../../k8s/selection.ts';
import { defaultTiming, type Timing } from '../../k8s/timing.ts';
import type { State } from '../../src/base/activity.ts';
import type { Closable } from '../../src/base/closable.ts';
import type { Log, LogFields } from '../../src/base/log.ts';
import { seededRng } from '../../src/base/rng.ts';
import { HandClock } from '../support/hand-clock.ts';
import { KubeApiServer, type KubeApiServerOptions } from '../support/kube-api/kube-api.ts';
import { RecordedStats } from '../support/recorded-stats.ts';
import { settled } from '../support/until.ts';

export const webSlices: Selection<EndpointSlice> = {
  resource: endpointSlices,
  namespace: 'default',
  labelSelector: 'kubernetes.io/service-name=web',
};

export type Seen<T extends KubeObject> = Closable & {
  readonly states: State<ReadonlyMap<string, T>>[];
  /** The addresses or names known now, or what is instead of them. */
  readonly now: string;
};

export class Rig implements Closable {
  readonly api: KubeApiServer;
  readonly client: KubeClient;
  readonly clock: HandClock;
  readonly stats = new RecordedStats();
  /** Warnings and what else is told, with the fields as JSON. */
  readonly logged: string[] = [];
  readonly #seen: Closable[] = [];

  static async start(options: RigOptions = {}): Promise<Rig> {
    const clock = new HandClock();
    return new Rig(await KubeApiServer.start({ clock, ...options.server }), clock, options);
  }

  constructor(api: KubeApiServer, clock: HandClock, { access, timing }: RigOptions) {
    this.api = api;
    this.clock = clock;
    this.client = new KubeClient({
      name: 'cluster',
      access: access === undefined ? async () => plainAccess('127.0.0.1', api.port) : async () => access(api),
      userAgent: 'turnout/test',
      clock: this.clock,
      rng: seededRng(1),
      log: this.#log(),
      stats: this.stats.root,
      timing: { ...defaultTiming, ...timing },
    });
  }

  see<T extends KubeObject>(selection: Selection<T>): Seen<T> {
    const states: State<ReadonlyMap<string, T>>[] = [];
    const observation = this.client.watch(selection).observe((state) => void states.push(state));
    this.#seen.push(observation);
    return {
      states,
      get now() {
        return shown(states.at(-1));
      },
      close: () => observation.close(),
    };
  }

  /** Moves the clock in small steps, with turns for the sockets in between. */
  async advanceUntil(condition: () => boolean, limitMs: number, stepMs = 50): Promise<number> {
    const startMs = this.clock.nowMs();
    while (!condition()) {
      const passedMs = this.clock.nowMs() - startMs;
      if (passedMs > limitMs) throw new Error(`it has not come true within ${limitMs} ms: ${condition}`);
      await settled(12);
      if (!condition()) this.clock.advance(stepMs);
    }
    return this.clock.nowMs() - startMs;
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.clock.nowMs() + ms;
    while (this.clock.nowMs() < endMs) {
      await settled(12);
      this.clock.advance(Math.min(50, endMs - this.clock.nowMs()));
    }
    await settled(12);
  }

  async closeAll(): Promise<void> {
    this.close();
    await this.api.close();
  }

  close(): void {
    for (const seen of this.#seen) seen.close();
    this.client.close();
  }

  /** A slice of service `web` (or another) with these addresses. */
  putSlice(name: string, addresses: readonly string[], service = 'web'): void {
    this.api.put('endpointslices', {
      metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': service } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    });
  }

  #log(): Log {
    const note = (message: string, fields: LogFields = {}): void => {
      this.logged.push(`${message} ${JSON.stringify(fields)}`);
    };
    return { debugEnabled: false, debug() {}, info: note, warn: note, error: note };
  }
}

export type RigOptions = {
  readonly server?: KubeApiServerOptions;
  readonly timing?: Partial<Timing>;
  readonly access?: (api: KubeApiServer) => Promise<Access>;
};

function shown(state: State<ReadonlyMap<string, KubeObject>> | undefined): string {
  if (state === undefined) return 'nothing';
  if (state.state === 'failed') return `failed: ${state.failure.message}`;
  if (state.state === 'pending') return 'pending';
  return [...state.value.values()]
    .map((object) =>
      'endpoints' in object
        ? (object as EndpointSlice).endpoints.map(({ addresses }) => addresses[0]).join(' ')
        : object.meta.name,
    )
    .sort()
    .join(' ');
}
