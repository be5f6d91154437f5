/**
 * A router with one HTTP server on a port of its own, over names that the test sets. Time stands still unless
 * the test moves it. `close` checks that nothing is left: no connection, no timer, every gauge back at 0.
 */
import assert from 'node:assert/strict';
import type { ClientParams, RouterSpec, ServerSpec, ServiceParams } from '../../config/spec.ts';
import type { Addr, Address, Bound, NameTree } from '../../dtab/names.ts';
import { leaf } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import type { Binder, Binding } from '../../routers/binding/binder.ts';
import { Descriptors } from '../../routers/descriptors.ts';
import { HttpServer, type ServerTls } from '../../routers/http1/http-server.ts';
import type { IngressRules } from '../../routers/identify/ingress-rules.ts';
import { Router, type RouterDeps } from '../../routers/router.ts';
import { RequestTap, type StoryBatch } from '../../routers/tap/request-tap.ts';
import { failed, ok, pending, type State } from '../../src/base/activity.ts';
import { Failure } from '../../src/base/failure.ts';
import { seededRng } from '../../src/base/rng.ts';
import type { Scope } from '../../src/base/stats.ts';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import { Cell } from '../../src/base/var.ts';
import { HandClock } from './hand-clock.ts';
import { RawClient } from './raw-client.ts';
import { RecordedStats } from './recorded-stats.ts';
import type { ScriptedBackend } from './scripted-backend.ts';
import { settled, until } from './until.ts';

export type RigOptions = {
  readonly router?: Partial<RouterSpec>;
  readonly server?: Partial<ServerSpec>;
  /** For all names, or for each. */
  readonly client?: ClientParams | ((id: Path) => ClientParams);
  readonly service?: ServiceParams | ((name: Path) => ServiceParams);
  readonly admin?: string;
  /** Of the server. */
  readonly tls?: ServerTls;
  readonly clientTls?: RouterDeps['clientTls'];
  readonly descriptors?: Descriptors;
  /** Where metrics go instead of `stats`. */
  readonly scope?: Scope;
};

const routerSpec: RouterSpec = {
  protocol: 'http',
  label: 'http',
  dstPrefix: '/svc',
  dtab: { text: '', source: 'test', start: { line: 1, column: 1, offset: 0 }, entries: [] },
  originator: false,
  servers: [],
  interpreter: { kind: 'default', transformers: [] },
  bindingTimeoutMs: 10000,
  bindingCache: { paths: 1000, trees: 1000, bounds: 1000, clients: 1000, idleTtlMs: 600000 },
  identifiers: [{ kind: 'io.l5d.header.token', header: 'Host' }],
  client: [],
  service: [],
  streamAfterBytes: 5120,
  maxHeadersBytes: 8192,
  maxInitialLineBytes: 4096,
  maxErrResponseChars: 5242880,
  tracePropagator: { kind: 'io.l5d.default' },
};

export const serverSpec: ServerSpec = {
  ip: '127.0.0.1',
  port: 0,
  clearContext: false,
  socketOptions: { noDelay: true, reusePort: false },
  idleTimeMs: 600000,
  headTimeoutMs: 30000,
  bodyIdleTimeoutMs: 60000,
  maxCallDepth: 1000,
  maxConnections: 50000,
  maxBufferedBytes: 64 << 20,
  minBodyBytesPerSec: 100,
};

export class Rig {
  readonly clock = new HandClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly stats = new RecordedStats();
  readonly stories: StoryBatch[] = [];
  takesStories = true;
  readonly tap = new RequestTap({
    wheel: this.wheel,
    rng: seededRng(13),
    stats: this.stats.root.scope('tap'),
    send: ({ lines, masks }) => {
      if (this.takesStories) this.stories.push({ lines: Buffer.from(lines), masks: Array.from(masks) });
      return this.takesStories;
    },
  });
  /** What the Ingress objects say. */
  readonly ingress = new Cell<State<IngressRules>>(pending);
  /** Of the event loop, as the server sees it. */
  readonly loop = { delayMs: 0 };
  readonly descriptors: Descriptors;
  readonly router: Router;
  readonly server: HttpServer;
  port = 0;
  readonly #names = new Map<string, Cell<State<Binding>>>();
  readonly #addrs = new Map<string, Cell<Addr>>();
  readonly #clients: RawClient[] = [];

