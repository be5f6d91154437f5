/**
 * The admin server, on the control thread. It guarantees: bounded requests (body 1 MB, time limits, 500
 * connections), no page outside the security filter, a failure to listen as a value, and an end within a
 * bound. Pages are matched by their exact path; the filter judges the page that would answer, so no spelling
 * of a path goes around it.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { AdminSpec } from '../../config/spec.ts';
import { certDrainMs } from '../../routers/tls/cohort.ts';
import { loadServerTls } from '../../routers/tls/material.ts';
import { serverTlsOptions } from '../../routers/tls/server-tls.ts';
import type { ServerTlsMaterial } from '../../routers/tls/tls-material.ts';
import type { Closable } from '../base/closable.ts';
import { http } from '../base/http.ts';
import { AdminStats } from './admin-stats.ts';
import { FleetProxy, mountFleet } from './fleet-proxy.ts';
import { absentPages } from './handlers/absent.ts';
import { basicPages, indexPages } from './handlers/basic.ts';
import { configPages } from './handlers/config.ts';
import { delegatorPage } from './handlers/delegator.ts';
import { fleetPages } from './handlers/fleet.ts';
import { lintPages } from './handlers/lint.ts';
import { livePages } from './handlers/live.ts';
import { loggingPage } from './handlers/logging.ts';
import { metricsPages } from './handlers/metrics.ts';
import { profilePages } from './handlers/profiles.ts';
import { requestsPages } from './handlers/requests.ts';
import { shutdownPage } from './handlers/shutdown.ts';
import { identifierPage, statePages } from './handlers/state.ts';
import { tracingPage } from './handlers/tracing.ts';
import { uiPages } from './handlers/ui.ts';
import { EventStreams } from './live/event-stream.ts';
import { type AdminAnswer, type Page, TEXT, text } from './page.ts';
import { type PathFilter, pathFilter } from './security.ts';
import type { AdminSources } from './sources.ts';

const BODY_BYTES_MAX = 1 << 20;
const HEAD_BYTES_MAX = 16_384;
const HEAD_MS = 10_000;
const REQUEST_MS = 30_000;
const IDLE_MS = 60_000;
const CONNECTIONS_MAX = 500;

/** Why the admin server could not start: one line that says what to change. */
export class AdminFailure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export interface AdminServer {
  readonly ip: string;
  /** The port in use, also when the config says 0. */
  readonly port: number;
  /** Of the `httpIdentifierPort` listener. */
  readonly identifierPort: number | undefined;
  /** New connections are left to others that share the port; those that are open go on. */
  stopListening(): void;
  /** For new handshakes; connections that are older end within `admin.tls.certDrainSecs`. */
  replaceTls(material: ServerTlsMaterial): void;
  /** Stops listening; connections that are still busy after `boundMs` are cut. */
  close(boundMs?: number): Promise<void>;
}

type Listener = {
  readonly port: number;
  stopListening(): void;
  replaceTls(options: TlsOptions): void;
  close(boundMs: number): Promise<void>;
};

export async function startAdmin(
  spec: AdminSpec,
  sources: AdminSources,
): Promise<AdminServer | AdminFailure> {
  const settings = prepare(spec);
  if (settings instanceof AdminFailure) return settings;
  const streams = new EventStreams(sources.clock);
  const pages = allPages(spec, sources, streams);
  const fleet = new FleetProxy(() => sources.fleet());
  const main = await listen(spec, spec.port, 'admin.port', pages, { ...settings, fleet }, sources);
  if (main instanceof AdminFailure) return main;
  const extra = await startIdentifier(spec, sources, settings);
  if (extra instanceof AdminFailure) {
    await main.close(0);
    return extra;
  }
  return {
    ip: spec.ip,
    port: main.port,
    identifierPort: extra?.port,
    stopListening() {
      main.stopListening();
      extra?.stopListening();
    },
    replaceTls(material) {
      const options = serverTlsOptions(material);
      main.replaceTls(options);
      extra?.replaceTls(options);
    },
    async close(boundMs = 1000) {
      streams.close();
      await Promise.all([main.close(boundMs), extra?.close(boundMs)]);
      fleet.close();
    },
  };
}

