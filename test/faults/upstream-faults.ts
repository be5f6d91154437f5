/** Endpoints that die, stall, refuse, reset and come back. */
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../cli/program.ts';
import { BODY_BYTES, type Mode } from './messages.ts';
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

const RECOVERY_MS = 6000;

/** One of three endpoints misbehaves in the middle. */
async function oneIs(
  mode: Mode,
  seconds: number,
  bounds: { postsMost: number; attemptsLeast: number },
  client = '',
): Promise<Outcome> {
  const rig = await FaultRig.start({ client });
  const [bad] = rig.upstreams;
  const load = rig.load();
  await delay(500);
  bad?.tell({ mode });
  await delay(seconds * 500);
  bad?.tell({ mode: 'ok' });
  await delay(seconds * 500);
  await load.stop();
  const attempts = await rig.metric('/io.l5d.fs/web/status/error');
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load, bounds.postsMost),
    atLeast('attempts that failed', attempts, bounds.attemptsLeast),
  ]);
  await rig.close();
  return result;
}

async function killed(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start();
  const [victim] = rig.upstreams;
  const load = rig.load();
  await delay(1000);
  await victim?.kill();
  await delay(seconds * 500);
  const attempts = await rig.metric('failure_accrual/probes');
  await victim?.start();
  const startedMs = performance.now();
  const recoveryMs = await timeUntil(() => (load.seenMs.get('u0') ?? 0) > startedMs, 15_000);
  await load.stop();
  const result = outcome(
    rig,
    load,
    [
      getsFailed(load),
      postsFailed(load, 3),
      atMost('probes while it was down', attempts, Math.ceil(seconds / 5)),
      atMost('ms until it has traffic again', recoveryMs, RECOVERY_MS),
    ],
    recoveryMs,
  );
  await rig.close();
  return result;
}

/** Streams that have begun end as a visible abort when their endpoint is killed. */
async function killedWithinBodies(): Promise<Outcome> {
  const rig = await FaultRig.start();
  for (const upstream of rig.upstreams) upstream.tell({ mode: 'stream' });
  const load = rig.load({ getsPerSecond: 50, postsPerSecond: 0 });
  await delay(1500);
  await rig.upstreams[0]?.kill();
  await delay(1000);
  await load.stop();
  // 50 a second, 0.4 s each, a third of them there.
  const result = outcome(rig, load, [atMost('streams cut, those under way', load.failed.GET, 32)]);
  await rig.close();
  return result;
}

async function stopped(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start({ client: 'requestAttemptTimeoutMs: 500' });
  const load = rig.load();
  await delay(500);
  rig.upstreams[0]?.signal('SIGSTOP');
  await delay(seconds * 500);
  rig.upstreams[0]?.signal('SIGCONT');
  await delay(seconds * 500);
  await load.stop();
  const result = outcome(rig, load, [getsFailed(load), postsFailed(load, 32)]);
  await rig.close();
  return result;
}

async function halfRefuse(seconds: number): Promise<Outcome> {
  const deadPorts = await freePorts(3);
  const rig = await FaultRig.start({ deadPorts });
  const load = rig.load();
  await delay(seconds * 500);
  await load.stop();
  const result = outcome(rig, load, [getsFailed(load), postsFailed(load)]);
  await rig.close();
  return result;
}

async function allRefuse(): Promise<Outcome> {
  const rig = await FaultRig.start();
  const load = rig.load();
  await delay(1000);
  await Promise.all(rig.upstreams.map((upstream) => upstream.kill()));
  await delay(2000);
  const failedFast = load.percentile(0.5, load.failureLatencies);
  await Promise.all(rig.upstreams.map((upstream) => upstream.start()));
  const backMs = performance.now();
  await delay(4000);
  await load.stop();
  const recoveryMs = Math.max(0, load.lastFailureMs - backMs);
  const result = outcome(
    rig,
    load,
    [
      atMost('ms p50 until a failure is told', failedFast, 500),
      atMost('ms of failures after it', recoveryMs, 500),
    ],
    recoveryMs,
  );
  await rig.close();
  return result;
}

/** Accepts connections and says nothing. */
async function silent(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function tlsStalls(): Promise<Outcome> {
  const server = await silent();
  const { port } = server.address() as AddressInfo;
  const client = `kind: io.l5d.static, configs: [{prefix: "/#/io.l5d.fs/stalls", connectTimeoutMs: 300, tls: {disableValidation: true}}]`;
  const rig = await FaultRig.start({ client, service: 'totalTimeoutMs: 1000' });
  rig.endpoints('stalls', [port]);
  const load = rig.load();
  const slowest: number[] = [];
  for (let i = 0; i < 4; i++) {
    const fromMs = performance.now();
    await statusOf(rig.port, 'stalls');
    slowest.push(performance.now() - fromMs);
  }
  await load.stop();
  server.close();
  const limit = atMost('ms until a stalled name fails', Math.max(...slowest), 1500);
  const result = outcome(rig, load, [getsFailed(load), postsFailed(load), limit]);
  await rig.close();
  return result;
}

async function dnsFails(): Promise<Outcome> {
  const rig = await FaultRig.start({
    dtab: '"/svc => /#/io.l5d.fs; /svc/lost => /$/inet/nowhere.invalid/80"',
    router: 'bindingTimeoutMs: 2000',
  });
  const load = rig.load();
  await delay(500);
  const fromMs = performance.now();
  const status = await statusOf(rig.port, 'lost');
  const tookMs = performance.now() - fromMs;
  await delay(500);
  await load.stop();
  const checks = [
    getsFailed(load),
    postsFailed(load),
    atMost('ms until the lost name fails', tookMs, 2500),
    atMost('its answers below 500', status >= 500 ? 0 : 1, 0),
  ];
  const result = outcome(rig, load, checks);
  await rig.close();
  return result;
}

export function statusOf(port: number, host: string): Promise<number> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, headers: { host }, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', () => resolve(0));
    sent.end();
  });
}