  private constructor(options: RigOptions) {
    const { client = {}, service = {} } = options;
    const scope = options.scope ?? this.stats.root;
    const spec = { ...routerSpec, ...options.router };
    this.descriptors = options.descriptors ?? new Descriptors(100_000, 100_000);
    const binder: Binder = { bind: (_local, path) => this.name(path.show), ingress: () => this.ingress };
    this.router = new Router({
      spec,
      binder,
      stats: scope.scope('rt', spec.label),
      clock: this.clock,
      wheel: this.wheel,
      rng: seededRng(7),
      clientParams: typeof client === 'function' ? client : () => client,
      serviceParams: typeof service === 'function' ? service : () => service,
      clientTls: (id, stats) => options.clientTls?.(id, stats),
      clientIdentity: () => options.client,
      baseDtab: ['/svc => /#/io.l5d.fs'],
      admin: options.admin,
      tap: this.tap,
      descriptors: this.descriptors,
    });
    this.server = new HttpServer({
      spec: { ...serverSpec, ...options.server },
      router: this.router,
      stats: scope.scope('rt', spec.label, 'server', 'test'),
      wheel: this.wheel,
      rng: seededRng(11),
      clock: this.clock,
      tls: options.tls,
      threads: 1,
      descriptors: this.descriptors,
      loop: this.loop,
    });
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(options);
    const port = await rig.server.listen(0, false);
    if (port instanceof Failure) throw new Error(port.message);
    rig.port = port;
    return rig;
  }

  /** A rig whose name `/svc/web` is bound to these backends. */
  static async over(backends: readonly ScriptedBackend[], options: RigOptions = {}): Promise<Rig> {
    const rig = await Rig.start(options);
    rig.bind('web', backends);
    return rig;
  }

  name(show: string): Cell<State<Binding>> {
    let cell = this.#names.get(show);
    if (cell === undefined) {
      cell = new Cell<State<Binding>>(ok({ tree: { type: 'neg' } }));
      this.#names.set(show, cell);
    }
    return cell;
  }

  /** The address set of `/#/test/<id>`. */
  addr(id: string): Cell<Addr> {
    let cell = this.#addrs.get(id);
    if (cell === undefined) {
      cell = new Cell<Addr>({ type: 'pending' });
      this.#addrs.set(id, cell);
    }
    return cell;
  }

  bound(id: string): Bound {
    return { type: 'bound', id: Path.of('#', 'test', id), addr: this.addr(id), residual: Path.empty };
  }

  bind(service: string, backends: readonly ScriptedBackend[], id = service): void {
    this.addresses(id, backends);
    this.tree(service, leaf(this.bound(id)));
  }

  tree(service: string, tree: NameTree<Bound>): void {
    this.name(`/svc/${service}`).set(ok({ tree }));
  }

  pend(service: string): void {
    this.name(`/svc/${service}`).set(pending);
  }

  failName(service: string, failure: Failure): void {
    this.name(`/svc/${service}`).set(failed(failure));
  }

  addresses(id: string, backends: readonly { readonly port: number }[], meta = {}): void {
    const addresses: Address[] = backends.map(({ port }) => ({ host: '127.0.0.1', port }));
    this.addr(id).set({ type: 'bound', addresses, meta });
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.port);
    this.#clients.push(client);
    return client;
  }

  serverStat(name: string): number {
    return this.stats.value(`rt/http/server/test/${name}`);
  }

  clientStat(name: string, id = 'web'): number {
    return this.stats.value(`rt/http/client/#/test/${id}/${name}`);
  }

  serviceStat(name: string, service = 'web'): number {
    return this.stats.value(`rt/http/service/svc/${service}/${name}`);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.destroy();
    await settled();
    // A caller whose bytes wait unread is not seen to have gone.
    const drained = this.server.drain();
    this.server.close();
    await until(() => this.server.connections === 0, 'the close of all callers');
    // No caller, no exchange: nothing may be pending, in use or waited for.
    const busy = this.stats.unbalanced().filter((each) => /pending|pool_waiters/.test(each));
    assert.deepEqual(busy, [], 'gauges after the last caller has gone');
    this.tap.close();
    this.router.close();
    await drained;
    await until(
      () => this.stats.unbalanced().length === 0,
      () => `gauges: ${this.stats.unbalanced().join(', ')}`,
    );
    assert.equal(this.wheel.size, 0, 'timers are left');
    this.wheel.close();
    assert.equal(this.clock.pending, 0, 'the clock still has callbacks');
  }
}

/** For the end of a test file: no socket of this process is left. */
export async function noSocketsLeft(): Promise<void> {
  const sockets = () =>
    process.getActiveResourcesInfo().filter((each) => /^(TCP|TLS|Pipe.*Connect)/.test(each));
  await until(
    () => sockets().length === 0,
    () => `sockets are left: ${sockets().join(', ')}`,
  );
}
