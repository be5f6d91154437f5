/**
 * Two proxies before endpoints of the same kind: the router, and node:http (strict) with http-proxy. The same
 * bytes go through both; what they understand differently is named.
 */
import http from 'node:http';
import net from 'node:net';
import httpProxy from 'http-proxy';
import { Ambiguous, readResponse, valuesOf } from '../raw/strict-reader.ts';
import { Rig } from '../support/rig.ts';
import { until } from '../support/until.ts';

/** One request as an endpoint understood it. */
type Understood = { method: string; target: string; host: string; body: string; custom: string };
type Outcome = { requests: Understood[]; why: string; hangs: boolean };
export type Difference = {
  /** Who refuses what the other accepts, or which part of a message differs. */
  readonly kind:
    | 'router refuses'
    | 'reference refuses'
    | 'method'
    | 'target'
    | 'host'
    | 'body'
    | 'fields'
    | 'status'
    | 'hangs'
    | 'ambiguous';
  /** What the refusing side said, or both values. */
  readonly why: string;
};

/** Whoever has not ended the connection after this long hangs. */
const QUIET_MS = 5000;
/** The request whose answers are compared. */
const ASKING = 'GET /x HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n';

function customFields(pairs: readonly (readonly [string, string])[]): string {
  const joined = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase();
    if (/^x-[a-z0-9!#$]+$/.test(lower)) joined.set(lower, [...(joined.get(lower) ?? []), value.trim()]);
  }
  // The reference joins the lines of one name, and an empty one leaves a comma.
  const members = (values: readonly string[]) =>
    values
      .join()
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
  return [...joined]
    .map(([name, values]) => `${name}=${members(values).join()}`)
    .sort()
    .join('; ');
}

/** A node:http server that records whole requests, or a raw one that sends `bytes` for each connection's request. */
class Backend {
  requests: Understood[] = [];
  bytes = '';
  readonly sockets = new Set<net.Socket>();
  readonly understanding: http.Server;
  readonly raw: net.Server;

  constructor() {
    this.understanding = http.createServer({ insecureHTTPParser: false }, (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const raw = request.rawHeaders;
        const pairs = raw.flatMap((name, i): [string, string][] =>
          i % 2 === 0 ? [[name, raw[i + 1] ?? '']] : [],
        );
        this.requests.push({
          method: request.method ?? '',
          target: request.url ?? '',
          host: request.headers.host ?? '',
          body: Buffer.concat(pieces).toString('latin1'),
          custom: customFields(pairs),
        });
        response.end('ok');
      });
    });
    this.raw = net.createServer((socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
      socket.once('data', () => socket.end(Buffer.from(this.bytes, 'latin1')));
    });
  }

  async listen(): Promise<void> {
    for (const server of [this.understanding, this.raw]) {
      server.listen(0, '127.0.0.1');
      await until(() => server.listening, 'a backend');
    }
  }

  close(): void {
    this.understanding.close();
    this.understanding.closeAllConnections();
    this.raw.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port;

/** Sends the bytes and the end; answers everything that came back until the close. */
function exchange(port: number, bytes: string): Promise<{ text: string; hangs: boolean; clean: boolean }> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    let text = '';
    let hangs = false;
    let clean = true;
    const timer = setTimeout(() => {
      hangs = true;
      socket.destroy();
    }, QUIET_MS);
    socket.on('connect', () => {
      socket.end(Buffer.from(bytes, 'latin1'));
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {
      clean = false;
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ text, hangs, clean });
    });
  });
}

export class Differential {
  readonly #backends = [new Backend(), new Backend()] as const;
  readonly #proxy = httpProxy.createProxyServer();
  readonly #reference: http.Server;
  readonly #raw: http.Server;
  #why = '';
  #rigs: readonly Rig[] = [];

