/** An endpoint on a raw socket: records what it receives, byte for byte, and answers by script. */
import net from 'node:net';
import { until } from './until.ts';

export type Received = {
  readonly connection: BackendConnection;
  /** The whole head. */
  readonly head: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  /** Text of the trailer section. */
  readonly trailers: string;
};

/** What is returned is written. */
export type Script = (request: Received) => string | Buffer | undefined;

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

export class BackendConnection {
  readonly socket: net.Socket;
  readonly number: number;
  /** Everything that was received and not been read as a request yet. */
  text = '';
  /** Bytes received in all. */
  received = 0;
  ended = false;
  closed = false;

  constructor(socket: net.Socket, number: number) {
    this.socket = socket;
    this.number = number;
  }

  write(data: string | Buffer): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }
}

export class ScriptedBackend {
  readonly requests: Received[] = [];
  readonly connections: BackendConnection[] = [];
  script: Script;
  /** Called with the bytes of a connection instead of reading requests, when set. */
  onBytes: ((connection: BackendConnection) => void) | undefined;
  /** Called when a connection is accepted. */
  onConnection: ((connection: BackendConnection) => void) | undefined;
  port = 0;
  readonly #server: net.Server;

  private constructor(script: Script) {
    this.script = script;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(script: Script = () => OK, port = 0, host = '127.0.0.1'): Promise<ScriptedBackend> {
    const backend = new ScriptedBackend(script);
    backend.#server.listen(port, host);
    await until(() => backend.#server.listening, 'a backend');
    backend.port = (backend.#server.address() as net.AddressInfo).port;
    return backend;
  }

  get open(): number {
    return this.connections.filter((each) => !each.closed).length;
  }

  async untilRequests(count: number): Promise<void> {
    await until(
      () => this.requests.length >= count,
      () => `${count} requests, there are ${this.requests.length}`,
    );
  }

  /** Stops listening and cuts all connections. */
  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    if (this.#server.listening) this.#server.close();
    await until(() => this.open === 0, 'the connections of a backend');
  }

  #accept(socket: net.Socket): void {
    const connection = new BackendConnection(socket, this.connections.length);
    this.connections.push(connection);
    socket.on('data', (chunk: Buffer) => {
      connection.received += chunk.length;
      connection.text += chunk.toString('latin1');
      if (this.onBytes !== undefined) this.onBytes(connection);
      else this.#read(connection);
    });
    socket.on('end', () => {
      connection.ended = true;
      if (this.onBytes === undefined) socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      connection.closed = true;
    });
    this.onConnection?.(connection);
  }

  #read(connection: BackendConnection): void {
    for (let request = take(connection); request !== undefined; request = take(connection)) {
      this.requests.push(request);
      const answer = this.script(request);
      if (answer !== undefined && !connection.socket.destroyed) connection.write(answer);
    }
  }
}

/** Takes one whole request from what a connection has received. */
function take(connection: BackendConnection): Received | undefined {
  const { text } = connection;
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = text.slice(0, headEnd + 4);
  const [line = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const [method = '', target = ''] = line.split(' ');
  const headers = lines.map((each): [string, string] => {
    const colon = each.indexOf(':');
    return [each.slice(0, colon), each.slice(colon + 1).trim()];
  });
  const named = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1];
  let body = '';
  let trailers = '';
  let end = headEnd + 4;
  if (named('transfer-encoding') !== undefined) {
    for (;;) {
      const lineEnd = text.indexOf('\r\n', end);
      if (lineEnd === -1) return undefined;
      const size = Number.parseInt(text.slice(end, lineEnd), 16);
      if (size === 0) {
        const last = text.startsWith('\r\n', lineEnd + 2) ? lineEnd : text.indexOf('\r\n\r\n', lineEnd);
        if (last === -1 || text.length < last + 4) return undefined;
        trailers = text.slice(lineEnd + 2, last + 2);
        end = last + 4;
        break;
      }
      if (text.length < lineEnd + 4 + size) return undefined;
      body += text.slice(lineEnd + 2, lineEnd + 2 + size);
      end = lineEnd + 4 + size;
    }
  } else {
    end += Number(named('content-length') ?? 0);
    if (text.length < end) return undefined;
    body = text.slice(headEnd + 4, end);
  }
  connection.text = text.slice(end);
  return { connection, head, method, target, headers, body, trailers };
}
