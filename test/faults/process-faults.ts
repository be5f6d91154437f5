/** The router process itself ends, is replaced, loses a thread or cannot run for a while. */
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Callers } from './callers.ts';
import type { Tally } from './callers-process.ts';
import { FaultRig, type RigOptions, timeUntil } from './rig.ts';
import {
  atLeast,
  atMost,
  getsFailed,
  type Outcome,
  outcome,
  postsFailed,
  type Scenario,
} from './scenario.ts';

/** One request, and what became of it. */
function ask(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, agent, path: '/one', headers: { host: 'web' } },
      (response) => {
        response.resume();
        response.on('error', (error) => resolve(error.message));
        response.on('end', () => resolve(`${response.statusCode}`));
      },
    );
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}

/** 20 requests of 2 s are under way and 50 connections are idle when the signal comes. */
async function drained(): Promise<Outcome> {
  const rig = await FaultRig.start();
  const load = rig.load({ getsPerSecond: 50, postsPerSecond: 0 });
  const idle = new Agent({ keepAlive: true });
  await Promise.all(Array.from({ length: 50 }, () => ask(rig.port, idle)));
  await load.stop();
  for (const upstream of rig.upstreams) upstream.tell({ mode: 'drain' });
  await delay(100);
  const agent = new Agent({ keepAlive: true });
  const slow = Array.from({ length: 20 }, () => ask(rig.port, agent));
  await delay(200);
  const fromMs = performance.now();
  rig.router.child.kill('SIGTERM');
  const code = await rig.router.ended();
  const tookMs = performance.now() - fromMs;
  const cut = (await Promise.all(slow)).filter((each) => each !== '200').length;
  idle.destroy();
  agent.destroy();
  const result = outcome(rig, load, [
    getsFailed(load),
    atMost('requests cut, of 20', cut, 0),
    atMost('ms until it has ended', tookMs, 3500),
    atMost('exit code', Number(code), 0),
  ]);
  await rig.close();
  return result;
}

/** The grace is shorter than the requests. */
async function cutAtGrace(): Promise<Outcome> {
  const rig = await FaultRig.start({ admin: 'shutdownGraceMs: 1000' });
  const load = await rig.load({ getsPerSecond: 1, postsPerSecond: 0 }).stop();
  for (const upstream of rig.upstreams) upstream.tell({ mode: 'hang' });
  await delay(100);
  const agent = new Agent({ keepAlive: true });
  const slow = Array.from({ length: 5 }, () => ask(rig.port, agent));
  await delay(200);
  const fromMs = performance.now();
  rig.router.child.kill('SIGTERM');
  await rig.router.ended();
  const tookMs = performance.now() - fromMs;
  await Promise.all(slow);
  agent.destroy();
  const said = `${rig.router.stdout()}${rig.router.stderr()}`;
  const result = outcome(rig, load, [
    atMost('ms until it has ended', tookMs, 1500),
    atMost('cut requests not in the log', /were cut/.test(said) ? 0 : 1, 0),
  ]);
  await rig.close();
  return result;
}

/** How long callers may wait for a data thread that hangs. */
const HANG_MS = 1000;
const STALL_MS = 30_000;

const sharedPorts: RigOptions = {
  server: 'socketOptions: {reusePort: true}',
  admin: 'socketOptions: {reusePort: true}',
};

async function upgraded(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start(sharedPorts);
  const load = rig.load({ connections: 16 });
  await delay(seconds * 250);
  const old = rig.router;
  await rig.startRouter();
  old.child.kill('SIGTERM');
  await old.ended();
  await delay(seconds * 250);
  await load.stop();
  const result = outcome(rig, load, [getsFailed(load), postsFailed(load)]);
  await rig.close();
  return result;
}

