/**
 * GET requests to the API server over HTTP/1.1 with kept connections. A request that fails is a KubeFailure;
 * a body that breaks off is an error of its stream. TCP keep-alive tells after half a minute that the other
 * side is gone without a word.
 */
import type { ClientRequest, Agent as HttpAgent, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as secureRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import type { Clock } from '../src/base/clock.ts';
import type { Closable } from '../src/base/closable.ts';
import { http } from '../src/base/http.ts';
import type { Access, Credentials } from './access.ts';
import { KubeFailure } from './api.ts';

const TCP_KEEP_ALIVE_MS = 15_000;
const FREE_SOCKETS_MAX = 4;
const PORTS_NOT_IN_HOST: readonly string[] = ['80', '443'];

export type Answer = {
  readonly status: number;
  /** What the server wants to be left alone for. */
  readonly retryAfterMs: number | undefined;
  /** Decompressed. Destroying it before its end cuts the connection. */
  readonly body: Readable;
};

export type GetOptions = {
  readonly signal: AbortSignal;
  /** For the head of the answer. */
  readonly headLimitMs: number;
};

export type TransportOptions = { readonly clock: Clock; readonly userAgent: string };

/** What a request was sent with. */
type Sent = { readonly authorization: string | undefined; readonly tls: Credentials['tls'] };
type Prepared = { readonly url: URL; readonly options: RequestOptions; readonly sent: Sent };
type Tried = { readonly answer: Answer; readonly sent: Sent };

export class KubeTransport implements Closable {
  readonly #access: () => Promise<Access>;
  readonly #clock: Clock;
  readonly #userAgent: string;
  #agent: HttpAgent | HttpsAgent | undefined;
  #agentTls: Credentials['tls'];

  /** `access` is asked for each request; it may be rejected, and is asked again. */
  constructor(access: () => Promise<Access>, { clock, userAgent }: TransportOptions) {
    this.#access = access;
    this.#clock = clock;
    this.#userAgent = userAgent;
  }

  async get(path: string, options: GetOptions): Promise<Answer | KubeFailure> {
    const first = await this.#try(path, options);
    if (first instanceof KubeFailure || first.answer.status !== 401) {
      return first instanceof KubeFailure ? first : first.answer;
    }
    // The token may just have been replaced: once more, if there is another one now.
    const again = await this.#try(path, options, first.sent);
    if (again === undefined) return first.answer;
    first.answer.body.destroy();
    return again instanceof KubeFailure ? again : again.answer;
  }

  /** With `refused` credentials are read anew; undefined when they are still the same. */
  async #try(path: string, options: GetOptions): Promise<Tried | KubeFailure>;
  async #try(path: string, options: GetOptions, refused: Sent): Promise<Tried | KubeFailure | undefined>;
  async #try(path: string, options: GetOptions, refused?: Sent): Promise<Tried | KubeFailure | undefined> {
    let prepared: Prepared;
    try {
      prepared = await this.#prepare(path, refused !== undefined);
    } catch (error) {
      return new KubeFailure('unauthorized', `no access to the Kubernetes API: ${messageOf(error)}`);
    }
    const { sent } = prepared;
    if (refused !== undefined && refused.authorization === sent.authorization && refused.tls === sent.tls) {
      return undefined;
    }
    for (let again = false; ; again = true) {
      const { answer, reused } = await this.#send(prepared, options);
      // A kept connection may end just when it is used: that says nothing about the server.
      if (answer instanceof KubeFailure && reused && !again && !options.signal.aborted) continue;
      return answer instanceof KubeFailure ? answer : { answer, sent };
    }
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  async #prepare(path: string, fresh: boolean): Promise<Prepared> {
    const { server, credentials } = await this.#access();
    const { headers, tls, agent } = await credentials(fresh);
    // The path is put behind the server's as it is: a URL would tidy it up.
    const base = server.pathname.replace(/\/$/, '');
    const options: RequestOptions = {
      protocol: server.protocol,
      hostname: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port === '' ? (server.protocol === 'https:' ? 443 : 80) : Number(server.port),
      path: `${base}${path}`,
      agent: agent ?? this.#agentFor(server.protocol, tls),
      headers: {
        ...headers,
        host: PORTS_NOT_IN_HOST.includes(server.port) ? server.hostname : server.host,
        accept: 'application/json',
        'accept-encoding': 'gzip',
        'user-agent': this.#userAgent,
      },
    };
    return { url: server, options, sent: { authorization: headers['authorization'], tls } };
  }

  /** One agent as long as the material is the same: new material means new connections. */
  #agentFor(protocol: string, tls: Credentials['tls']): HttpAgent | HttpsAgent {
    if (this.#agent !== undefined && this.#agentTls === tls) return this.#agent;
    // Connections in use live on until their answer ends.
    this.#dropIdle();
    if (this.#agent !== undefined) this.#agent.maxFreeSockets = 0;
    const kept = { keepAlive: true, maxFreeSockets: FREE_SOCKETS_MAX, scheduling: 'lifo' as const };
    this.#agent = protocol === 'https:' ? new HttpsAgent({ ...kept, ...tls }) : new http.Agent(kept);
    this.#agentTls = tls;
    return this.#agent;
  }

  #dropIdle(): void {
    for (const socket of Object.values(this.#agent?.freeSockets ?? {}).flat()) socket?.destroy();
  }

  #send(
    { url, options }: Prepared,
    { signal, headLimitMs }: GetOptions,
  ): Promise<{ answer: Answer | KubeFailure; reused: boolean }> {
    return new Promise((resolve) => {
      const send = url.protocol === 'https:' ? secureRequest : http.request;
      let sent: ClientRequest;
      try {
        sent = send({ ...options, signal });
      } catch (error) {
        // A token that cannot stand in a header, or certificates that OpenSSL refuses.
        const problem = `no access to the Kubernetes API: ${messageOf(error)}`;
        resolve({ answer: new KubeFailure('unauthorized', problem), reused: false });
        return;
      }
      let reused = false;
      const settle = (answer: Answer | KubeFailure): void => {
        timer.close();
        resolve({ answer, reused });
      };
      const timer = this.#clock.after(headLimitMs, () => {
        // The other kept connections may be as dead, and a second attempt would last as long.
        this.#dropIdle();
        reused = false;
        sent.destroy(new Error(`no answer within ${headLimitMs} ms`));
      });
      sent.on('socket', (socket: Socket) => {
        reused = sent.reusedSocket;
        socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
      });
      sent.on('error', (error) => {
        settle(new KubeFailure('unreachable', `the Kubernetes API at ${url.origin}: ${messageOf(error)}`));
      });
      sent.on('response', (response) => {
        settle({
          status: response.statusCode ?? 0,
          retryAfterMs: retryAfterMs(response),
          body: decompressed(response),
        });
      });
      sent.end();
    });
  }
}

function decompressed(response: IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  // An event must come out as soon as its bytes are here, not when a block is full.
  const flush = constants.Z_SYNC_FLUSH;
  const gunzip = createGunzip({ flush, finishFlush: flush });
  response.on('error', (error) => gunzip.destroy(error));
  // It may break off while nobody reads it yet; a reader is told all the same.
  gunzip.on('error', () => {});
  gunzip.on('close', () => response.destroy());
  return response.pipe(gunzip);
}

function retryAfterMs({ headers }: IncomingMessage): number | undefined {
  const text = headers['retry-after'] ?? '';
  return /^\d{1,4}$/.test(text) ? Number(text) * 1000 : undefined;
}

/** An AggregateError (several addresses were tried) has its text in its parts. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${messageOf(cause)})` : error.message;
}
