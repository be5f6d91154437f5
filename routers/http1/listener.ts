/**
 * A listening socket, and its end without the loss of a connection. The kernel completes handshakes by itself
 * and queues the connections; closing the socket resets whatever is in that queue, even when another process
 * listens on the port. So `retire` makes the queue as short as it can be (one place), goes on accepting, and
 * closes the socket while the one in the queue is its own, for then nobody else is there and nobody can come.
 * Others that come meanwhile are not answered by the kernel and try again a second later, when another
 * process listens on the port, or nobody does.
 *
 * With SO_REUSEPORT the kernel spreads connections over all sockets of the port, by their addresses. So it
 * takes some tries until an own connection comes back here; the next one from the same port comes here, too,
 * and whether it has found the place in the queue is known at once.
 */
import net from 'node:net';
import { Failure } from '../../src/base/failure.ts';

/** Turns of the loop to wait for one in which nobody came. */
const QUIET_TURNS_MAX = 100;
const PROBES_A_TURN = 2;
const PROBE_TURNS_MAX = 500;

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

/** Undocumented and long-standing; without them connections that come in the very last moment are reset. */
type Accepted = { getpeername(into: { port?: number }): number; close(): void };
type Handle = {
  listen(backlog: number): number;
  close(): void;
  onconnection(status: number, client?: Accepted): void;
};
type Connecting = {
  /** 0 once the kernel has connected it. */
  getpeername(into: object): number;
  /** Closes it now, and leaves nothing of it in the kernel. */
  reset(closed: () => void): number;
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

  /**
   * Accepts whoever has come, then closes. Resolves when it is closed. No other listener of this process may
   * leave the port meanwhile, because that changes where connections come out.
   */
  async retire(): Promise<void> {
    const address = this.#server.address();
    const { _handle: handle } = this.#server as unknown as { _handle: Partial<Handle> | null };
    if (address !== null && typeof address === 'object' && isHandle(handle)) {
      await this.#untilQuiet();
      if (!this.#closed) await this.#seal(handle, address);
    }
    this.close();
  }

  /** Connections that wait to be accepted are reset. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const probe of this.#probes.values()) reset(probe);
  }

  async #untilQuiet(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS_MAX && !this.#closed; turn++) {
      const before = this.#accepted;
      await nextTurn();
      await nextTurn();
      if (this.#accepted === before) return;
    }
  }

  /** Ends when the listener has been closed with an own connection in its queue, or without success. */
  async #seal(handle: Handle, { address, port }: net.AddressInfo): Promise<void> {
    const host = ownAddress(address);
    const arrived = handle.onconnection;
    const peer: { port?: number } = {};
    handle.onconnection = (status, client) => {
      const own = client?.getpeername(peer) === 0 ? peer.port : undefined;
      const probe = own === undefined ? undefined : this.#probes.get(own);
      if (client === undefined || probe === undefined) {
        arrived.call(handle, status, client);
        return;
      }
      client.close();
      reset(probe);
      this.#connect({ host, port, localPort: own }, (again) => {
        if (!isConnected(again)) reset(again);
        else {
          handle.close();
          this.close();
        }
      });
    };
    handle.listen(0);
    for (let turn = 0; turn < PROBE_TURNS_MAX && !this.#closed; turn++) {
      for (let i = 0; i < PROBES_A_TURN; i++) this.#connect({ host, port }, () => {});
      await nextTurn();
      await nextTurn();
    }
  }

  /** `sent`: the kernel knows of it, and nothing else of this loop has been done since. */
  #connect(to: net.TcpNetConnectOpts, sent: (probe: net.Socket) => void): void {
    const probe = net.connect(to);
    probe.on('error', () => {});
    // Nothing is read of a socket that does not flow, not even its end.
    probe.resume();
    process.nextTick(() => {
      const { localPort } = probe;
      if (localPort === undefined) return;
      this.#probes.set(localPort, probe);
      probe.once('close', () => {
        if (this.#probes.get(localPort) === probe) this.#probes.delete(localPort);
      });
      if (this.#closed) reset(probe);
      else sent(probe);
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

function connecting(probe: net.Socket): Connecting | null {
  return (probe as unknown as { _handle: Connecting | null })._handle;
}

function isConnected(probe: net.Socket): boolean {
  return connecting(probe)?.getpeername({}) === 0;
}

function reset(probe: net.Socket): void {
  connecting(probe)?.reset(() => {});
  probe.destroy();
}

/** Where a listener on this address can be reached from here. */
function ownAddress(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