type Settings = {
  readonly tls: TlsOptions | undefined;
  readonly allowed: PathFilter;
  /** Shows other nodes as well. */
  readonly fleet?: FleetProxy;
};

function prepare(spec: AdminSpec): Settings | AdminFailure {
  let allowed: PathFilter;
  try {
    allowed = pathFilter(spec.security);
  } catch (error) {
    return new AdminFailure(`admin.security: ${messageOf(error)}`);
  }
  if (spec.tls === undefined) return { tls: undefined, allowed };
  const material = loadServerTls(spec.tls);
  if (!material.ok) return new AdminFailure(`admin.tls: ${material.errors.join('; ')}`);
  return { tls: serverTlsOptions(material.value), allowed };
}

function allPages(spec: AdminSpec, sources: AdminSources, streams: EventStreams): readonly Page[] {
  const controlFromAnywhere = spec.security?.controlEnabled === true;
  const pages = [
    ...uiPages(),
    ...basicPages(sources),
    ...livePages(sources, streams),
    ...fleetPages(sources),
    ...metricsPages(sources),
    ...statePages(sources),
    ...requestsPages(sources),
    ...lintPages(sources),
    delegatorPage(sources),
    tracingPage(sources),
    ...configPages(sources, spec.reload.remote),
    ...profilePages(sources),
    loggingPage(sources, controlFromAnywhere),
    shutdownPage(sources, spec.shutdownGraceMs, controlFromAnywhere),
  ];
  // A later page replaces an earlier one of the same path, as two telemeters may name one.
  const byPath = new Map(pages.map((page) => [page.path, page]));
  return [...byPath.values(), ...indexPages([...byPath.values()]), ...absentPages()];
}

async function startIdentifier(
  spec: AdminSpec,
  sources: AdminSources,
  settings: Settings,
): Promise<Listener | undefined | AdminFailure> {
  const port = spec.httpIdentifierPort;
  if (port === undefined) return undefined;
  const pages = [identifierPage(sources)];
  return listen(spec, port, 'admin.httpIdentifierPort', pages, { ...settings, allowed: () => true }, sources);
}

async function listen(
  spec: AdminSpec,
  port: number,
  key: string,
  pages: readonly Page[],
  settings: Settings,
  sources: AdminSources,
): Promise<Listener | AdminFailure> {
  const app = newApp(spec, settings.tls);
  const stats = new AdminStats(sources);
  mount(app, pages, settings.allowed, stats, sources);
  if (settings.fleet !== undefined) mountFleet(app, settings.fleet);
  const server = app.server as Server;
  server.maxConnections = CONNECTIONS_MAX;
  const sockets = new Set<Socket>();
  /** Of connections made with certificates that have been replaced. */
  const cuts = new Set<Closable>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    stats.opened();
    socket.once('close', () => {
      sockets.delete(socket);
      stats.closed();
    });
  });
  const { backlog, reusePort } = spec.socketOptions;
  try {
    const where = { host: spec.ip, port, reusePort, ...(backlog === undefined ? {} : { backlog }) };
    await app.listen(where);
  } catch (error) {
    await app.close();
    return new AdminFailure(listenProblem(spec.ip, port, key, error));
  }
  return {
    port: (server.address() as AddressInfo).port,
    stopListening() {
      server.close();
    },
    replaceTls(options) {
      (server as HttpsServer).setSecureContext(options);
      const old = [...sockets];
      const cut = sources.clock.after(certDrainMs(spec.tls), () => {
        cuts.delete(cut);
        for (const socket of old) socket.destroy();
      });
      cuts.add(cut);
    },
    async close(boundMs) {
      for (const pending of cuts) pending.close();
      const cut = sources.clock.after(boundMs, () => {
        for (const socket of sockets) socket.destroy();
      });
      await app.close();
      cut.close();
    },
  };
}

