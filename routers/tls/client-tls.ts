/**
 * The client side of TLS for one client of a router. A connection is handed out only after chain and name
 * have been verified (unless validation is disabled); there is no way to get one before. A resumed session
 * counts as verified: it is kept only of a peer that was, for the same name, trust and identity. SNI is sent
 * whenever the name is known and is not an IP address. Failures before that moment are certain not to have
 * reached the application.
 */
import { isIP, type OnReadOpts } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Clock } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/failure.ts';
import type { Counter, Scope } from '../../src/base/stats.ts';
import { certificateAlert } from './certificate-alert.ts';
import type { ClientMaterial, ClientSide, Generation } from './client-material.ts';
import type { Refusals } from './refusals.ts';
import { SESSION_MS_MAX } from './session-cache.ts';
import { type Presented, serverRefusal } from './verification.ts';

/** What may stand in a server_name extension; it holds at most 255 bytes. */
const HOST_NAME = /^[A-Za-z0-9_.-]{1,255}$/;

export type TlsTarget = {
  readonly host: string;
  readonly port: number;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  /** Reads into the caller's buffer instead of 'data' events. */
  readonly onread?: OnReadOpts;
  /** Told when the certificates that the connection was made with are replaced. */
  readonly side?: ClientSide;
};

export type ClientTlsDeps = {
  /** Of the client: `rt/<label>/client/<id>`. */
  readonly stats: Scope;
  readonly refusals: Refusals;
  readonly clock: Clock;
};

export class ClientTls {
  /** The name that the peer must prove; undefined only when validation is disabled. */
  readonly serverName: string | undefined;
  readonly #material: ClientMaterial;
  readonly #refusals: Refusals;
  readonly #clock: Clock;
  readonly #resumed: Counter;

  constructor(material: ClientMaterial, serverName: string | undefined, deps: ClientTlsDeps) {
    this.serverName = serverName;
    this.#material = material;
    this.#refusals = deps.refusals;
    this.#clock = deps.clock;
    this.#resumed = deps.stats.counter('tls', 'resumed');
  }

