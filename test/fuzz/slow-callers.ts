/**
 * A process of bad callers: `node slow-callers.ts <port> <slowloris> <readers>`. The first kind sends a head byte
 * by byte, the second asks for much and reads nothing. Says `ready` when all are connected, and when
 * it is asked how many of the first kind have been cut.
 */
import net from 'node:net';

const [port = 0, lorises = 0, readers = 0] = process.argv.slice(2).map(Number);
const sockets: net.Socket[] = [];
let waiting = 0;
let cut = 0;

function connect(first: string, opened: (socket: net.Socket) => void): void {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  sockets.push(socket);
  socket.on('error', () => {});
  socket.on('connect', () => {
    socket.write(first);
    opened(socket);
    waiting--;
  });
}

function slowloris(): void {
  connect('GET / HTTP/1.1\r\nHost: web\r\nX: ', (socket) => {
    const drip = setInterval(() => socket.write('a'), 250);
    socket.on('data', () => {});
    socket.on('end', () => {
      clearInterval(drip);
      cut++;
      socket.end();
    });
    socket.on('close', () => clearInterval(drip));
  });
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A few at a time: it is their number that is to hurt, not their haste. */
async function connectAll(count: number, connectOne: () => void): Promise<void> {
  for (let n = 0; n < count; n++) {
    waiting++;
    connectOne();
    while (waiting > 20) await pause();
  }
  while (waiting > 0) await pause();
}

process.stdin.on('data', () => {
  process.stdout.write(`cut ${cut}\n`);
});
process.stdin.on('end', () => {
  for (const socket of sockets) socket.destroy();
  process.exit(0);
});

await connectAll(lorises, slowloris);
await connectAll(readers, () =>
  connect('GET /big HTTP/1.1\r\nHost: web\r\n\r\n', (socket) => socket.pause()),
);
process.stdout.write('ready\n');
