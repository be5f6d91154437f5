/**
 * Opens keep-alive connections to a port, has one request answered on each, says `ready`, and holds them
 * until it is ended: `node idle-connections-process.ts PORT COUNT`.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const OPENING_AT_ONCE = 100;

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
const held: Socket[] = [];

async function openOne(): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  held.push(socket);
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  const [answer] = await once(socket, 'data');
  if (!String(answer).startsWith('HTTP/1.1 200')) throw new Error(`the proxy answered ${answer}`);
  socket.on('close', () => {
    console.error('the proxy closed an idle connection');
    process.exit(1);
  });
}

async function openShare(): Promise<void> {
  while (held.length < count) await openOne();
}

await Promise.all(Array.from({ length: OPENING_AT_ONCE }, openShare));
console.log('ready');
