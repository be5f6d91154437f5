/**
 * Endpoints come and go, and the API server goes away, under load. TURNOUT_MESH_SECONDS makes it longer than
 * the short form of `npm test`: `TURNOUT_MESH_SECONDS=60 node --test test/mesh/churn.test.ts`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, type Program, startProgram } from '../cli/program.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { until } from '../support/until.ts';
import { get, type Pod, startPod } from './pods.ts';

const SECONDS = Number(process.env['TURNOUT_MESH_SECONDS'] ?? 8);
const CHANGES_PER_SECOND = 200;
const TICK_MS = 20;
const SERVICES = 8;
const PODS = 5;
const CALLERS = 8;
/** So long after it has left an endpoint may still be asked. Its pod goes on for twice as long. */
const GRACE_MS = 1000;

/** One pod of a service, and those before it that have not ended yet. */
class Slot {
  pod: Pod | undefined;
  phase: 'ready' | 'leaving' | 'gone' | 'starting' = 'gone';
  late = 0;
  #left = { ms: Number.POSITIVE_INFINITY };
  readonly #api: KubeApiServer;
  readonly #service: string;
  readonly #ip: string;
  readonly #ending = new Set<Promise<void>>();

  constructor(api: KubeApiServer, service: string, ip: string) {
    this.#api = api;
    this.#service = service;
    this.#ip = ip;
  }

  /** One change of one endpoint, as a rolling restart makes them. */
  async change(): Promise<void> {
    switch (this.phase) {
      case 'ready':
        this.phase = 'leaving';
        this.#left.ms = performance.now();
        this.#tell({ ready: false, serving: true, terminating: true });
        break;
      case 'leaving':
        this.phase = 'gone';
        this.#api.remove('endpointslices', 'default', this.#name);
        this.#end();
        break;
      case 'gone':
        this.phase = 'starting';
        this.pod = await this.#start();
        this.#tell({ ready: false, serving: false, terminating: false });
        break;
      case 'starting':
        this.phase = 'ready';
        this.#tell({ ready: true, serving: true, terminating: false });
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#ending, this.pod?.close()]);
  }

  get #name(): string {
    return `${this.#service}-${this.#ip}`;
  }

  async #start(): Promise<Pod> {
    const left = { ms: Number.POSITIVE_INFINITY };
    this.#left = left;
    return startPod(this.#ip, 'n1', (incoming, response) => {
      incoming.resume();
      // What this process stood still for, the router on the same machine may have stood still for too.
      const stalledMs = 2 * (stalls.max / 1e6);
      if (performance.now() - left.ms > GRACE_MS + stalledMs) this.late++;
      response.end('ok');
    });
  }

  #end(): void {
    const { pod } = this;
    this.pod = undefined;
    const ended = delay(2 * GRACE_MS).then(() => pod?.close());
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
  }

  #tell(conditions: object): void {
    this.#api.put('endpointslices', {
      metadata: {
        name: this.#name,
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': this.#service },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [this.#ip], conditions, nodeName: 'n1' }],
      ports: [{ name: 'http', port: this.pod?.port ?? 0, protocol: 'TCP' }],
    });
  }
}

const stalls = monitorEventLoopDelay();
stalls.enable();
after(() => stalls.disable());

describe('A router under load', () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-churn-'));
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
  let api: KubeApiServer;
  let services: Slot[][];
  let program: Program;
  let port = 0;
  let admin = 0;

  before(async () => {
    api = await KubeApiServer.start();
    services = Array.from({ length: SERVICES }, (_, i) =>
      Array.from({ length: PODS }, (_each, j) => new Slot(api, `web-${i}`, `127.2.${i + 1}.${j + 1}`)),
    );
    for (const slot of services.flat()) {
      while (slot.phase !== 'ready') await slot.change();
    }
    [port = 0, admin = 0] = await freePorts(2);
    const config = join(folder, 'linkerd.yml');
    writeFileSync(
      config,
      `admin: {port: ${admin}}
namers: [{kind: io.l5d.k8s, host: 127.0.0.1, port: ${api.port}}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.k8s/default/http
  servers: [{port: ${port}}]
`,
    );
    program = startProgram(['run', config, '--threads', '1']);
    await program.says('is running');
  });
  after(async () => {
    agent.destroy();
    program.child.kill('SIGTERM');
    await program.ended();
    await Promise.all(services.flat().map((slot) => slot.close()));
    await api.close();
    rmSync(folder, { recursive: true });
  });

  /** Calls all services until `during` is over; answers what went wrong. */
  async function load(during: Promise<void>): Promise<{ calls: number; wrong: string[] }> {
    let over = false;
    let calls = 0;
    const wrong: string[] = [];
    const caller = async (): Promise<void> => {
      while (!over) {
        const url = `http://web-${calls++ % SERVICES}/`;
        const { status, body } = await get({ ip: '127.0.0.1', port, url, agent });
        if (status !== 200) wrong.push(`${url} ${status}: ${body.slice(0, 200)}`);
      }
    };
    const callers = Promise.all(Array.from({ length: CALLERS }, caller));
    await during;
    over = true;
    await callers;
    return { calls, wrong };
  }

  async function metric(name: string): Promise<number | undefined> {
    const response = await fetch(`http://127.0.0.1:${admin}/admin/metrics.json`);
    return ((await response.json()) as Record<string, number>)[name];
  }

  /** Two hundred changes a second, in turn of the services; of each, one pod at a time. */
  async function churn(seconds: number): Promise<number> {
    const startedMs = performance.now();
    const current = services.map(() => 0);
    let changes = 0;
    for (let elapsedMs = 0; elapsedMs < seconds * 1000; elapsedMs = performance.now() - startedMs) {
      for (; changes < (elapsedMs / 1000) * CHANGES_PER_SECOND; changes++) {
        const service = changes % SERVICES;
        const slot = services[service]?.[current[service] ?? 0];
        await slot?.change();
        if (slot?.phase === 'ready') current[service] = ((current[service] ?? 0) + 1) % PODS;
      }
      await delay(TICK_MS);
    }
    return changes;
  }

  it(`asks nobody who has left, and fails nothing, while ${CHANGES_PER_SECOND} endpoints a second change`, async () => {
    let changes = 0;
    const { calls, wrong } = await load(
      churn(SECONDS).then((count) => {
        changes = count;
      }),
    );
    assert.deepEqual(wrong, []);
    assert.equal(
      services.flat().reduce((sum, { late }) => sum + late, 0),
      0,
    );
    assert.ok(changes >= SECONDS * CHANGES_PER_SECOND * 0.9 && calls > SECONDS * 100, `${changes} ${calls}`);
    assert.equal(await metric(`k8s/127.0.0.1:${api.port}/drift`), 0);
  });

  it('loses nothing while the API server is away, and has missed nothing when it is back', async () => {
    const { wrong } = await load(
      (async () => {
        await api.stop();
        await delay((SECONDS / 4) * 1000);
        await api.restart();
        await until(() => api.watches.length >= SERVICES, 'the watches', 20_000);
        await churn(SECONDS / 4);
      })(),
    );
    assert.deepEqual(wrong, []);
    assert.equal(
      services.flat().reduce((sum, { late }) => sum + late, 0),
      0,
    );
    assert.equal(await metric(`k8s/127.0.0.1:${api.port}/drift`), 0);
  });
});
