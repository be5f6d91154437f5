/**
 * `node test/bench/kube.ts`: what the Kubernetes client costs. One watch of a namespace with 5,000 services of
 * 20 endpoints each: memory over the idle process, how long the loop stands still meanwhile, and the time
 * from the bytes of one changed slice to its observers; then a list of 20,000 endpoints in large slices.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { KubeApis } from '../../k8s/apis.ts';
import { endpointSlices } from '../../k8s/resources.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Closable } from '../../src/base/closable.ts';
import { silentLog } from '../../src/base/log.ts';
import { mathRng } from '../../src/base/rng.ts';
import { noStats } from '../../src/base/stats.ts';
import { memoryInUse } from '../fuzz/collect-garbage.ts';
import { until } from '../support/until.ts';
import { median } from './support/report.ts';

const CHANGES = 500;
const PROGRAM = fileURLToPath(new URL('support/kube-api-process.ts', import.meta.url));

type Server = Closable & { readonly port: number; change(): void };

async function serve(services: number, endpoints: number, slices = 1): Promise<Server> {
  const words = [PROGRAM, services, endpoints, slices].map(String);
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(child.stdout), 'line');
  return {
    port: Number(line),
    change: () => void child.stdin.write('\n'),
    close: () => void child.kill(),
  };
}

function apis(): KubeApis {
  return new KubeApis({
    auth: { env: {}, kubeconfig: undefined },
    userAgent: 'turnout/bench',
    clock: systemClock,
    rng: mathRng,
    log: silentLog,
    stats: noStats,
    gauge: () => ({ close() {} }),
  });
}

/** The longest time between two turns of the loop until `stop`. */
function watchLoop(): () => number {
  let longestMs = 0;
  let lastMs = performance.now();
  let running = true;
  const turn = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    running = false;
    return Math.max(longestMs, performance.now() - lastMs);
  };
}

async function residentBytes(): Promise<number> {
  await memoryInUse();
  return process.memoryUsage.rss();
}

type Measured = {
  readonly listMs: number;
  readonly stallMs: number;
  readonly bytes: number;
  readonly resident: number;
};

async function measure(
  server: Server,
  then: (change: () => Promise<number>) => Promise<void>,
): Promise<Measured> {
  const heap = await memoryInUse();
  const resident = await residentBytes();
  const clients = apis();
  const api = clients.at({ host: '127.0.0.1', port: server.port });
  let seen = 0;
  let told = (): void => {};
  const startMs = performance.now();
  const stalled = watchLoop();
  const watch = api.watch({ resource: endpointSlices, namespace: 'default' }).observe((state) => {
    if (state.state !== 'ok') return;
    seen++;
    told();
  });
  await until(() => seen > 0 && api.watches()[0]?.state === 'watching', 'the list', 60_000);
  const listMs = performance.now() - startMs;
  const stallMs = stalled();
  const bytes = (await memoryInUse()) - heap;
  const grown = (await residentBytes()) - resident;
  await then(async () => {
    // CPU time of this process only: the way over the socket and the server's part are not counted.
    const heard = new Promise<void>((resolve) => {
      told = resolve;
    });
    const before = process.threadCpuUsage();
    server.change();
    await heard;
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  });
  watch.close();
  clients.close();
  return { listMs, stallMs, bytes, resident: grown };
}

function show(what: string, { listMs, stallMs, bytes, resident }: Measured): void {
  const mb = (count: number): string => (count / 1e6).toFixed(1);
  console.log(
    `${what}: listed in ${listMs.toFixed(0)} ms, longest turn of the loop ${stallMs.toFixed(1)} ms, ` +
      `${mb(bytes)} MB of heap, ${mb(resident)} MB resident over the idle process`,
  );
}

const wide = await serve(5000, 20);
const costs: number[] = [];
show(
  '5,000 services with 20 endpoints',
  await measure(wide, async (change) => {
    for (let i = 0; i < CHANGES; i++) costs.push(await change());
  }),
);
costs.sort((a, b) => a - b);
const p99 = costs[Math.floor(costs.length * 0.99)] ?? Number.NaN;
console.log(
  `a changed slice, from its bytes to its observers, of ${CHANGES}: ` +
    `median ${median(costs).toFixed(3)} ms of CPU, 99 % ${p99.toFixed(3)} ms`,
);
wide.close();

const large = await serve(20, 1000, 10);
show('20,000 endpoints in slices of 100', await measure(large, async () => {}));
large.close();
