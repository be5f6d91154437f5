/** What names, certificates and configuration come from goes away, lies or changes all the time. */
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { CertificateAuthority } from '../../src/certs.ts';
import { freePorts } from '../cli/program.ts';
import type { Fault, When } from '../support/kube-api/faults.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { FaultRig, timeUntil } from './rig.ts';
import { atMost, getsFailed, type Outcome, outcome, postsFailed, type Scenario } from './scenario.ts';
import { statusOf } from './upstream-faults.ts';

/** A service `web` whose endpoints are 127.0.0.N at one port each. */
function slice(name: string, port: number, addresses: readonly string[]) {
  return {
    metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}

async function overKubernetes(router = ''): Promise<{ rig: FaultRig; api: KubeApiServer }> {
  const api = await KubeApiServer.start();
  const rig = await FaultRig.start({
    namers: `[{kind: io.l5d.k8s, host: 127.0.0.1, port: ${api.port}}]`,
    dtab: '/svc => /#/io.l5d.k8s/default/http',
    router: `bindingTimeoutMs: 2000${router}`,
  });
  rig.closes(() => api.close());
  for (const { name, port } of rig.upstreams) api.put('endpointslices', slice(name, port, ['127.0.0.1']));
  return { rig, api };
}

async function apiGone(seconds: number): Promise<Outcome> {
  const { rig, api } = await overKubernetes();
  const load = rig.load();
  await timeUntil(() => load.ok.GET > 100, 5000);
  await api.stop();
  const fromMs = performance.now();
  const status = await statusOf(rig.port, 'never-seen');
  const failedMs = performance.now() - fromMs;
  const [first] = rig.upstreams;
  api.remove('endpointslices', 'default', 'u0');
  await delay(seconds * 10_000);
  await api.restart();
  const backMs = performance.now();
  await delay(5500);
  await load.stop();
  const recoveryMs = Math.max(0, (load.seenMs.get(first?.name ?? '') ?? 0) - backMs);
  const result = outcome(
    rig,
    load,
    [
      getsFailed(load),
      postsFailed(load),
      atMost('ms until a name never seen fails', failedMs, 2500),
      atMost('its answers below 500', status >= 500 ? 0 : 1, 0),
      atMost('ms until a removed endpoint is left', recoveryMs, 5000),
    ],
    recoveryMs,
  );
  await rig.close();
  return result;
}

async function apiFaults(seconds: number): Promise<Outcome> {
  const { rig, api } = await overKubernetes();
  const load = rig.load();
  await timeUntil(() => load.ok.GET > 100, 5000);
  const faults: readonly (readonly [Fault, When?])[] = [
    [{ type: 'status', code: 500 }],
    [{ type: 'status', code: 401 }],
    [{ type: 'hang' }],
    [{ type: 'half-event' }, { verb: 'watch' }],
    [{ type: 'body', text: '{"items": 1' }],
    [{ type: 'reset' }],
  ];
  for (const [fault, which] of faults) {
    const lasting = api.fault(fault, which);
    api.cutWatches();
    await delay(seconds * 150);
    lasting.close();
  }
  api.compact();
  api.expire();
  const server = everywhere();
  await once(server, 'listening');
  api.put('endpointslices', slice('new', (server.address() as AddressInfo).port, ['127.0.0.9']));
  const recoveryMs = await timeUntil(() => load.seenMs.has('everywhere'), 15_000);
  await load.stop();
  const result = outcome(
    rig,
    load,
    [getsFailed(load), postsFailed(load), atMost('ms until a new endpoint is used', recoveryMs, 5000)],
    recoveryMs,
  );
  await rig.close();
  server.close();
  server.closeAllConnections();
  return result;
}

/** 200 changes a second of a set of five: each adds an address of the same servers and takes the oldest away. */
async function churn(seconds: number): Promise<Outcome> {
  const { rig, api } = await overKubernetes();
  const server = everywhere();
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const before = rig.openFiles;
  const load = rig.load();
  await timeUntil(() => load.ok.GET > 100, 5000);
  let next = 0;
  const addresses: string[] = [];
  const changing = setInterval(() => {
    for (let i = 0; i < 4; i++) {
      next++;
      addresses.push(`127.0.${1 + (next >> 7)}.${1 + (next & 127)}`);
      if (addresses.length > 5) addresses.shift();
      api.put('endpointslices', slice('changing', port, addresses));
    }
  }, 20);
  await delay(seconds * 1000);
  clearInterval(changing);
  api.remove('endpointslices', 'default', 'changing');
  await load.stop();
  await delay(4000);
  const files = rig.openFiles - before;
  const scopes = Object.keys(await rig.metrics()).length;
  server.close();
  server.closeAllConnections();
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost('descriptors more', files, 10),
    atMost('metrics', scopes, 1000),
  ]);
  await rig.close();
  return result;
}

