/**
 * Callers in a process of their own, each with one request after the other, as fast as they are answered. Half
 * of them keep their connection until they are told to close it, half open one for each request. Asked with
 * `{requests}`, it answers with a Tally once they have had so many answers, each half a quarter of them. Arguments:
 * the port, how many callers.
 */
import { connect, type Socket } from 'node:net';

export type Tally = {
  readonly kept: number;
  readonly fresh: number;
  /** Requests whose first packet was not answered at first. */
  readonly triedAgain: number;
  readonly failures: readonly string[];
};

/** The kernel's pause before it sends the first packet of a connection again. */
const AGAIN_MS = 1000;

const [port, callers] = process.argv.slice(2).map(Number);
const answered = { kept: 0, fresh: 0 };
const failures: string[] = [];
let triedAgain = 0;
let requests = Number.POSITIVE_INFINITY;

type Answer = { readonly failure?: string; readonly last: boolean };

/** Sends one request, and takes its answer: whole, or why not. */
function ask(socket: Socket, close: boolean): Promise<Answer> {
  socket.write(`GET /one HTTP/1.1\r\nHost: web\r\n${close ? 'Connection: close\r\n' : ''}\r\n`);
  return new Promise((resolve) => {
    let text = '';
    const over = (failure: string | undefined, last: boolean): void => {
      socket.off('data', onData).off('close', onClose).off('error', onError);
      resolve(failure === undefined ? { last } : { failure, last });
    };
    const onData = (chunk: string): void => {
      text += chunk;
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = text.slice(0, end);
      if (text.length < end + 4 + Number(/content-length: *(\d+)/i.exec(head)?.[1])) return;
      const status = head.slice(9, 12);
      over(status === '200' ? undefined : status, /connection: *close/i.test(head));
    };
    const onClose = (): void => over('closed before the end of the answer', true);
    const onError = (error: NodeJS.ErrnoException): void => over(error.code ?? error.message, true);
    socket.on('data', onData).on('close', onClose).on('error', onError);
  });
}

const done = (): boolean =>
  answered.kept + answered.fresh >= requests && Math.min(answered.kept, answered.fresh) >= requests / 4;

async function call(kind: 'kept' | 'fresh'): Promise<void> {
  while (!done()) {
    const fromMs = performance.now();
    const socket = connect({ host: '127.0.0.1', port: port ?? 0, noDelay: true }).setEncoding('latin1');
    socket.on('connect', () => {
      if (performance.now() - fromMs >= AGAIN_MS) triedAgain++;
    });
    for (let last = false; !last && !socket.destroyed && !done(); ) {
      const answer = await ask(socket, kind === 'fresh');
      if (answer.failure === undefined) answered[kind]++;
      else failures.push(`${kind}: ${answer.failure}`);
      last = answer.last;
    }
    // What comes of a connection that has given its last answer is no caller's business.
    socket.on('error', () => {});
    socket.destroy();
  }
}

const ended = Promise.all(
  Array.from({ length: callers ?? 0 }, (_, i) => call(i % 2 === 0 ? 'kept' : 'fresh')),
);
process.on('message', async (message: { readonly requests: number }) => {
  ({ requests } = message);
  await ended;
  process.send?.({ ...answered, triedAgain, failures } satisfies Tally);
  process.disconnect();
});
