/**
 * A Kubernetes API server for tests: the real wire protocol over real sockets, without controllers. `kubectl`
 * works on it.
 *
 *     const api = await KubeApiServer.start();              // or { tls: { key, cert }, tokens: ['secret'] }
 *     api.put('services', { metadata: { name: 'web', namespace: 'default' }, spec: {...} });
 *     api.put('endpointslices', {...});                      // creates or replaces; a watch hears of it
 *     api.remove('services', 'default', 'web');
 *     … host: 127.0.0.1, port: api.port, or `api.url` …
 *     await api.close();
 *
 * Faults: `api.fault(...)` (see faults.ts) for requests and streams; `await api.stop()` refuses connections
 * and cuts those that are open until `await api.restart()` (same port, same objects). `api.compact()` forgets
 * history, so that older versions are 410 Gone, and `api.expire()` tells open watches so; `api.rewind(5)` goes
 * back to older versions; `api.replay(n)` tells open watches the last n changes again; `api.bookmark()`,
 * `api.endWatches()`, `api.cutWatches()`. What was asked stands in `api.requests`, what is watched in
 * `api.watches`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { type Closable, nothingToClose } from '../../../src/base/closable.ts';
import { answerList, answerWatch } from './collections.ts';
import { discoveryDocument } from './discovery.ts';
import { type Fault, Faults, type Request, type When } from './faults.ts';
import { KINDS, type Kind } from './kinds.ts';
import { answerObject } from './objects.ts';
import { type Route, routeOf } from './route.ts';
import { type ApiState, sendJson } from './state.ts';
import {
  badRequest,
  expired,
  forbidden,
  internalError,
  type Status,
  status,
  unauthorized,
} from './status.ts';
import { type KubeJson, Store } from './store.ts';

export type KubeApiServerOptions = {
  /** Of node:https: key and cert at least. */
  readonly tls?: ServerOptions;
  /** Bearer tokens that are accepted; without them everybody is. */
  readonly tokens?: readonly string[];
  /** Plurals of resources that this server does not have (an old server has no `endpointslices`). */
  readonly without?: readonly string[];
  /** How a version that is too old is told of: the real server does both. */
  readonly goneAs?: 'event' | 'status';
  /** For the ends of watches and for bookmarks. */
  readonly clock?: Clock;
  /** For 403 messages. */
  readonly user?: string;
};

const BOOKMARK_EVERY_MS = 60_000;

export class KubeApiServer {
  readonly requests: Request[] = [];
  /** May be changed while it runs. */
  tokens: readonly string[];
  readonly #kinds: readonly Kind[];
  readonly #options: KubeApiServerOptions;
  /** Taken by the next `restart`. */
  tls: ServerOptions | undefined;
  readonly #state: ApiState;
  port = 0;
  readonly #sockets = new Set<Socket>();
  #server: Server;
  #bookmarks: Closable = nothingToClose;

  static async start(options: KubeApiServerOptions = {}): Promise<KubeApiServer> {
    const api = new KubeApiServer(options);
    await api.restart();
    return api;
  }