/** Answers on every loopback address as an endpoint does. */
function everywhere(): Server {
  return createServer((incoming, response) => {
    incoming.resume();
    response.end(`${(incoming.url ?? '').slice(1)} everywhere`.padEnd(1024));
  }).listen(0, '0.0.0.0');
}

async function scaledToZero(): Promise<Outcome> {
  const { rig, api } = await overKubernetes();
  const load = rig.load();
  await timeUntil(() => load.ok.GET > 100, 5000);
  for (const { name } of rig.upstreams) api.remove('endpointslices', 'default', name);
  await delay(1000);
  const median = load.percentile(0.5, load.failureLatencies);
  const [first] = rig.upstreams;
  api.put('endpointslices', slice('u0', first?.port ?? 0, ['127.0.0.1']));
  const backMs = performance.now();
  await delay(1500);
  await load.stop();
  const recoveryMs = Math.max(0, load.lastFailureMs - backMs);
  const result = outcome(
    rig,
    load,
    [
      atMost('ms p50 until a failure is told', median, 50),
      atMost('ms of failures after it', recoveryMs, 200),
    ],
    recoveryMs,
  );
  await rig.close();
  return result;
}

/** Certificates are replaced ten times while callers handshake all the time. */
async function certificates(): Promise<Outcome> {
  const authority = await CertificateAuthority.create({ commonName: 'faults' });
  const rig = await FaultRig.start({});
  const write = async (): Promise<void> => {
    const { certPem, keyPem } = await authority.issue({ commonName: 'web', dnsNames: ['web'] });
    for (const [name, text] of [
      ['cert.pem', certPem],
      ['key.pem', keyPem],
    ] as const) {
      writeFileSync(join(rig.folder, `${name}.new`), text);
      renameSync(join(rig.folder, `${name}.new`), join(rig.folder, name));
    }
  };
  await write();
  const tls = `tls: {certPath: ${rig.folder}/cert.pem, keyPath: ${rig.folder}/key.pem}`;
  writeFileSync(rig.configFile, rig.config().replace('servers: [', `servers: [{port: 0, ${tls}}, `));
  rig.router.child.kill('SIGTERM');
  await rig.router.ended();
  const program = await rig.startRouter();
  const port = Number(/127\.0\.0\.1:(\d+) \(TLS\)/.exec(program.stdout())?.[1]);
  const load = rig.load({ getsPerSecond: 100 });
  let handshakes = 0;
  let failed = port > 0 ? 0 : 1;
  const shaking = setInterval(() => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'web', ca: authority.certPem }, () => {
      handshakes++;
      socket.destroy();
    });
    socket.on('error', () => failed++);
  }, 20);
  for (let i = 0; i < 10; i++) {
    await delay(400);
    await write();
  }
  await delay(1000);
  clearInterval(shaking);
  await delay(200);
  await load.stop();
  const reloads = await rig.metric('tls/reloads');
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost(`handshakes failed, of ${handshakes}`, failed, 0),
    atMost('replacements missed', Math.max(0, 2 - reloads), 0),
  ]);
  await rig.close();
  return result;
}