/** Endpoints close idle connections just when they are used, or after every request. */
async function idleRace(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start();
  for (const upstream of rig.upstreams) upstream.tell({ mode: 'ok', keepAliveMs: 5000 });
  rig.upstreams[0]?.tell({ mode: 'ok', requestsPerConnection: 1 });
  // Pauses of a little less and more than the time for which the router keeps connections.
  const load = rig.load({ getsPerSecond: 20, postsPerSecond: 20, connections: 64 });
  await delay(seconds * 1000);
  await load.stop();
  const result = outcome(rig, load, [getsFailed(load), postsFailed(load)]);
  await rig.close();
  return result;
}

export const upstreamFaults: readonly Scenario[] = [
  {
    id: 'F1',
    fault: 'one of three endpoints killed under load, started again',
    promise: 'a dying endpoint costs no idempotent request, and gets traffic again when it is back',
    run: killed,
  },
  {
    id: 'F1b',
    fault: 'an endpoint killed within bodies',
    promise: `an answer that was cut never looks complete (${BODY_BYTES} bytes or an error)`,
    cheap: true,
    run: killedWithinBodies,
  },
  {
    id: 'hang',
    fault: 'an endpoint accepts and never answers',
    promise: 'requestAttemptTimeoutMs and a retry hide an endpoint that hangs',
    run: (seconds) =>
      oneIs('hang', seconds, { postsMost: 32, attemptsLeast: 1 }, 'requestAttemptTimeoutMs: 500'),
  },
  {
    id: 'F11',
    fault: 'an endpoint stopped (SIGSTOP), continued',
    promise: 'its late answers reach nobody else',
    run: stopped,
  },
  ...(
    [
      ['reset-first', 'before the first byte'],
      ['reset-in-head', 'in the middle of the head'],
    ] as const
  ).map(
    ([mode, where]): Scenario => ({
      id: `F12 ${mode}`,
      fault: `an endpoint resets ${where}`,
      promise: 'is tried elsewhere before the first byte of an answer',
      cheap: mode === 'reset-first',
      run: (seconds) => oneIs(mode, seconds / 2, { postsMost: 32, attemptsLeast: 1 }),
    }),
  ),
  ...(
    [
      ['reset-in-body', 'in the middle of a body'],
      ['reset-in-chunk', 'in the middle of a chunk'],
    ] as const
  ).map(
    ([mode, where]): Scenario => ({
      id: `F12 ${mode}`,
      fault: `an endpoint resets ${where}`,
      promise: 'what has begun is cut visibly',
      run: (seconds) => cutInBody(mode, seconds / 2),
    }),
  ),
  {
    id: 'slow',
    fault: 'an endpoint takes 300 ms',
    promise: 'a slow endpoint costs time, not answers',
    run: (seconds) => oneIs('slow', seconds, { postsMost: 0, attemptsLeast: 0 }),
  },
  {
    id: 'TLS',
    fault: 'an endpoint that never handshakes',
    promise: 'connectTimeoutMs includes the handshake; other names are not touched',
    run: tlsStalls,
  },
  {
    id: 'DNS',
    fault: 'a name that DNS does not know',
    promise: 'fails within bindingTimeoutMs, and others are not touched',
    run: dnsFails,
  },
  {
    id: 'half',
    fault: 'half of the endpoints refuse',
    promise: 'a refused connection is tried elsewhere',
    cheap: true,
    run: halfRefuse,
  },
  {
    id: 'all',
    fault: 'all endpoints refuse, and come back',
    promise: 'failures are told at once, and end with the outage',
    run: allRefuse,
  },
  {
    id: 'F13',
    fault: 'endpoints that close idle connections after 5 s, or after each request',
    promise: 'connections are given up before the endpoint does, so that no POST is lost',
    run: idleRace,
  },
];

/** Cut answers are failures that the caller sees. */
async function cutInBody(mode: Mode, seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start();
  const load = rig.load();
  await delay(300);
  rig.upstreams[0]?.tell({ mode });
  await delay(seconds * 1000);
  await load.stop();
  const cut = load.failed.GET + load.failed.POST;
  const statuses = [...load.reasons.keys()].filter((reason) => /\d{3}$/.test(reason)).length;
  const result = outcome(rig, load, [
    atMost('failures that are a status', statuses, 0),
    atMost('answers cut, of a third', cut, load.sent / 3),
  ]);
  await rig.close();
  return result;
}
