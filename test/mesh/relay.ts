/** A TCP relay that records what passes: what somebody on the wire between two nodes would see. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type Recorded = { sent: Buffer; received: Buffer };

export class Relay {
  readonly connections: Recorded[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Listens on a port of its own at `ip` and passes everything on to `port` there. */
  static async start(ip: string, port: number): Promise<Relay> {
    const relay = new Relay(ip, port);
    relay.#server.listen(0, ip);
    await once(relay.#server, 'listening');
    return relay;
  }

  private constructor(ip: string, port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, ip);
      const recorded: Recorded = { sent: Buffer.alloc(0), received: Buffer.alloc(0) };
      this.connections.push(recorded);
      near.on('data', (bytes: Buffer) => {
        recorded.sent = Buffer.concat([recorded.sent, bytes]);
      });
      far.on('data', (bytes: Buffer) => {
        recorded.received = Buffer.concat([recorded.received, bytes]);
      });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get bytes(): number {
    return this.connections.reduce((sum, { sent, received }) => sum + sent.length + received.length, 0);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** True when all of it is TLS records, the last of which may be incomplete. */
export function isTls(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; ) {
    const type = bytes[at] ?? 0;
    if (type < 20 || type > 23 || (at + 1 < bytes.length && bytes[at + 1] !== 3)) return false;
    if (at + 5 > bytes.length) return true;
    at += 5 + bytes.readUInt16BE(at + 3);
  }
  return true;
}