  /**
   * Connects. `done` is called once: without a failure when the peer is verified, else with one, and the
   * socket is destroyed. Until then the caller attaches nothing and writes nothing; it may destroy the socket
   * (a time-out), which also ends in `done`. Afterwards 'error', 'end' and 'close' are the caller's, who must
   * listen within `done`, and end the connection after the peer has.
   */
  connect(target: TlsTarget, done: (failure: Failure | undefined) => void): TLSSocket {
    const at = `${target.host}:${target.port}`;
    const generation = this.#material.current;
    const peer = `${at} ${this.serverName ?? ''}`;
    const known = generation.sessions.find(peer, this.#clock.wallMs());
    const socket = connect({
      host: target.host,
      port: target.port,
      secureContext: generation.context,
      servername: this.#sni(target.host),
      // Judged in `#verdict`, which can show the certificate: Node would destroy the socket first.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(target.onread === undefined ? {} : { onread: target.onread }),
      ...(known === undefined ? {} : { session: known.session }),
    });
    socket.setNoDelay(target.noDelay ?? true);
    if (target.keepAlive !== undefined) socket.setKeepAlive(target.keepAlive);
    let reached = false;
    const settle = (failure: Failure | undefined): void => {
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
      if (failure !== undefined) {
        if (known !== undefined) generation.sessions.forget(peer);
        // A late error of a socket that is given up must not become an exception.
        socket.on('error', ignore);
        socket.destroy();
      } else if (target.side !== undefined) join(target.side, socket, generation);
      done(failure);
    };
    const onError = (error: Error): void => settle(this.#handshakeFailure(at, reached, error));
    const onClose = (): void => settle(this.#handshakeFailure(at, reached, undefined));
    socket.once('connect', () => {
      reached = true;
    });
    socket.once('error', onError);
    socket.once('close', onClose);
    // With TLS 1.2 the session comes before the verdict.
    let session: Buffer | undefined;
    let keep: ((session: Buffer) => void) | undefined;
    socket.on('session', (given) => {
      session = given;
      keep?.(given);
    });
    socket.once('secureConnect', () => {
      const resumed = socket.isSessionReused() ? known : undefined;
      // Asked for once: Node hands it out only the first time, and after a resumption not at all.
      const certificate = resumed === undefined ? socket.getPeerX509Certificate() : undefined;
      const chainError = socket.authorized ? undefined : String(socket.authorizationError);
      const presented = { certificate, chainError };
      const failure = resumed === undefined ? this.#verdict(presented, at, generation) : undefined;
      if (resumed !== undefined) this.#resumed.add(1);
      if (failure === undefined) {
        const untilMs = resumed?.untilMs ?? this.#verifiedUntilMs(presented, generation);
        keep = (latest) => generation.sessions.keep(peer, { session: latest, untilMs });
        if (session !== undefined) keep(session);
      }
      settle(failure);
    });
    return socket;
  }

  /**
   * The server has ended the connection before it answered anything: with TLS 1.3 it judges our certificate
   * after our side of the handshake is complete.
   */
  ended(at: string, how: string, error: Error | undefined): Failure {
    const hint = `${how}; it may have refused ${this.#shown()}: its own log would say`;
    return this.#refusedBy(at, error) ?? new Failure('upstream-closed', hint, false, error);
  }

  #refusedBy(at: string, error: Error | undefined): Failure | undefined {
    const alert = certificateAlert(error);
    if (alert === undefined) return undefined;
    const text = `the server refused ${this.#shown()}: ${alert}`;
    this.#refusals.refused(at, { reasons: ['by_peer'], text });
    return new Failure('tls', `TLS to ${at}: ${text}`, true, error);
  }

  #shown(): string {
    return this.#material.current.identified
      ? 'the certificate that it was shown'
      : 'a client without a certificate (clientAuth is not set)';
  }

  #verdict(presented: Presented, at: string, { validate }: Generation): Failure | undefined {
    if (!validate) return undefined;
    if (this.serverName === undefined) {
      return new Failure('tls', `TLS to ${at}: no name to verify; set commonName or disableValidation`, true);
    }
    const refusal = serverRefusal(this.serverName, presented, this.#clock.wallMs());
    if (refusal === undefined) return undefined;
    this.#refusals.refused(at, refusal);
    return new Failure('tls', `TLS to ${at}: ${refusal.text}`, true);
  }

  #verifiedUntilMs({ certificate }: Presented, { validate }: Generation): number {
    const longestMs = this.#clock.wallMs() + SESSION_MS_MAX;
    if (!validate) return longestMs;
    return Math.min(longestMs, certificate?.validToDate.getTime() ?? 0);
  }

  /** '' sends none. Without a name the endpoint's own is used, if it looks like one of DNS. */
  #sni(host: string): string {
    const name = (this.serverName ?? (host.includes('.') ? host : '')).replace(/\.$/, '');
    return isIP(name) === 0 && HOST_NAME.test(name) ? name : '';
  }

  #handshakeFailure(at: string, reached: boolean, error: Error | undefined): Failure {
    const refused = this.#refusedBy(at, error);
    if (refused !== undefined) return refused;
    const why = error?.message.trim() ?? 'connection closed';
    if (!reached) return new Failure('connect', `cannot connect to ${at}: ${why}`, true, error);
    // With TLS 1.2 a server may end the connection in place of the last message of the handshake.
    const ended = error === undefined || (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    const text = ended ? `${why}; it may have refused ${this.#shown()}` : hint(why);
    return new Failure('tls', `TLS to ${at}: handshake failed: ${text}`, true, error);
  }
}

function ignore(): void {}

function join(side: ClientSide, socket: TLSSocket, { connections }: Generation): void {
  const member = connections.add(side);
  socket.once('close', () => connections.delete(member));
}

function hint(why: string): string {
  // OpenSSL prints `error:<code>:SSL routines:<function>:<reason>`; the reason is the part for people.
  const reason = /:SSL routines:[^:]*:([^:\n]+)/.exec(why)?.[1] ?? why;
  return /wrong version number|packet length too long/.test(reason)
    ? `${reason}; the peer may not speak TLS on this port`
    : reason;
}
