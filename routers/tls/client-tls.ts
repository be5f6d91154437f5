/**
 * The client side of TLS for one client of a router. A connection is handed out only after chain and name
 * have been verified (unless validation is disabled); there is no way to get one before. SNI is sent whenever
 * the name is known and is not an IP address. Failures before that moment are certain not to have reached the
 * application.
 */
import { isIP, type OnReadOpts } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import type { Clock } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/failure.ts';
import type { SecureContexts } from './secure-contexts.ts';
import type { ClientTlsMaterial } from './tls-material.ts';
import { refusal } from './verification.ts';

/** What may stand in a server_name extension; it holds at most 255 bytes. */
const HOST_NAME = /^[A-Za-z0-9_.-]{1,255}$/;

export type TlsTarget = {
  readonly host: string;
  readonly port: number;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  /** Reads into the caller's buffer instead of 'data' events. */
  readonly onread?: OnReadOpts;
};

export class ClientTls {
  /** The name that the peer must prove; undefined only when validation is disabled. */
  readonly serverName: string | undefined;
  readonly #context: SecureContext;
  readonly #validate: boolean;
  readonly #clock: Clock;

  constructor(
    material: ClientTlsMaterial,
    serverName: string | undefined,
    contexts: SecureContexts,
    clock: Clock,
  ) {
    this.serverName = serverName;
    this.#validate = !material.disableValidation;
    this.#context = contexts.client(material);
    this.#clock = clock;
  }

  /**
   * Connects. `done` is called once: without a failure when the peer is verified, else with one, and the
   * socket is destroyed. Until then the caller attaches nothing and writes nothing; it may destroy the socket
   * (a time-out), which also ends in `done`. Afterwards 'error', 'end' and 'close' are the caller's, who must
   * listen within `done`, and end the connection after the peer has.
   */
  connect(target: TlsTarget, done: (failure: Failure | undefined) => void): TLSSocket {
    const at = `${target.host}:${target.port}`;
    const socket = connect({
      host: target.host,
      port: target.port,
      secureContext: this.#context,
      servername: this.#sni(target.host),
      // Judged in `#verdict`, which can show the certificate: Node would destroy the socket first.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(target.onread === undefined ? {} : { onread: target.onread }),
    });
    socket.setNoDelay(target.noDelay ?? true);
    if (target.keepAlive !== undefined) socket.setKeepAlive(target.keepAlive);
    let reached = false;
    const settle = (failure: Failure | undefined): void => {
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
      if (failure !== undefined) {
        // A late error of a socket that is given up must not become an exception.
        socket.on('error', ignore);
        socket.destroy();
      }
      done(failure);
    };
    const onError = (error: Error): void => settle(handshakeFailure(at, reached, error));
    const onClose = (): void => settle(handshakeFailure(at, reached, undefined));
    socket.once('connect', () => {
      reached = true;
    });
    socket.once('error', onError);
    socket.once('close', onClose);
    socket.once('secureConnect', () => settle(this.#verdict(socket, at)));
    return socket;
  }

  #verdict(socket: TLSSocket, at: string): Failure | undefined {
    if (!this.#validate) return undefined;
    if (this.serverName === undefined) {
      return new Failure('tls', `TLS to ${at}: no name to verify; set commonName or disableValidation`, true);
    }
    const presented = {
      certificate: socket.getPeerX509Certificate(),
      chainError: socket.authorized ? undefined : String(socket.authorizationError),
    };
    const text = refusal(this.serverName, presented, this.#clock.wallMs());
    return text === undefined ? undefined : new Failure('tls', `TLS to ${at}: ${text}`, true);
  }

  /** '' sends none. Without a name the endpoint's own is used, if it looks like one of DNS. */
  #sni(host: string): string {
    const name = (this.serverName ?? (host.includes('.') ? host : '')).replace(/\.$/, '');
    return isIP(name) === 0 && HOST_NAME.test(name) ? name : '';
  }
}

function ignore(): void {}

function handshakeFailure(at: string, reached: boolean, error: Error | undefined): Failure {
  const why = error?.message.trim() ?? 'connection closed';
  if (!reached) return new Failure('connect', `cannot connect to ${at}: ${why}`, true, error);
  return new Failure('tls', `TLS to ${at}: handshake failed: ${hint(why)}`, true, error);
}

function hint(why: string): string {
  // OpenSSL prints `error:<code>:SSL routines:<function>:<reason>`; the reason is the part for people.
  const reason = /:SSL routines:[^:]*:([^:\n]+)/.exec(why)?.[1] ?? why;
  return /wrong version number|packet length too long/.test(reason)
    ? `${reason}; the peer may not speak TLS on this port`
    : reason;
}