  private constructor() {
    this.#reference = this.#makeReference(() => portOf(this.#backends[1].understanding));
    this.#raw = this.#makeReference(() => portOf(this.#backends[1].raw));
    this.#proxy.on('error', (error, _request, response) => {
      this.#why = (error as NodeJS.ErrnoException).code ?? error.message;
      if (response instanceof http.ServerResponse && !response.headersSent) response.writeHead(502).end();
      else response.destroy();
    });
    // http-proxy itself leaves the caller waiting when the endpoint breaks off.
    this.#proxy.on('proxyRes', (answer, _request, response) => {
      // http-proxy throws at the bytes above ASCII that its own parser let through.
      answer.statusMessage = answer.statusMessage?.replace(/[^\t\x20-\x7e]/g, '?');
      answer.on('error', (error: NodeJS.ErrnoException) => {
        this.#why = error.code ?? error.message;
        response.destroy();
      });
    });
  }

  static async open(): Promise<Differential> {
    const made = new Differential();
    for (const backend of made.#backends) await backend.listen();
    for (const server of [made.#reference, made.#raw]) {
      server.listen(0, '127.0.0.1');
      await until(() => server.listening, 'the reference');
    }
    const rigs: Rig[] = [];
    for (const server of [made.#backends[0].understanding, made.#backends[0].raw]) {
      const rig = await Rig.start({ router: { identifiers: [{ kind: 'io.l5d.static', path: '/web' }] } });
      rig.addresses('web', [{ port: portOf(server) }]);
      rig.tree('web', { type: 'leaf', value: rig.bound('web') });
      rigs.push(rig);
    }
    made.#rigs = rigs;
    return made;
  }

  async close(): Promise<void> {
    for (const server of [this.#reference, this.#raw]) {
      server.close();
      server.closeAllConnections();
    }
    this.#proxy.close();
    for (const backend of this.#backends) backend.close();
    for (const rig of this.#rigs) await rig.close();
  }

  #makeReference(port: () => number): http.Server {
    const server = http.createServer({ insecureHTTPParser: false, keepAlive: true }, (request, response) => {
      request.on('error', () => {});
      response.on('error', () => {});
      this.#proxy.web(request, response, { target: `http://127.0.0.1:${port()}` });
    });
    // It answers callers that have ended their side, as the router does.
    (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      this.#why = error.code ?? error.message;
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
    return server;
  }

  /** How the requests in these bytes are understood behind either proxy. */
  async requests(bytes: string): Promise<Difference | undefined> {
    const ours = await this.#understood(this.#rigs[0]?.port ?? 0, this.#backends[0], bytes);
    const theirs = await this.#understood(portOf(this.#reference), this.#backends[1], bytes);
    if (ours.hangs) return { kind: 'hangs', why: 'router' };
    const more = ours.requests.length - theirs.requests.length;
    if (more > 0) return { kind: 'reference refuses', why: theirs.why };
    if (more < 0) return { kind: 'router refuses', why: ours.why };
    for (const [i, a] of ours.requests.entries()) {
      const b = theirs.requests[i] as Understood;
      if (a.method !== b.method) return { kind: 'method', why: `${a.method} / ${b.method}` };
      if (a.target !== b.target) return { kind: 'target', why: `${a.target} / ${b.target}` };
      if (a.host !== b.host) return { kind: 'host', why: `${a.host} / ${b.host}` };
      if (a.body !== b.body) return { kind: 'body', why: `${a.method} ${a.body} / ${b.body}` };
      if (a.custom !== b.custom) return { kind: 'fields', why: `${a.custom} / ${b.custom}` };
    }
    return undefined;
  }

  async #understood(port: number, backend: Backend, bytes: string): Promise<Outcome> {
    backend.requests = [];
    this.#why = 'nothing said';
    const { text, hangs } = await exchange(port, bytes);
    const refusal = /HTTP\/1\.1 4\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n([^\n]*)\n$/.exec(text)?.[1];
    const why = port === portOf(this.#reference) ? this.#why : (refusal ?? 'nothing said');
    return { requests: backend.requests, why, hangs };
  }

  /** How the answer in these bytes is understood before either proxy. */
  async response(bytes: string): Promise<Difference | undefined> {
    const ours = await this.#answer(this.#rigs[1]?.port ?? 0, this.#backends[0], bytes);
    const theirs = await this.#answer(portOf(this.#raw), this.#backends[1], bytes);
    if (ours.hangs) return { kind: 'hangs', why: 'router' };
    if (ours.ambiguous !== undefined) return { kind: 'ambiguous', why: ours.ambiguous };
    if (ours.refused !== theirs.refused) {
      return ours.refused
        ? { kind: 'router refuses', why: ours.why }
        : { kind: 'reference refuses', why: theirs.why };
    }
    if (ours.refused) return undefined;
    if (ours.status !== theirs.status) return { kind: 'status', why: `${ours.status} / ${theirs.status}` };
    if (ours.body !== theirs.body) return { kind: 'body', why: `${ours.body} / ${theirs.body}` };
    if (ours.custom !== theirs.custom) return { kind: 'fields', why: `${ours.custom} / ${theirs.custom}` };
    return undefined;
  }

  async #answer(port: number, backend: Backend, bytes: string) {
    backend.bytes = bytes;
    this.#why = 'nothing said';
    const ours = port === this.#rigs[1]?.port;
    const { text, hangs, clean } = await exchange(port, ASKING);
    const found = {
      hangs,
      refused: true,
      why: this.#why,
      status: 0,
      body: '',
      custom: '',
      ambiguous: undefined as string | undefined,
    };
    try {
      // The reference leaves blanks at the end of a line when it joins it with an empty one.
      let rest = ours ? text : text.replace(/[ \t]+\r\n/g, '\r\n');
      for (;;) {
        const read = readResponse(rest, false, clean);
        if (read === undefined) return { ...found, why: ours ? 'cut' : this.#why };
        const { message } = read;
        const status = Number(message.line.slice(9, 12));
        rest = rest.slice(read.length);
        if (status < 200) continue;
        const failed = status === 502 && (!ours || valuesOf(message, 'l5d-err').length > 0);
        const why = ours ? message.body.split('\n')[0] : this.#why;
        return {
          ...found,
          refused: failed,
          why: why ?? '',
          status,
          body: message.body,
          custom: customFields(message.fields),
        };
      }
    } catch (error) {
      if (!(error instanceof Ambiguous)) throw error;
      return { ...found, ambiguous: ours ? error.message : undefined, why: error.message };
    }
  }
}
