/**
 * The TLS of one listener: handshakes with the certificates of the moment, clients verified if the listener
 * asks for their certificates, sessions resumed by tickets that all threads of the process understand. Each
 * set of certificates has a `tls.Server` of its own that does not listen, so that they can be replaced as a
 * whole and every connection is known to belong to one of them.
 *
 * Tickets are bound to the certificates: a session does not outlive the bundle that its client was verified
 * with. Node ends no handshake because of a bad client certificate: the judgement here is the only one.
 */
import { createHmac } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Counter, Scope } from '../../src/base/stats.ts';
import { certificateAlert } from './certificate-alert.ts';
import { Cohort, type CohortDeps } from './cohort.ts';
import type { Refusals } from './refusals.ts';
import { serverTlsOptions } from './server-tls.ts';
import { SESSION_MS_MAX } from './session-cache.ts';
import type { ServerTlsMaterial } from './tls-material.ts';
import { clientRefusal } from './verification.ts';

export type TlsListenerDeps<T> = CohortDeps<T> & {
  readonly handshakeTimeoutMs: number;
  /** How long connections made with replaced certificates may live. */
  readonly drainMs: number;
  /** Of the listener: `rt/<label>/server/<ip>/<port>`. */
  readonly stats: Scope;
  readonly refusals: Refusals;
  readonly clock: { wallMs(): number };
  readonly ticketSecret: Uint8Array;
  /** A handshake is complete; the connection belongs to the cohort, which may be one that retires. */
  readonly accept: (socket: TLSSocket, cohort: Cohort<T>) => void;
};

export class TlsListener<T> {
  readonly #deps: TlsListenerDeps<T>;
  readonly #failures: Counter;
  readonly #resumed: Counter;
  #material: ServerTlsMaterial;
  #ticketSecret: Uint8Array;
  #server: Server;
  #cohort: Cohort<T>;
  #drainMs: number;

  constructor(material: ServerTlsMaterial, deps: TlsListenerDeps<T>) {
    this.#deps = deps;
    this.#failures = deps.stats.counter('tls', 'handshake_failures');
    this.#resumed = deps.stats.counter('tls', 'resumed');
    this.#ticketSecret = deps.ticketSecret;
    this.#material = material;
    this.#drainMs = deps.drainMs;
    this.#cohort = new Cohort(deps);
    this.#server = this.#make(material, this.#cohort);
  }

  /** Begins the handshake on a connection that has just been accepted. Who ends one direction ends it. */
  handshake(accepted: Socket): void {
    accepted.allowHalfOpen = false;
    this.#server.emit('connection', accepted);
  }

  /** For new handshakes; those in progress end with what they began with. */
  replace(material: ServerTlsMaterial, drainMs = this.#drainMs): void {
    const old = this.#cohort;
    this.#drainMs = drainMs;
    this.#material = material;
    this.#cohort = new Cohort(this.#deps);
    this.#server = this.#make(material, this.#cohort);
    old.retire(drainMs);
  }

  /** There is no TLS any more. */
  retire(): void {
    this.#cohort.retire(this.#drainMs);
  }

  /** Tickets given out under the old secret are worth nothing any more. */
  replaceTicketSecret(secret: Uint8Array): void {
    this.#ticketSecret = secret;
    this.#server.setTicketKeys(ticketKeys(secret, this.#material));
  }

  #make(material: ServerTlsMaterial, cohort: Cohort<T>): Server {
    const { handshakeTimeoutMs } = this.#deps;
    const options = {
      ...serverTlsOptions(material),
      rejectUnauthorized: false,
      handshakeTimeout: handshakeTimeoutMs,
      ticketKeys: ticketKeys(this.#ticketSecret, material),
      sessionTimeout: SESSION_MS_MAX / 1000,
    };
    const server = createServer(options, (socket) => this.#secured(socket, material, cohort));
    server.on('tlsClientError', (error, socket) => this.#failed(error, socket));
    return server;
  }

  #secured(socket: TLSSocket, material: ServerTlsMaterial, cohort: Cohort<T>): void {
    const { clock, refusals, accept } = this.#deps;
    if (material.requireClientAuth) {
      const chainError = socket.authorized ? undefined : String(socket.authorizationError);
      const certificate = socket.getPeerX509Certificate();
      const refusal = clientRefusal({ certificate, chainError }, clock.wallMs());
      if (refusal !== undefined) {
        this.#failures.add(1);
        refusals.refused(peerOf(socket), refusal);
        socket.on('error', ignore);
        socket.destroy();
        return;
      }
    }
    if (socket.isSessionReused()) this.#resumed.add(1);
    socket.allowHalfOpen = true;
    accept(socket, cohort);
  }

  #failed(error: Error, socket: TLSSocket): void {
    this.#failures.add(1);
    const alert = certificateAlert(error);
    if (alert === undefined) return;
    const text = `the client refused the certificate of this server: ${alert}`;
    this.#deps.refusals.refused(peerOf(socket), { reasons: ['by_peer'], text });
  }
}

function ignore(): void {}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}

/** 48 bytes, the same in every thread that has the same secret and the same certificates. */
function ticketKeys(secret: Uint8Array, material: ServerTlsMaterial): Buffer {
  return createHmac('sha384', secret).update(JSON.stringify(material)).digest();
}
