/**
 * Another node's pages through this one: `/node/NAME/...`. Only nodes that are known, only GET and HEAD, only
 * pages that show: nothing that changes, profiles or tells headers, whatever the other node would allow.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import httpProxy from 'http-proxy';
import type { Closable } from '../base/closable.ts';
import { TEXT } from './page.ts';
import type { FleetPeer } from './sources.ts';

const CONNECT_MS = 10_000;

const PAGES: ReadonlySet<string> = new Set([
  '/',
  '/services',
  '/delegator',
  '/logging',
  '/help',
  '/admin',
  '/admin/index.txt',
  '/admin/ping',
  '/admin/server_info',
  '/admin/overview',
  '/admin/tap',
  '/admin/metrics.json',
  '/metrics.json',
  '/admin/metrics/prometheus',
  '/livez',
  '/readyz',
  '/node.json',
  '/config.json',
  '/config/generations.json',
  '/delegator.json',
  '/identify.json',
  '/routers.json',
  '/bound-names.json',
  '/client_state.json',
  '/kubernetes.json',
  '/certificates.json',
  '/logging.json',
  '/requests',
  '/requests.json',
]);
const FILE = /^\/files\/[\w.-]+$/;
/** What would prove to the other node who the caller is stays here. */
const OWN_FIELDS = ['authorization', 'cookie', 'proxy-authorization', 'x-forwarded-for'];

export type FleetRefusal = { readonly status: number; readonly text: string };

export class FleetProxy implements Closable {
  readonly #peers: () => readonly FleetPeer[];
  /** Made when it is needed first: most processes never look at another node. */
  #proxy: ReturnType<typeof httpProxy.createProxyServer> | undefined;

  constructor(peers: () => readonly FleetPeer[]) {
    this.#peers = peers;
  }

  #make(): ReturnType<typeof httpProxy.createProxyServer> {
    const proxy = httpProxy.createProxyServer({ changeOrigin: true });
    proxy.on('proxyReq', (outgoing, _incoming, answer) => {
      outgoing.setTimeout(CONNECT_MS, () => {
        if (!answer.headersSent) outgoing.destroy(new Error(`no answer within ${CONNECT_MS} ms`));
      });
      // A live view ends with its reader.
      answer.once('close', () => outgoing.destroy());
    });
    return proxy;
  }

  /** Undefined when the answer is under way. `rest` is what follows the name: a path with its query. */
  forward(
    name: string,
    rest: string,
    incoming: IncomingMessage,
    answer: ServerResponse,
  ): FleetRefusal | undefined {
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD')
      return { status: 405, text: 'Other nodes are only looked at.\n' };
    const peer = this.#peers().find((each) => each.name === name);
    if (peer === undefined) return { status: 404, text: 'No node of this name is known.\n' };
    const [path = '', query = ''] = rest.split('?', 2);
    if (!PAGES.has(path) && !FILE.test(path))
      return { status: 404, text: 'Other nodes are only looked at.\n' };
    if (new URLSearchParams(query).has('headers'))
      return { status: 403, text: 'No headers of other nodes.\n' };
    for (const field of OWN_FIELDS) delete incoming.headers[field];
    incoming.url = rest;
    this.#proxy ??= this.#make();
    this.#proxy.web(incoming, answer, { target: peer.url }, (error) => {
      if (answer.headersSent || answer.destroyed) answer.destroy();
      else {
        answer.writeHead(502, { 'content-type': 'text/plain;charset=UTF-8' });
        answer.end(`The node ${name} cannot be reached: ${error.message}\n`);
      }
    });
    return undefined;
  }

  close(): void {
    this.#proxy?.close();
  }
}

/** `/node/NAME` leads to `/node/NAME/`, so that the links of the page are below it. */
export function mountFleet(app: FastifyInstance, fleet: FleetProxy): void {
  app.get('/node/:name', (request, reply) => {
    const { name } = request.params as { name: string };
    return reply
      .code(308)
      .header('location', `${encodeURIComponent(name)}/`)
      .send('');
  });
  app.route({
    method: app.supportedMethods,
    url: '/node/:name/*',
    handler(request, reply) {
      const { name } = request.params as { name: string };
      const rest = /^\/node\/[^/?]*(\/.*)$/.exec(request.raw.url ?? '')?.[1] ?? '/';
      const refusal = fleet.forward(name, rest, request.raw, reply.raw);
      if (refusal === undefined) return reply.hijack();
      return reply.code(refusal.status).type(TEXT).send(refusal.text);
    },
  });
}
