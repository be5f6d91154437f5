/** An endpoint that records and strictly reads all it receives, and answers by script, else with an echo. */
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/until.ts';
import type { UpstreamStep } from './raw-case.ts';
import { Ambiguous, hasHead, type Message, readRequest } from './strict-reader.ts';

type Connection = {
  readonly socket: net.Socket;
  text: string;
  step: UpstreamStep | undefined;
  headSeen: boolean;
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The body of the echo of a request. */
export function echoBody({ line, body }: Message): string {
  return `${line} ${body.length}:${body}`;
}

export class Upstream {
  /** Requests that came in whole, in the order of their ends. */
  requests: Message[] = [];
  /** What could not be read in one way. */
  ambiguous: string[] = [];
  /** Beginnings of requests on connections that have ended. */
  partials: string[] = [];
  #steps: UpstreamStep[] = [];
  readonly #connections = new Set<Connection>();
  readonly #server: net.Server;
  readonly #answer: ((request: Message) => string) | undefined;

  private constructor(answer: ((request: Message) => string) | undefined) {
    this.#answer = answer;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(answer?: (request: Message) => string): Promise<Upstream> {
    const upstream = new Upstream(answer);
    upstream.#server.listen(0, '127.0.0.1');
    await until(() => upstream.#server.listening, 'an endpoint');
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get open(): number {
    return this.#connections.size;
  }

  begin(steps: readonly UpstreamStep[]): void {
    this.requests = [];
    this.ambiguous = [];
    this.partials = [];
    this.#steps = [...steps];
  }

  /** Cuts all connections that are open. */
  drop(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }

  /** Whole or begun requests that are still being received, as text. */
  get unfinished(): string[] {
    return [...this.#connections].map(({ text }) => text).filter((text) => text !== '');
  }

  async close(): Promise<void> {
    this.drop();
    this.#server.close();
    await until(() => this.open === 0, 'the connections of an endpoint');
  }

  #accept(socket: net.Socket): void {
    const connection: Connection = { socket, text: '', step: undefined, headSeen: false };
    this.#connections.add(connection);
    socket.on('data', (chunk: Buffer) => {
      connection.text += chunk.toString('latin1');
      this.#read(connection);
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#connections.delete(connection);
      if (connection.text !== '') this.partials.push(connection.text);
    });
    if (this.#steps[0]?.on === 'connect') this.#act(connection, this.#steps.shift() as UpstreamStep);
  }

  #read(connection: Connection): void {
    try {
      for (;;) {
        if (!connection.headSeen && hasHead(connection.text)) {
          connection.headSeen = true;
          connection.step = this.#steps.shift();
          if (connection.step?.on === 'head') this.#act(connection, connection.step);
        }
        const read = readRequest(connection.text);
        if (read === undefined) return;
        connection.text = connection.text.slice(read.length);
        connection.headSeen = false;
        this.requests.push(read.message);
        if (connection.step === undefined) connection.socket.write(this.#echo(read.message), 'latin1');
        else if (connection.step.on !== 'head') this.#act(connection, connection.step);
      }
    } catch (error) {
      if (!(error instanceof Ambiguous)) throw error;
      this.ambiguous.push(`${error.message} in ${JSON.stringify(connection.text)}`);
      connection.text = '';
      connection.socket.destroy();
    }
  }

  #echo(request: Message): string {
    if (this.#answer !== undefined) return this.#answer(request);
    const body = echoBody(request);
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
    return request.line.startsWith('HEAD ') ? head : head + body;
  }

  async #act({ socket }: Connection, { write = [], finish, afterMs }: UpstreamStep): Promise<void> {
    if (afterMs !== undefined) await delay(afterMs);
    for (const [i, text] of [write].flat().entries()) {
      if (i > 0) for (let n = 0; n < 6; n++) await turn();
      if (!socket.destroyed) socket.write(Buffer.from(text, 'latin1'));
    }
    if (finish === 'end') socket.end();
    if (finish !== 'reset') return;
    // What was written is to arrive before the reset does.
    for (let n = 0; n < 20; n++) await turn();
    socket.resetAndDestroy();
  }
}
