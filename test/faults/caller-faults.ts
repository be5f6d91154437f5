/** Callers that are slow, greedy, gone or too many, and limits of the system. */
import { spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { holdIdle } from '../bench/support/idle-connections.ts';
import { FaultRig, timeUntil } from './rig.ts';
import {
  atLeast,
  atMost,
  getsFailed,
  type Outcome,
  outcome,
  postsFailed,
  type Scenario,
} from './scenario.ts';

const KB = 1024;

async function connectMany(port: number, count: number, onConnect: (socket: net.Socket) => void) {
  const sockets: net.Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.on('connect', () => onConnect(socket));
    sockets.push(socket);
    if (i % 20 === 19) await delay(5);
  }
  return sockets;
}

async function fewDescriptors(): Promise<Outcome> {
  const rig = await FaultRig.start({ descriptors: 256 });
  const load = rig.load({ getsPerSecond: 30, postsPerSecond: 0, connections: 1 });
  const others = Array.from({ length: 7 }, () =>
    rig.load({ getsPerSecond: 10, postsPerSecond: 0, connections: 1 }),
  );
  await delay(1000);
  const before = rig.cpuSeconds;
  let refused = 0;
  const sockets = await connectMany(rig.port, 400, (socket) => {
    socket.on('data', () => refused++);
  });
  await delay(2000);
  const cpu = (rig.cpuSeconds - before) / 2;
  const admin = await fetch(`http://127.0.0.1:${rig.admin}/admin/ping`).then(({ status }) => status);
  const files = rig.openFiles;
  for (const socket of sockets) socket.destroy();
  const again = rig.load({ getsPerSecond: 100, postsPerSecond: 0, connections: 32 });
  await delay(1000);
  await again.stop();
  await load.stop();
  await Promise.all(others.map((other) => other.stop()));
  const failed = others.reduce((sum, other) => sum + other.failures, 0);
  const result = outcome(rig, load, [
    getsFailed(load),
    atMost('failed on 7 more connections', failed, 0),
    atLeast('connections refused with an answer', refused, 250),
    atMost('descriptors', files, 240),
    atMost('cores used meanwhile', cpu, 0.5),
    atMost('admin not reached', admin === 200 ? 0 : 1, 0),
    atMost('failed afterwards', again.failures, 0),
  ]);
  await rig.close();
  return result;
}

async function idleThousands(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start();
  const before = rig.resident;
  const idle = await holdIdle(rig.port, 10_000);
  const each = (rig.resident - before) / 10_000;
  const load = rig.load();
  await delay(seconds * 500);
  await load.stop();
  await idle.end();
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost('KB for an idle connection', each / KB, 16),
  ]);
  await rig.close();
  return result;
}

async function slowReaders(seconds: number): Promise<Outcome> {
  const count = 1000;
  const rig = await FaultRig.start();
  for (const upstream of rig.upstreams) upstream.tell({ mode: 'big' });
  const load = rig.load();
  await delay(1000);
  const before = rig.resident;
  const sockets = await connectMany(rig.port, count, (socket) => {
    socket.write('GET /big HTTP/1.1\r\nHost: web\r\n\r\n');
    socket.pause();
  });
  const reading = setInterval(() => {
    for (const socket of sockets) socket.read(KB);
  }, 1000);
  await delay(seconds * 1000);
  const each = (rig.resident - before) / count;
  clearInterval(reading);
  for (const socket of sockets) socket.destroy();
  await load.stop();
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost('KB for a slow reader of 10 MB', each / KB, 256),
  ]);
  await rig.close();
  return result;
}

async function slowloris(): Promise<Outcome> {
  const rig = await FaultRig.start({ server: 'headTimeoutMs: 4000, socketOptions: {backlog: 2000}' });
  const load = rig.load({ getsPerSecond: 200, postsPerSecond: 0 });
  await delay(500);
  const script = fileURLToPath(new URL('../fuzz/slow-callers.ts', import.meta.url));
  const child = spawn(process.execPath, [script, `${rig.port}`, '1000', '0'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await timeUntil(() => said.includes('ready'), 20_000);
  await delay(5000);
  child.stdin.write('?');
  await timeUntil(() => /cut \d+\n/.test(said), 5000);
  const cut = Number(/cut (\d+)/.exec(said)?.[1] ?? 0);
  child.kill();
  await load.stop();
  const result = outcome(rig, load, [getsFailed(load), atLeast('slow heads cut in time', cut, 1000)]);
  await rig.close();
  return result;
}

async function vanish(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start();
  const load = rig.load({ abort: 0.05 });
  await delay(seconds * 500);
  await load.stop();
  await delay(200);
  const pending = (await rig.metrics())[`rt/web/server/127.0.0.1/${rig.port}/pending`] ?? 0;
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost('requests left pending', pending, 0),
  ]);
  await rig.close();
  return result;
}