function newApp(spec: AdminSpec, tls: TlsOptions | undefined): FastifyInstance {
  const { noDelay, keepAlive, readTimeoutMs, writeTimeoutMs } = spec.socketOptions;
  const server = {
    noDelay,
    ...(keepAlive === undefined ? {} : { keepAlive }),
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: HEAD_MS,
    connectionsCheckingInterval: 5000,
  };
  const options = {
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    // A connection on which nothing moves, in either direction.
    connectionTimeout: Math.min(IDLE_MS, readTimeoutMs ?? IDLE_MS, writeTimeoutMs ?? IDLE_MS),
    forceCloseConnections: 'idle' as const,
    exposeHeadRoutes: false,
  };
  if (tls === undefined) return fastify({ ...options, http: server });
  const https = { ...tls, ...server, handshakeTimeout: HEAD_MS };
  return fastify({ ...options, https }) as unknown as FastifyInstance;
}

function mount(
  app: FastifyInstance,
  pages: readonly Page[],
  allowed: PathFilter,
  stats: AdminStats,
  sources: AdminSources,
): void {
  for (const method of http.METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true });
  }
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (request, reply) => {
    const path = request.routeOptions.url ?? '';
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    if (path !== '' && !allowed(path)) return reply.code(404).send('');
    // A web page of another site must not be able to press the buttons of this one.
    if (request.method === 'POST' && request.headers['sec-fetch-site'] === 'cross-site') {
      return reply.code(403).type(TEXT).send('Requests from other sites are refused.');
    }
    return undefined;
  });
  app.addHook('onResponse', async (_request, reply) => stats.answered(reply.statusCode, reply.elapsedTime));
  app.setNotFoundHandler((_request, reply) =>
    send(reply, text(404, 'Not found. /admin lists what there is.\n')),
  );
  app.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    if (status < 500) return send(reply, text(status, messageOf(error)));
    sources.log.error('an admin page failed', { error: messageOf(error) });
    return send(reply, text(500, 'Internal error; the log says more.'));
  });
  for (const page of pages) {
    const url = page.path;
    app.route({
      method: app.supportedMethods,
      url,
      handler: (request, reply) => serve(page, request, reply),
    });
  }
}

async function serve(page: Page, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (page.methods !== 'any' && !page.methods.includes(method)) {
    return reply.code(405).header('allow', page.methods.join(', ')).send('');
  }
  const mark = request.raw.url?.indexOf('?') ?? -1;
  const answer = await page.answer({
    method,
    peer: request.socket.remoteAddress ?? '',
    uri: request.raw.url ?? '/',
    version: request.raw.httpVersion,
    query: new URLSearchParams(mark === -1 ? '' : request.raw.url?.slice(mark + 1)),
    contentType: (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
    rawHeaders: request.raw.rawHeaders,
    body: typeof request.body === 'string' ? request.body : '',
  });
  const { sent } = answer;
  if (sent !== undefined) reply.raw.once('close', sent);
  return send(reply, answer, request.method === 'HEAD');
}

function send(reply: FastifyReply, answer: AdminAnswer, headOnly = false): FastifyReply {
  reply.code(answer.status);
  if (answer.type !== undefined) reply.type(answer.type);
  if (answer.headers !== undefined) reply.headers(answer.headers);
  // As bytes, because to the type of a string fastify adds a charset of its own.
  const { body } = answer;
  if (typeof body === 'string' || body instanceof Uint8Array) return reply.send(Buffer.from(body));
  // Rendering a body that is not sent would be for nothing.
  if (headOnly) return reply.send(Buffer.alloc(0));
  if (!('flowTo' in body)) return reply.send(Readable.from(body, { objectMode: false }));
  const { raw } = reply.hijack();
  raw.on('error', () => {});
  raw.writeHead(answer.status, reply.getHeaders() as OutgoingHttpHeaders);
  body.flowTo(raw);
  return reply;
}

function statusOf(error: unknown): number {
  const status = error instanceof Error ? (error as Error & { statusCode?: unknown }).statusCode : undefined;
  return typeof status === 'number' && status >= 400 ? status : 500;
}

function listenProblem(ip: string, port: number, key: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const where = `${ip}:${port}`;
  if (code === 'EADDRINUSE') return `admin: ${where} is taken by another process; change ${key}`;
  if (code === 'EACCES') return `admin: no permission to listen on ${where}; change ${key} to 1024 or more`;
  if (code === 'EADDRNOTAVAIL') return `admin: ${ip} is not an address of this machine; change admin.ip`;
  return `admin: cannot listen on ${where}: ${messageOf(error)}`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
