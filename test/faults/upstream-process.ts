/**
 * An endpoint of the fault table: `upstream-process.ts <name> <port>`, told what to do by its parent. Answers
 * `<id> <name>` and blanks up to 1 KiB to `/<id>`, and tells the parent of every POST before it answers.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BODY_BYTES, type FromUpstream, type Mode, type ToUpstream } from './messages.ts';

const [name = '', port = '0'] = process.argv.slice(2);
const BIG = Buffer.alloc(10 << 20, 'z');
let mode: Mode = 'ok';
const tell = (message: FromUpstream): void => void process.send?.(message);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = (request.url ?? '').slice(1);
  if (request.method === 'POST') tell({ post: id });
  request.resume();
  const body = `${id} ${name}`.padEnd(BODY_BYTES);
  const { socket } = request;
  switch (mode) {
    case 'hang':
      return;
    case 'slow':
      await delay(300);
      break;
    case 'work':
      await delay(50);
      break;
    case 'drain':
      await delay(2000);
      break;
    case 'reset-first':
      socket.resetAndDestroy();
      return;
    case 'reset-in-head':
      socket.write('HTTP/1.1 200 OK\r\nContent-Le', () => socket.resetAndDestroy());
      return;
    case 'reset-in-body':
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\n\r\n${body.slice(0, 500)}`);
      await delay(2);
      socket.resetAndDestroy();
      return;
    case 'reset-in-chunk':
      socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n${body.slice(0, 500)}`);
      await delay(2);
      socket.resetAndDestroy();
      return;
    case 'stream':
      response.writeHead(200, { 'content-length': BODY_BYTES });
      for (let at = 0; at < BODY_BYTES && !response.destroyed; at += 64) {
        response.write(body.slice(at, at + 64));
        await delay(25);
      }
      response.end();
      return;
    case 'big':
      if (id.startsWith('big')) {
        response.end(BIG);
        return;
      }
      break;
    case 'ok':
      break;
  }
  response.setHeader('content-length', BODY_BYTES);
  response.end(body);
}

const server = createServer((request, response) => void answer(request, response));
process.on('message', (message: ToUpstream) => {
  mode = message.mode;
  if (message.keepAliveMs !== undefined) server.keepAliveTimeout = message.keepAliveMs;
  if (message.requestsPerConnection !== undefined)
    server.maxRequestsPerSocket = message.requestsPerConnection;
});
process.on('disconnect', () => process.exit(0));
server.listen(Number(port), '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }));