/** Ten at once, 50 ms each: 200 a second. */
async function overload(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start({ server: 'maxConcurrentRequests: 10' });
  for (const upstream of rig.upstreams) upstream.tell({ mode: 'work' });
  // The most that it can do: never more than ten ask, each as soon as it has its answer.
  const peak = rig.load({ getsPerSecond: 300, postsPerSecond: 0, connections: 10 });
  await delay(2000);
  const peakPerSecond = peak.ok.GET / 2;
  await peak.stop();
  const before = rig.resident;
  const load = rig.load({ getsPerSecond: 600, postsPerSecond: 0, connections: 200 });
  await delay(1000);
  // Without the time in which the connections are opened.
  load.forgetLatencies();
  await delay((seconds - 1) * 1000);
  await load.stop();
  const growth = rig.resident - before;
  const other = [...load.reasons.keys()].filter((reason) => reason !== 'GET 503').length;
  const after = rig.load({ getsPerSecond: 50, postsPerSecond: 0 });
  await delay(1000);
  await after.stop();
  const result = outcome(rig, load, [
    atLeast('goodput, % of the peak', (load.ok.GET / seconds / peakPerSecond) * 100, 80),
    atMost('ms p99 until a refusal', load.percentile(0.99, load.failureLatencies), 50),
    atMost('failures other than 503', other, 0),
    atMost('MB more', growth / KB / KB, 200),
    atMost('failed afterwards', after.failures, 0),
  ]);
  await rig.close();
  return result;
}

/** Asks again as soon as there is an answer, whatever it says. */
function asksOn(socket: net.Socket): void {
  const ask = (): void => void socket.write('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  socket.on('data', (chunk: Buffer) => {
    if (chunk.includes('HTTP/1.1 ')) ask();
  });
  ask();
}

/** One source with 500 connections beside nine with one each, where 20 requests are worked on at once. */
async function greedy(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start({ server: 'maxConcurrentRequests: 20' });
  for (const upstream of rig.upstreams) upstream.tell({ mode: 'work' });
  const modest = () =>
    Array.from({ length: 9 }, (_, i) =>
      rig.load({ getsPerSecond: 15, postsPerSecond: 0, connections: 1, localAddress: `127.0.0.${i + 2}` }),
    );
  const good = async (loads: ReturnType<typeof modest>): Promise<number> => {
    await delay(seconds * 500);
    const stopped = await Promise.all(loads.map((load) => load.stop()));
    return stopped.reduce((sum, load) => sum + load.ok.GET, 0);
  };
  const alone = await good(modest());
  const sockets = await connectMany(rig.port, 500, asksOn);
  const load = rig.load({ getsPerSecond: 50, postsPerSecond: 0, connections: 10 });
  await delay(1000);
  const together = await good(modest());
  await load.stop();
  for (const socket of sockets) socket.destroy();
  const result = outcome(rig, load, [
    atLeast('throughput of nine modest sources, % of alone', (together / alone) * 100, 80),
    atLeast('answers to the greedy one', load.ok.GET, 1),
  ]);
  await rig.close();
  return result;
}

async function manyHosts(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start();
  const load = rig.load();
  await delay(1000);
  const before = rig.resident;
  const socket = net.connect({ host: '127.0.0.1', port: rig.port });
  socket.resume();
  socket.on('error', () => {});
  for (let i = 0; i < 5000; i++) {
    socket.write(`GET / HTTP/1.1\r\nHost: nobody-${i}\r\n\r\n`);
    if (i % 20 === 0) await delay(seconds);
  }
  const growth = rig.resident - before;
  socket.destroy();
  await load.stop();
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost('MB more', growth / KB / KB, 50),
  ]);
  await rig.close();
  return result;
}

/** What an hour brings, in two minutes. */
async function soak(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start({ upstreams: 4 });
  const load = rig.load({ abort: 0.05, getsPerSecond: 400, postsPerSecond: 40 });
  const every: number[] = [];
  let files = 0;
  for (let i = 0; i < 24; i++) {
    await delay(seconds * 1000);
    rig.endpoints(
      'web',
      rig.upstreams.map(({ port }) => port).filter((_, n) => n !== i % 4),
    );
    every.push(rig.resident);
    if (i === 8) files = rig.openFiles;
  }
  const filesGrown = rig.openFiles - files;
  await load.stop();
  const mean = (from: number, to: number) => every.slice(from, to).reduce((a, b) => a + b, 0) / (to - from);
  const growth = (mean(16, 24) / mean(8, 16)) * 100;
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost('memory of the last third, % of the second', growth, 115),
    atMost('descriptors more', filesGrown, 40),
  ]);
  await rig.close();
  return result;
}

export const callerFaults: readonly Scenario[] = [
  {
    id: 'F7',
    fault: '256 descriptors, 400 more connections',
    promise: 'who is there is served, who comes is refused, the admin server answers',
    cheap: true,
    run: fewDescriptors,
  },
  { id: 'idle', fault: '10,000 idle connections', promise: 'they harm nobody', run: idleThousands },
  {
    id: 'F10',
    fault: '1,000 slow heads',
    promise: 'they end within headTimeoutMs, and harm nobody',
    run: slowloris,
  },
  {
    id: 'readers',
    fault: '1,000 callers read 1 KB/s of 10 MB',
    promise: 'memory for each is bounded, and they harm nobody',
    run: slowReaders,
  },
  {
    id: 'vanish',
    fault: '5 % of callers vanish',
    promise: 'what they leave is given up',
    cheap: true,
    run: vanish,
  },
  {
    id: 'F9',
    fault: 'three times the load that is possible',
    promise: 'what is too much is refused at once, the rest is served',
    run: overload,
  },
  {
    id: 'greedy',
    fault: 'a source with 500 connections that asks on and on, beside nine modest ones',
    promise: 'nobody takes more than a share by source address',
    run: greedy,
  },
  { id: 'F8b', fault: '5,000 distinct Hosts', promise: 'caches are bounded', run: manyHosts },
  {
    id: 'F8',
    fault: 'mixed traffic, churn and aborts',
    promise: 'nothing grows',
    limitMs: 200_000,
    run: soak,
  },
];