/** Ten changes of the dtab a second lead the name to and fro. */
async function reloads(seconds: number): Promise<Outcome> {
  const rig = await FaultRig.start();
  const [a, b] = rig.upstreams;
  const to = (port = 0): string => rig.config(`/svc => /$/inet/127.1/${port}`);
  const load = rig.load();
  await delay(500);
  let refused = 0;
  let sent = 0;
  for (; sent < seconds * 10; sent++) {
    const fromMs = performance.now();
    const response = await fetch(`http://127.0.0.1:${rig.admin}/config`, {
      method: 'POST',
      body: to(sent % 2 === 0 ? a?.port : b?.port),
    });
    await response.text();
    if (response.status !== 200) refused++;
    await delay(Math.max(0, 100 - (performance.now() - fromMs)));
  }
  const lastMs = performance.now();
  await delay(1000);
  await load.stop();
  const stale = sent % 2 === 0 ? a : b;
  const recoveryMs = Math.max(0, (load.seenMs.get(stale?.name ?? '') ?? 0) - lastMs);
  const result = outcome(
    rig,
    load,
    [
      getsFailed(load),
      postsFailed(load),
      atMost(`reloads refused, of ${sent}`, refused, 0),
      atMost('ms until only the last target answers', recoveryMs, 500),
    ],
    recoveryMs,
  );
  await rig.close();
  return result;
}

const RELOADS = 1000;

/**
 * Dtab, client parameters and a second router change with each. V8 lets the heap grow while it sees many
 * objects survive: memory is looked at in the fourth thousand, when it has found its size.
 */
async function thousandReloads(): Promise<Outcome> {
  const rig = await FaultRig.start({ client: 'requestAttemptTimeoutMs: 9000' });
  const [other = 0] = await freePorts(1);
  const load = rig.load({ getsPerSecond: 200, postsPerSecond: 20 });
  const files = rig.openFiles;
  const residents: number[] = [];
  let refused = 0;
  for (let i = 0; i < 4 * RELOADS; i++) {
    const to = rig.upstreams[i % 3]?.port;
    const config = rig.config(`/svc => /$/inet/127.1/${to}`).replace('Ms: 9000', `Ms: ${9000 + (i % 2)}`);
    const more = `- {protocol: http, label: other, dtab: /svc => /$/inet/127.1/${to}, servers: [{port: ${other}}]}\n`;
    const body = i % 4 < 2 ? config : config + more;
    const response = await fetch(`http://127.0.0.1:${rig.admin}/config`, { method: 'POST', body });
    await response.text();
    if (response.status !== 200) refused++;
    else if (i % 4 === 2 && (await statusOf(other, 'web')) !== 200) refused++;
    if (i >= 3 * RELOADS) residents.push(rig.resident);
  }
  await load.stop();
  const mean = (from: number) => residents.slice(from, from + RELOADS / 4).reduce((a, b) => a + b, 0);
  const growth = (mean((RELOADS * 3) / 4) / mean(0)) * 100;
  const result = outcome(rig, load, [
    getsFailed(load),
    postsFailed(load),
    atMost(`reloads refused, or without effect, of ${4 * RELOADS}`, refused, 0),
    atMost('memory of the last 250 reloads, % of that of 750 before', growth, 110),
    atMost('descriptors more', rig.openFiles - files, 40),
  ]);
  await rig.close();
  return result;
}

export const sourceFaults: readonly Scenario[] = [
  {
    id: 'F3',
    fault: 'the Kubernetes API goes away for a minute',
    promise: 'what is known stays in use',
    limitMs: 120_000,
    run: apiGone,
  },
  {
    id: 'F3b',
    fault: 'the API: 500, 401, hung, half an event, bad JSON, reset, 410',
    promise: 'whatever the API says, a set is never empty by mistake',
    run: apiFaults,
  },
  { id: 'F2', fault: '200 changes a second of the endpoints', promise: 'churn costs no request', run: churn },
  {
    id: 'F2c',
    fault: 'no endpoint, then one',
    promise: 'told at once, and over with the event',
    run: scaledToZero,
  },
  { id: 'F4', fault: 'certificates replaced ten times', promise: 'no handshake fails', run: certificates },
  { id: 'F5', fault: 'ten reloads a second', promise: 'a reload costs no request', run: reloads },
  {
    id: 'F5b',
    fault: '1,000 reloads, after 3,000 others',
    promise: 'nothing grows, and no request is lost',
    limitMs: 240_000,
    run: thousandReloads,
  },
];