  constructor(options: KubeApiServerOptions) {
    this.#options = options;
    this.tls = options.tls;
    this.#state = {
      clock: options.clock ?? systemClock,
      store: new Store(),
      faults: new Faults(),
      streams: new Set(),
      goneAs: options.goneAs ?? 'event',
    };
    this.tokens = options.tokens ?? [];
    this.#kinds = KINDS.filter(({ plural }) => options.without?.includes(plural) !== true);
    this.#server = this.#makeServer();
    this.#state.store.onChange((change) => {
      for (const stream of this.#state.streams) stream.change(change);
    });
    this.#state.store.put(this.#kind('namespaces'), { metadata: { name: 'default' } });
    this.#bookmarkSoon();
  }

  get url(): string {
    return `${this.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** Watches that are open, by path. */
  get watches(): readonly string[] {
    return [...this.#state.streams].filter(({ open }) => open).map(({ path }) => path);
  }

  /** Creates or replaces; `resource` is the plural. */
  put(resource: string, object: KubeJson): KubeJson {
    return this.#state.store.put(this.#kind(resource), object);
  }

  get(resource: string, namespace: string | undefined, name: string): KubeJson | undefined {
    return this.#state.store.get(this.#kind(resource), namespace, name);
  }

  remove(resource: string, namespace: string | undefined, name: string): void {
    this.#state.store.remove(this.#kind(resource), namespace, name);
  }

  fault(fault: Fault, when: When = {}): Closable {
    return this.#state.faults.add(fault, when);
  }

  /** Ends all faults; streams that are silent stay so. */
  noFaults(): void {
    this.#state.faults.clear();
  }

  compact(): void {
    this.#state.store.compact();
  }

  /** The versions go back to this one, as when etcd has been restored from a backup. */
  rewind(version: number): void {
    this.#state.store.rewind(version);
  }

  /** Tells open watches that their version is gone, as an ERROR event, and ends them. */
  expire(): void {
    for (const stream of this.#state.streams)
      stream.error(expired(this.#state.store.version - 1, this.#state.store.version));
  }

  replay(count: number): void {
    for (const change of this.#state.store.last(count)) {
      for (const stream of this.#state.streams) stream.change(change);
    }
  }

  bookmark(version = this.#state.store.version): void {
    for (const stream of this.#state.streams) stream.bookmark(version);
  }

  endWatches(): void {
    for (const stream of this.#state.streams) stream.end();
  }

  cutWatches(): void {
    for (const stream of this.#state.streams) stream.cut();
  }

  /** Requests since the `from`-th that `when` applies to. */
  asked(verb: Request['verb'], path = /(?:)/, from = 0): readonly Request[] {
    return this.requests.slice(from).filter((request) => request.verb === verb && path.test(request.path));
  }

  /** Refuses connections and cuts those that are open. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async restart(): Promise<void> {
    if (this.#server.listening) return;
    this.#server = this.#makeServer();
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#bookmarks.close();
    await this.stop();
  }

  #bookmarkSoon(): void {
    this.#bookmarks = this.#state.clock.after(BOOKMARK_EVERY_MS, () => {
      this.bookmark();
      this.#bookmarkSoon();
    });
  }

  #kind(plural: string): Kind {
    const kind = KINDS.find((each) => each.plural === plural);
    if (kind === undefined) throw new Error(`the test API server does not know ${plural}`);
    return kind;
  }

  #makeServer(): Server {
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) this.#send(response, badRequest(String(error)));
      });
    };
    const { tls } = this;
    const server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    return server;
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://api');
    const route = routeOf(url, incoming.method ?? 'GET', this.#kinds);
    const request: Request = {
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      verb: route?.verb ?? 'other',
      authorization: incoming.headers.authorization,
      atMs: performance.now(),
    };
    this.requests.push(request);
    response.on('error', () => {});
    if (this.#misbehaves(request, route, response)) return;
    if (!this.#isAccepted(request)) return this.#send(response, unauthorized());
    if (route === undefined) return this.#discovery(url.pathname, request, response);
    const handle = route.verb === 'list' ? answerList : route.verb === 'watch' ? answerWatch : undefined;
    const problem =
      handle === undefined
        ? await answerObject(this.#state, route, incoming, response)
        : handle(this.#state, route, request, response);
    if (problem !== undefined) this.#send(response, problem);
  }

  #misbehaves(request: Request, route: Route | undefined, response: ServerResponse): boolean {
    const fault = this.#state.faults.take(request, 'hang', 'reset', 'stall', 'status', 'body');
    if (fault === undefined) return false;
    if (fault.type === 'reset') response.destroy();
    if (fault.type === 'stall') response.writeHead(fault.code).flushHeaders();
    if (fault.type === 'body')
      response.writeHead(200, { 'content-type': 'application/json' }).end(fault.text);
    if (fault.type === 'status') {
      const { code, retryAfterSeconds } = fault;
      if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
      this.#send(response, this.#statusOf(code, request, route));
    }
    return true;
  }

  #statusOf(code: number, { verb }: Request, route: Route | undefined): Status {
    const { user = 'system:serviceaccount:default:turnout' } = this.#options;
    if (code === 401) return unauthorized();
    if (code === 403 && route !== undefined) return forbidden(route.kind, verb, route.namespace, user);
    if (code === 410) return expired(1, this.#state.store.version);
    if (code === 429) return status(429, 'TooManyRequests', 'Too many requests, please try again later.');
    return code === 500 ? internalError() : status(code, 'Unknown', `status ${code}`);
  }

  #isAccepted({ authorization }: Request): boolean {
    return this.tokens.length === 0 || this.tokens.some((token) => authorization === `Bearer ${token}`);
  }

  #discovery(path: string, request: Request, response: ServerResponse): void {
    const document = discoveryDocument(path, this.#kinds);
    if (document === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
    } else {
      sendJson(this.#state, response, document, request);
    }
  }

  #send(response: ServerResponse, problem: Status): void {
    response.writeHead(problem.code, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(problem)}\n`);
  }
}
