/**
 * A listening socket, and its end without the loss of a connection. The kernel completes handshakes by itself
 * and queues the connections; closing the socket resets whatever is in that queue. So `retire` first accepts
 * until the queue stays empty, then makes the queue as short as it can be (one place) and connects to itself:
 * when its own connection is accepted, nothing was before it in the queue and nothing had room behind it, and
 * the socket is closed in that very moment. Others that come meanwhile are not answered by the kernel and
 * try again a second later, when another process listens on the port, or nobody does.
 *
 * With SO_REUSEPORT the kernel spreads connections over all sockets of the port, so that it takes some tries
 * until an own connection comes back here; the others end at once wherever they came out.
 */
import net from 'node:net';
import { Failure } from '../../src/base/failure.ts';

/** Turns of the loop to wait for one in which nobody came. */
const QUIET_TURNS_MAX = 100;
const PROBES_A_TURN = 2;
const PROBE_TURNS_MAX = 50;

export type ListenerOptions = {
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  /** Accepted sockets are not read from until somebody asks for it. */
  readonly pauseOnConnect: boolean;
};

export type ListenAddress = {
  readonly ip: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly reusePort: boolean;
  readonly backlog: number | undefined;
};

/**
 * Undocumented and long-standing; without it connections that come in the very last moment are reset. What is
 * done between the acceptance of the own connection and the end must take microseconds.
 */
type Accepted = { getpeername(into: { port?: number }): number; close(): void };
type Handle = {
  listen(backlog: number): number;
  close(): void;
  onconnection(status: number, client?: Accepted): void;
};

export class Listener {
  readonly #server: net.Server;
  readonly #accept: (socket: net.Socket) => void;
  readonly #refused: () => void;
  /** Own connections by their port, while the listener retires. */
  readonly #probes = new Map<number, net.Socket>();
  #accepted = 0;
  #closed = false;

  /** `refused`: the system could not accept a connection. */
  constructor(options: ListenerOptions, accept: (socket: net.Socket) => void, refused: () => void) {
    this.#accept = accept;
    this.#refused = refused;
    this.#server = net.createServer({ ...options, allowHalfOpen: true }, (socket) => this.#arrived(socket));
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** Resolves to the bound port, or to why there is none. */
  listen({ ip, port, reusePort, backlog }: ListenAddress): Promise<number | Failure> {
    return new Promise((resolve) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        const taken = error.code === 'EADDRINUSE' ? 'another process listens there' : error.message;
        resolve(new Failure('connect', `cannot listen on ${ip}:${port}: ${taken}`, true, error));
      };
      this.#server.once('error', onError);
      const options: net.ListenOptions = { host: ip, port, reusePort };
      if (backlog !== undefined) options.backlog = backlog;
      this.#server.listen(options, () => {
        this.#server.off('error', onError);
        this.#server.on('error', this.#refused);
        resolve((this.#server.address() as net.AddressInfo).port);
      });
    });
  }

  /** Accepts whoever has come, then closes. Resolves when it is closed. */
  async retire(): Promise<void> {
    const address = this.#server.address();
    if (address !== null && typeof address === 'object') {
      await this.#untilQuiet();
      await this.#seal(address);
    }
    this.close();
  }

  /** Connections that wait to be accepted are reset. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const probe of this.#probes.values()) probe.resetAndDestroy();
  }

  async #untilQuiet(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS_MAX && !this.#closed; turn++) {
      const before = this.#accepted;
      await nextTurn();
      await nextTurn();
      if (this.#accepted === before) return;
    }
  }

  /** Ends with the acceptance of an own connection, which closes the listener, or without success. */
  async #seal({ address, port }: net.AddressInfo): Promise<void> {
    const { _handle: handle } = this.#server as unknown as { _handle: Partial<Handle> | null };
    if (this.#closed || !isHandle(handle)) return;
    const arrived = handle.onconnection;
    const peer: { port?: number } = {};
    handle.onconnection = (status, client) => {
      if (client !== undefined && client.getpeername(peer) === 0 && this.#probes.has(peer.port ?? 0)) {
        handle.close();
        client.close();
        this.close();
      } else arrived.call(handle, status, client);
    };
    handle.listen(0);
    for (let turn = 0; turn < PROBE_TURNS_MAX && !this.#closed; turn++) {
      for (let i = 0; i < PROBES_A_TURN; i++) this.#probe(ownAddress(address), port);
      await nextTurn();
      await nextTurn();
    }
  }

  #probe(host: string, port: number): void {
    const probe = net.connect({ host, port });
    probe.on('error', () => {});
    // Nothing is read of a socket that does not flow, not even its end.
    probe.resume();
    process.nextTick(() => {
      const { localPort } = probe;
      if (localPort === undefined) return;
      if (this.#closed) {
        probe.resetAndDestroy();
        return;
      }
      this.#probes.set(localPort, probe);
      probe.once('close', () => this.#probes.delete(localPort));
    });
  }

  #arrived(socket: net.Socket): void {
    this.#accepted++;
    this.#accept(socket);
  }
}

function isHandle(handle: Partial<Handle> | null): handle is Handle {
  return [handle?.listen, handle?.close, handle?.onconnection].every((each) => typeof each === 'function');
}

/** Where a listener on this address can be reached from here. */
function ownAddress(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
