/**
 * Sends GETs at a fixed rate, whether the answers come or not, and writes how long each took from the moment
 * it was due: a proxy that stands still for 10 ms makes all requests due in that time late, as it would for
 * real callers. Arrivals are a Poisson process. Timers of 1 ms would send in bursts, so the loop spins; run it
 * at idle priority when the backend shares its core. A second before the first counted request warms it up.
 * Arguments: PORT RATE SECONDS FILE.
 *
 * FILE gets two float64 a request: due (ms since the epoch) and latency in ms. Standard output gets one JSON:
 * errors, how late the loop itself was (ms, at p99.9), and the requests left out: those that were due or under
 * way while this process itself did not run. A stall of the proxy ends in a burst of answers, which keeps this
 * core busy for at most 2 ms; what is longer is the machine's.
 */
import { writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';

const CONNECTIONS = 128;
const REQUEST = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
const ANSWER_TIMEOUT_MS = 2000;
const OWN_STALL_MS = 4;
const BYTE_8 = 0x38;
const BYTE_LF = 0x0a;

type Line = { readonly socket: Socket; dueMs: number; started: boolean; spoiled: boolean };

const [portText, rateText, secondsText, file = ''] = process.argv.slice(2);
const port = Number(portText);
const warmup = Math.floor(Number(rateText));
const count = warmup + Math.floor(Number(rateText) * Number(secondsText));
const gapMs = 1000 / Number(rateText);
const samples = new Float64Array(count * 2);
const lateMs = new Float64Array(count);
const lines: Line[] = [];
const free: Line[] = [];
let answered = 0;
let kept = 0;
let errors = 0;
let leftOut = 0;

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafe(16 * 1024);
    const onread = { buffer, callback: (bytes: number) => receive(line, buffer, bytes) };
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true, onread });
    const line: Line = { socket, dueMs: 0, started: false, spoiled: false };
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('a connection was closed')));
    lines.push(line);
    socket.on('connect', () => {
      free.push(line);
      resolve();
    });
  });
}

/** The body of the backend is the only place where an 8 stands before a line feed. */
function receive(line: Line, buffer: Buffer, bytes: number): boolean {
  if (!line.started && buffer.toString('latin1', 0, 12) !== 'HTTP/1.1 200') errors += 1;
  line.started = true;
  if (buffer[bytes - 1] !== BYTE_LF || buffer[bytes - 2] !== BYTE_8) return true;
  answered += 1;
  if (line.spoiled) leftOut += 1;
  else if (answered > warmup) {
    samples[kept * 2] = performance.timeOrigin + line.dueMs;
    samples[kept * 2 + 1] = performance.now() - line.dueMs;
    kept += 1;
  }
  line.started = false;
  free.push(line);
  return true;
}

function run(): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let nextMs = performance.now() + 5;
    let turnMs = nextMs;
    let stallEndMs = 0;
    const turn = (): void => {
      const nowMs = performance.now();
      // Only the lines in use matter: the others are marked anew when they are.
      if (nowMs - turnMs > OWN_STALL_MS) {
        for (const line of lines) line.spoiled = true;
        stallEndMs = nowMs;
      }
      while (sent < count && nextMs <= nowMs) {
        const line = free.pop();
        if (line === undefined) break;
        line.dueMs = nextMs;
        line.spoiled = nextMs < stallEndMs;
        line.socket.write(REQUEST, 'latin1');
        // What was due before the last turn waited for a connection; only what came after it, for the loop.
        lateMs[sent] = nowMs - Math.max(nextMs, turnMs);
        nextMs -= gapMs * Math.log(1 - Math.random());
        sent += 1;
      }
      turnMs = nowMs;
      if (answered === count) resolve();
      else if (nowMs > nextMs + ANSWER_TIMEOUT_MS) reject(new Error(`${count - answered} answers missing`));
      else setImmediate(turn);
    };
    turn();
  });
}

await Promise.all(Array.from({ length: CONNECTIONS }, open));
await run();
writeFileSync(file, new Uint8Array(samples.buffer, 0, kept * 2 * Float64Array.BYTES_PER_ELEMENT));
const late = lateMs.subarray(warmup).sort();
const lateP999 = late[Math.floor(0.999 * (late.length - 1))] ?? 0;
console.log(JSON.stringify({ errors, lateP999, leftOut }));
process.exit(0);
