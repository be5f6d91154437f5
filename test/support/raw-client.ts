/** A caller that writes exactly the bytes it is told to, and reads answers one by one. */
import net from 'node:net';
import { until } from './until.ts';

export type Answered = {
  readonly line: string;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
};

export class RawClient {
  readonly socket: net.Socket;
  /** What has been received and not been taken by `answer`, one character a byte. */
  text = '';
  received = 0;
  ended = false;
  closed = false;
  error: Error | undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      this.text += chunk.toString('latin1');
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    const client = new RawClient(socket);
    await until(() => !socket.connecting || client.closed, 'a connection');
    if (client.error !== undefined) throw client.error;
    return client;
  }

  send(data: string | Buffer): this {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return this;
  }

  /** Half-closes. */
  end(): this {
    this.socket.end();
    return this;
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await until(() => this.closed, 'the close of a client');
  }

  async untilText(part: string): Promise<void> {
    await until(
      () => this.text.includes(part) || this.closed,
      () => `${JSON.stringify(part)} in ${JSON.stringify(this.text)}`,
    );
    if (!this.text.includes(part))
      throw new Error(`closed without ${JSON.stringify(part)}: ${JSON.stringify(this.text)}`);
  }

  /** The other side has ended the connection, gracefully or not. */
  async untilEnded(): Promise<void> {
    await until(
      () => this.ended || this.closed,
      () => `the end of the connection, after ${JSON.stringify(this.text.slice(-200))}`,
    );
  }

  /** The next answer, whole. `toHead`: it belongs to a HEAD request. */
  async answer(toHead = false): Promise<Answered> {
    let found: { answer: Answered; length: number } | undefined;
    const look = (): boolean => {
      found = parseAnswer(this.text, toHead, this.ended || this.closed);
      return found !== undefined || this.closed || this.ended;
    };
    await until(look, () => `an answer; so far ${JSON.stringify(this.text.slice(0, 300))}`);
    if (found === undefined)
      throw new Error(`closed without a whole answer: ${JSON.stringify(this.text.slice(0, 300))}`);
    this.text = this.text.slice(found.length);
    return found.answer;
  }
}

export function header(answer: { readonly headers: Answered['headers'] }, name: string): string | undefined {
  return answer.headers.find(([each]) => each.toLowerCase() === name)?.[1];
}

function fieldsOf(lines: readonly string[]): [string, string][] {
  return lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

function parseAnswer(
  text: string,
  toHead: boolean,
  atEnd: boolean,
): { answer: Answered; length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [line = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = fieldsOf(lines);
  const status = Number(line.split(' ')[1]);
  const start = headEnd + 4;
  const made = (body: string, length: number, trailers: [string, string][] = []) => ({
    answer: { line, status, headers, body, trailers },
    length,
  });
  const named = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1];
  if (toHead || status === 204 || status === 304 || status < 200) return made('', start);
  if (named('transfer-encoding') !== undefined) return parseChunked(text, start, made);
  const declared = named('content-length');
  if (declared === undefined) return atEnd ? made(text.slice(start), text.length) : undefined;
  const end = start + Number(declared);
  return text.length < end ? undefined : made(text.slice(start, end), end);
}

function parseChunked(
  text: string,
  from: number,
  made: (body: string, length: number, trailers: [string, string][]) => { answer: Answered; length: number },
): { answer: Answered; length: number } | undefined {
  const pieces: string[] = [];
  for (let at = from; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) {
      if (text.startsWith('\r\n', lineEnd + 2)) return made(pieces.join(''), lineEnd + 4, []);
      const end = text.indexOf('\r\n\r\n', lineEnd + 2);
      if (end === -1) return undefined;
      return made(pieces.join(''), end + 4, fieldsOf(text.slice(lineEnd + 2, end).split('\r\n')));
    }
    const dataEnd = lineEnd + 2 + size;
    if (text.length < dataEnd + 2) return undefined;
    pieces.push(text.slice(lineEnd + 2, dataEnd));
    at = dataEnd + 2;
  }
}
