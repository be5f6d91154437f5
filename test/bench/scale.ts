/**
 * `node test/bench/scale.ts`: is the cost of a request flat? CPU time of the proxy's process tree per request
 * while the number of dentries, names, endpoints, idle connections or threads grows. The rows of a group run
 * at the same time and are measured in turn; the ratio of medians counts, not the figure.
 */
import { parseArgs } from 'node:util';
import { cpuMicros, residentBytes } from './support/cpu-time.ts';
import { holdIdle, type IdleConnections } from './support/idle-connections.ts';
import { freePorts, type Running, startProgram } from './support/processes.ts';
import { median, type Round } from './support/report.ts';
import { type ScaleBackend, startScaleBackend } from './support/scale-backend.ts';
import { type Group, groups, type Variant } from './support/scale-groups.ts';
import { driveHosts, type Target } from './support/wrk-hosts.ts';

const help = `node test/bench/scale.ts [--short] [--groups A,B]
  needs dist (npm run -s build), wrk, nginx, haproxy and taskset, and 20,000 open files
  --groups   of ${groups.map((group) => group.name).join(', ')}
  --short    one round of a second: checks that it runs, its figures mean little
`;

type Settings = { readonly rounds: number; readonly seconds: number; readonly warmupSeconds: number };

type Row = {
  readonly variant: Variant;
  readonly port: number;
  readonly running: Running;
  readonly idle: IdleConnections | undefined;
  readonly note: string;
  readonly rounds: Round[];
};

/** Times the warm-up length: a name that is never answered does not hold the bench. */
const WARMUPS_MAX = 8;

let interrupted = false;

async function startRow(backend: ScaleBackend, variant: Variant, settings: Settings): Promise<Row> {
  const [port = 0, admin = 0] = await freePorts(2);
  const [command, words] = variant.command(backend, port, admin);
  const url = `http://127.0.0.1:${port}/`;
  const running = await startProgram('proxy', command, words, url);
  const row = { variant, port, running, rounds: [] };
  try {
    const target = { port, hosts: variant.hosts, cores: variant.loadCores };
    const warm = settings.warmupSeconds > 0 ? await warmUp(backend, running.pid, target, settings) : '';
    if (variant.idleConnections === 0) return { ...row, idle: undefined, note: warm };
    const before = residentBytes(running.pid);
    const idle = await holdIdle(port, variant.idleConnections);
    const grown = residentBytes(running.pid) - before;
    const each = grown / variant.idleConnections / 1024;
    return { ...row, idle, note: `${each.toFixed(1)} KiB for an idle connection` };
  } catch (error) {
    await running.end();
    throw error;
  }
}

/** Until every name has been asked for, so that no round counts bindings; says what those cost. */
async function warmUp(
  backend: ScaleBackend,
  pid: number,
  target: Target,
  settings: Settings,
): Promise<string> {
  const { warmupSeconds } = settings;
  const before = cpuMicros(pid);
  let requests = 0;
  for (let i = 0; i < WARMUPS_MAX; i++) {
    const load = await driveHosts(backend.folder, target, warmupSeconds);
    requests += load.requests;
    if (load.requests > target.hosts.length) break;
  }
  if (target.hosts.length === 1) return '';
  const micros = (cpuMicros(pid) - before) / target.hosts.length;
  const each = (requests / target.hosts.length).toFixed(1);
  return `${micros.toFixed(0)} µs of CPU a name for the first ${each} requests`;
}

async function measureGroup(backend: ScaleBackend, group: Group, settings: Settings): Promise<Row[]> {
  const rows: Row[] = [];
  try {
    for (const variant of group.variants) rows.push(await startRow(backend, variant, settings));
    for (let i = 0; i < settings.rounds; i++) {
      for (const row of rows) {
        if (interrupted) throw new Error('interrupted');
        await measureRow(backend, row, settings);
      }
    }
  } finally {
    for (const row of rows) {
      await row.idle?.end();
      await row.running.end();
    }
  }
  return rows;
}

async function measureRow(backend: ScaleBackend, row: Row, settings: Settings): Promise<void> {
  const before = cpuMicros(row.running.pid);
  const target = { port: row.port, hosts: row.variant.hosts, cores: row.variant.loadCores };
  const load = await driveHosts(backend.folder, target, settings.seconds);
  row.rounds.push({
    microsPerRequest: (cpuMicros(row.running.pid) - before) / load.requests,
    requestsPerSecond: load.requests / load.seconds,
    errors: load.errors,
    residentBytes: residentBytes(row.running.pid),
  });
}

function table(rows: readonly Row[]): string[] {
  const cost = (row: Row): number => median(row.rounds.map((round) => round.microsPerRequest));
  return rows.map((row) => {
    const middle = (pick: (round: Round) => number): number => median(row.rounds.map(pick));
    const cells = [
      row.variant.about,
      cost(row).toFixed(1),
      (cost(row) / cost(rows[0] ?? row)).toFixed(2),
      middle((round) => round.requestsPerSecond).toFixed(0),
      (middle((round) => round.residentBytes) / 1e6).toFixed(0),
      row.rounds.reduce((sum, round) => sum + round.errors, 0).toString(),
      row.note,
    ];
    return `| ${cells.join(' | ')} |`;
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { short: { type: 'boolean' }, help: { type: 'boolean' }, groups: { type: 'string' } },
  });
  const wanted = values.groups?.split(',') ?? groups.map((group) => group.name);
  const unknown = wanted.filter((name) => !groups.some((group) => group.name === name));
  if (values.help || unknown.length > 0) {
    console.error(unknown.length > 0 ? `unknown group: ${unknown}\n${help}` : help);
    return 2;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
    });
  }
  const settings = values.short
    ? { rounds: 1, seconds: 1, warmupSeconds: 0 }
    : { rounds: 5, seconds: 2, warmupSeconds: 3 };
  const lines = [
    '| scenario | CPU µs/request | ratio | requests/s | MB | errors | |',
    '|---|--:|--:|--:|--:|--:|---|',
  ];
  const backend = await startScaleBackend();
  try {
    for (const group of groups.filter(({ name }) => wanted.includes(name))) {
      console.error(group.name);
      lines.push(...table(await measureGroup(backend, group, settings)));
    }
  } finally {
    await backend.close();
  }
  console.log(lines.join('\n'));
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(`scale: ${error instanceof Error ? error.message : error}`);
  return interrupted ? 130 : 1;
});