/** One upgrade after the other, until 100,000 requests have been answered. */
async function upgradedOften(): Promise<Outcome> {
  const rig = await FaultRig.start({ ...sharedPorts, threads: 2 });
  const load = rig.load({ getsPerSecond: 20, postsPerSecond: 20, connections: 2 });
  const callers = new Callers(rig.port, 4);
  rig.closes(() => callers.kill());
  let tally: Tally | undefined;
  const asked = callers.until(100_000).then((told) => {
    tally = told;
  });
  let upgrades = 0;
  for (; tally === undefined; upgrades++) {
    const old = rig.router;
    await rig.startRouter();
    old.child.kill('SIGTERM');
    await old.ended();
  }
  await asked;
  await load.stop();
  const { kept, fresh, triedAgain, failures } = tally;
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost(`failed, of ${kept} on kept connections and ${fresh} on new ones`, failures.length, 0),
    atMost('connections tried again after a second', triedAgain, fresh / 100),
    atLeast('upgrades', upgrades, 5),
  ]);
  await rig.close();
  return { ...result, sent: load.sent + kept + fresh, failed: load.failures + failures.length };
}

/** Runs `what` on the data threads, or on the control thread, when the file is there. */
function when(file: string, main: boolean, what: string): string[] {
  const code = `import {isMainThread} from 'node:worker_threads'; import fs from 'node:fs';
if (isMainThread === ${main}) setInterval(() => { try { fs.unlinkSync(${JSON.stringify(file)}) } catch { return } ${what} }, 20).unref()`;
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
}

let files = 0;
async function disturbed(
  seconds: number,
  options: RigOptions,
  main: boolean,
  what: string,
  most: number,
): Promise<Outcome> {
  const file = join(process.env['TMPDIR'] ?? '/tmp', `turnout-fault-${process.pid}-${++files}`);
  const rig = await FaultRig.start({ ...options, nodeOptions: when(file, main, what) });
  const load = rig.load();
  await delay(1000);
  const fromMs = performance.now();
  writeFileSync(file, '');
  await delay(seconds * 500);
  await load.stop();
  const recoveryMs = Math.max(0, load.lastFailureMs - fromMs);
  const result = outcome(
    rig,
    load,
    [
      atMost('failed, those under way', load.failures, most),
      atMost('ms of failures', recoveryMs, 1000),
      atMost('process ended', rig.router.child.exitCode === null ? 0 : 1, 0),
    ],
    recoveryMs,
  );
  await rig.close();
  return result;
}

