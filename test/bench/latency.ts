/**
 * `node test/bench/latency.ts`: how long an answer takes at a fixed rate, about half of what one core of this
 * proxy can do, beside HAProxy and the backend without a proxy. Rounds are interleaved; the ratios of medians
 * count. A last round of the proxy logs its garbage collections and says which slow requests met one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type OpenLoop, openLoop, percentile } from './support/open-loop.ts';
import { type RunningProxy, startProxy } from './support/proxies.ts';
import { median } from './support/report.ts';
import { drive, makeRig, type Rig } from './support/rig.ts';
import type { Scenario } from './support/scenarios.ts';

const help = `node test/bench/latency.ts [--short] [--rate N]
  needs dist (npm run -s build), wrk, nginx, haproxy, taskset and chrt
  --rate     requests a second (half of what the proxy answers in a closed loop, at most 20,000)
  --short    one round of two seconds: checks that it runs, its figures mean little
`;

const RATE_MAX = 20_000;
const parts = [0.5, 0.99, 0.999] as const;

type Target = { readonly name: string; readonly port: number; readonly rounds: OpenLoop[] };
type Pause = {
  readonly thread: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: string;
};

const get: Scenario = {
  ...{ name: 'get', about: 'small GET, keep-alive', shape: 'plain' },
  ...{ path: '/', headers: [], postBytes: 0 },
};
let interrupted = false;

const at = (target: Target, part: number): number =>
  median(target.rounds.map((round) => percentile(round.latencies, part)));

function table(targets: readonly Target[]): string[] {
  const reference = targets.find((target) => target.name === 'haproxy');
  const rows = targets.map((target) => {
    const cells = parts.flatMap((part) => {
      const ms = at(target, part);
      const ratio = reference === undefined ? Number.NaN : ms / at(reference, part);
      return [(ms * 1000).toFixed(0), ratio.toFixed(2)];
    });
    const late = median(target.rounds.map((round) => round.lateP999)) * 1000;
    const errors = target.rounds.reduce((sum, round) => sum + round.errors, 0);
    const left = target.rounds.reduce((sum, round) => sum + round.leftOut, 0);
    const all = target.rounds.reduce((sum, round) => sum + round.latencies.length, left);
    const share = `${((100 * left) / all).toFixed(2)} %`;
    return `| ${[target.name, ...cells, late.toFixed(0), share, errors].join(' | ')} |`;
  });
  return [
    '| through | p50 µs | / haproxy | p99 µs | / haproxy | p99.9 µs | / haproxy | generator late p99.9 µs | left out | errors |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rows,
  ];
}

/** The environment is inherited by the proxy's threads; an address in it keeps other programs as they are. */
async function startWithGcLog(rig: Rig, file: string): Promise<RunningProxy> {
  const preload = fileURLToPath(new URL('support/gc-log.ts', import.meta.url));
  process.env['NODE_OPTIONS'] = `--import=${preload}`;
  process.env['TURNOUT_BENCH_GC_LOG'] = file;
  try {
    return await startProxy('turnout', rig, get);
  } finally {
    delete process.env['NODE_OPTIONS'];
    delete process.env['TURNOUT_BENCH_GC_LOG'];
  }
}

function readPauses(file: string): Pause[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'latin1').trim().split('\n');
  return lines.map((line) => {
    const [thread, fromMs = '0', ms = '0', kind = ''] = line.split(' ');
    return { thread: Number(thread), fromMs: Number(fromMs), toMs: Number(fromMs) + Number(ms), kind };
  });
}

/** How many of the slowest thousandth were waiting while a data thread collected garbage. */
function explainOutliers(round: OpenLoop, pauses: readonly Pause[]): string[] {
  const limit = percentile(round.latencies, 0.999);
  const fromMs = Math.min(...round.dueMs.slice(0, 100));
  const during = pauses.filter((pause) => pause.thread !== 0 && pause.toMs >= fromMs);
  const lengths = Float64Array.from(during, (pause) => pause.toMs - pause.fromMs);
  const meets = (i: number): boolean => {
    const due = round.dueMs[i] ?? 0;
    const end = due + (round.latencies[i] ?? 0);
    return during.some((pause) => pause.fromMs < end && pause.toMs > due);
  };
  const share = (chosen: readonly number[]): string =>
    `${((100 * chosen.filter(meets).length) / chosen.length).toFixed(0)} %`;
  const all = Array.from(round.latencies.keys());
  const slow = all.filter((i) => (round.latencies[i] ?? 0) >= limit);
  const kinds = [...new Set(during.map((pause) => pause.kind))].map(
    (kind) => `${during.filter((pause) => pause.kind === kind).length} ${kind}`,
  );
  return [
    `garbage collections of the data thread in that time: ${kinds.join(', ') || 'none'}`,
    `their pauses: median ${percentile(lengths, 0.5).toFixed(2)} ms, longest ${percentile(lengths, 1).toFixed(2)} ms`,
    `slowest thousandth (from ${limit.toFixed(2)} ms): ${share(slow)} met one; of all requests ${share(all)} did`,
  ];
}

async function measure(rig: Rig, rate: number | undefined, short: boolean): Promise<string[]> {
  const [rounds, seconds] = short ? [1, 2] : [9, 3];
  const proxies: RunningProxy[] = [];
  try {
    const turnout = await startProxy('turnout', rig, get);
    proxies.push(turnout);
    const haproxy = await startProxy('haproxy', rig, get);
    proxies.push(haproxy);
    const warm = await drive(rig, get, haproxy.port, 1).then(() => drive(rig, get, turnout.port, 3));
    const perSecond = rate ?? Math.min(RATE_MAX, Math.round(warm.requests / warm.seconds / 2 / 100) * 100);
    const targets: Target[] = [
      { name: 'no proxy', port: rig.backendPort, rounds: [] },
      { name: 'haproxy', port: haproxy.port, rounds: [] },
      { name: 'turnout', port: turnout.port, rounds: [] },
    ];
    for (let i = 0; i < rounds; i++) {
      for (const target of targets) {
        if (interrupted) throw new Error('interrupted');
        target.rounds.push(await openLoop(rig.folder, target.port, perSecond, seconds));
      }
    }
    const lines = [`${perSecond} requests/s, ${rounds} rounds of ${seconds} s`, '', ...table(targets), ''];
    const log = join(rig.folder, 'gc.log');
    const watched = await startWithGcLog(rig, log);
    proxies.push(watched);
    await drive(rig, get, watched.port, short ? 1 : 3);
    const round = await openLoop(rig.folder, watched.port, perSecond, seconds);
    await new Promise((resolve) => setTimeout(resolve, 200));
    return [...lines, ...explainOutliers(round, readPauses(log))];
  } finally {
    for (const proxy of proxies) await proxy.end();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { short: { type: 'boolean' }, help: { type: 'boolean' }, rate: { type: 'string' } },
  });
  const rate = values.rate === undefined ? undefined : Number(values.rate);
  if (values.help || (rate !== undefined && !(rate >= 100 && rate <= 100_000))) {
    console.error(help);
    return 2;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
    });
  }
  const rig = await makeRig();
  try {
    console.log((await measure(rig, rate, values.short === true)).join('\n'));
  } finally {
    await rig.close();
  }
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(`latency: ${error instanceof Error ? error.message : error}`);
  return interrupted ? 130 : 1;
});