/** Meanwhile somebody asks for a name that is bound, again and again. */
async function stalled(): Promise<Outcome> {
  const file = join(process.env['TMPDIR'] ?? '/tmp', `turnout-fault-${process.pid}-${++files}`);
  const block = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${STALL_MS}); console.log('goes on');`;
  const rig = await FaultRig.start({ nodeOptions: when(file, true, block) });
  const load = rig.load();
  await timeUntil(() => load.ok.GET > 200, 10_000);
  const [quiet, quietMost] = [load.percentile(0.99), load.percentile(1)];
  load.forgetLatencies();
  const fromMs = performance.now();
  writeFileSync(file, '');
  await timeUntil(() => /goes on/.test(rig.router.stdout()), STALL_MS + 10_000);
  const stalledMs = performance.now() - fromMs;
  const [p99, most] = [load.percentile(0.99), load.percentile(1)];
  await load.stop();
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atLeast('ms that it was blocked', stalledMs, STALL_MS),
    atMost('ms p99', p99, 1.5 * quiet + 50),
    atMost('ms of the slowest', most, 1.5 * quietMost + 1000),
    atMost('data threads taken for dead', await rig.metric('threads/deaths'), 0),
  ]);
  await rig.close();
  return result;
}

/** Until another thread accepts in the place of one that computes for ever. */
async function hung(): Promise<Outcome> {
  const file = join(process.env['TMPDIR'] ?? '/tmp', `turnout-fault-${process.pid}-${++files}`);
  const nodeOptions = when(file, false, '(function endless() { for (;;); })();');
  const rig = await FaultRig.start({ threads: 2, nodeOptions });
  const load = rig.load();
  await timeUntil(() => load.ok.GET > 200, 10_000);
  const fromMs = performance.now();
  writeFileSync(file, '');
  const replacedMs = await timeUntil(() => /serves in its place/.test(rig.router.stdout()), 10_000);
  await timeUntil(() => load.lastFailureMs > 0, 2000);
  await delay(500);
  await load.stop();
  const recoveryMs = Math.max(0, load.lastFailureMs - fromMs);
  const result = outcome(
    rig,
    load,
    [
      atMost('failed, those under way', load.failures, 32),
      atMost('ms until another thread serves', replacedMs, HANG_MS),
      atMost('ms of failures', recoveryMs, HANG_MS),
      atLeast('stacks in the log', /at endless \(/.test(rig.router.stdout()) ? 1 : 0, 1),
    ],
    recoveryMs,
  );
  await rig.close();
  return result;
}

/** The whole process stands still for a second, as in a starved cgroup. */
async function frozen(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start({ client: 'requestAttemptTimeoutMs: 5000' });
  const load = rig.load();
  await delay(1000);
  rig.router.child.kill('SIGSTOP');
  await delay(1000);
  rig.router.child.kill('SIGCONT');
  const recoveryMs = await timeUntil(() => load.percentile(0, load.latencies.slice(-20)) < 100, 5000);
  await delay(seconds * 250);
  await load.stop();
  const ejected = await rig.metric('failure_accrual/removals');
  const result = outcome(
    rig,
    load,
    [getsFailed(load), postsFailed(load), atMost('endpoints ejected', ejected, 0)],
    recoveryMs,
  );
  await rig.close();
  return result;
}

/** Nobody reads what is logged. */
async function logBlocked(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start({ router: 'httpAccessLog: stdout' });
  const quiet = rig.load();
  await delay(1000);
  await quiet.stop();
  rig.router.child.stdout?.pause();
  const load = rig.load({ getsPerSecond: 600 });
  const scraping = setInterval(() => void rig.metrics().catch(() => {}), 50);
  await delay(seconds * 500);
  clearInterval(scraping);
  await load.stop();
  rig.router.child.stdout?.resume();
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost('ms p99', load.percentile(0.99), 1.5 * quiet.percentile(0.99) + 20),
  ]);
  await rig.close();
  return result;
}

export const processFaults: readonly Scenario[] = [
  { id: 'F6', fault: 'SIGTERM under load', promise: 'what was accepted is answered', run: drained },
  {
    id: 'F6b',
    fault: 'SIGTERM, requests longer than the grace',
    promise: 'it ends in time',
    cheap: true,
    run: cutAtGrace,
  },
  { id: 'F6c', fault: 'a new process on the same ports', promise: 'an upgrade loses nothing', run: upgraded },
  {
    id: 'F6d',
    fault: 'new processes, one after the other',
    promise: 'of 100,000 requests, on kept and on new connections, upgrades lose none',
    limitMs: 300_000,
    run: upgradedOften,
  },
  {
    id: 'F16',
    fault: 'one of two data threads throws',
    promise: 'it is replaced; what the other does is untouched',
    run: (seconds) => disturbed(seconds, { threads: 2 }, false, `throw new Error('a fault')`, 32),
  },
  {
    id: 'F16b',
    fault: 'one of two data threads computes for ever',
    promise: 'it is replaced within a second, and its stack is in the log',
    run: hung,
  },
  {
    id: 'stall',
    fault: 'the control thread is blocked for 30 s',
    promise: 'a stall of the control thread delays no request',
    run: stalled,
  },
  {
    id: 'F15',
    fault: 'the process is stopped for 1 s',
    promise: 'no mass time-outs, no ejections',
    run: frozen,
  },
  {
    id: 'F14',
    fault: 'the log is not read, metrics 20/s',
    promise: 'logs never hold a request up',
    run: logBlocked,
  },
];
