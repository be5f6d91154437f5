/** An admin server on a free port with sources that a test sets, and raw requests to it. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { AdminSpec, TelemeterSpec } from '../../config/spec.ts';
import { AdminFailure, type AdminServer, startAdmin } from '../../src/admin/server.ts';
import type { AdminSources } from '../../src/admin/sources.ts';
import { silentLog } from '../../src/base/log.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { Tap } from '../../src/telemetry/tap.ts';
import { HandClock } from '../support/hand-clock.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
};

export type Asked = { method?: string; headers?: Record<string, string>; body?: string };

export const plainSpec: AdminSpec = {
  ip: '127.0.0.1',
  port: 0,
  shutdownGraceMs: 10_000,
  drain: { delayMs: 0 },
  reload: { watch: false, remote: false },
  socketOptions: { noDelay: true, reusePort: false },
};

export function sourcesFor(
  clock: HandClock,
  metrics: MetricsTree,
  telemetry: readonly TelemeterSpec[],
): AdminSources {
  return {
    clock,
    log: silentLog,
    serverInfo: { name: 'turnout', version: '0.1.0' },
    metrics,
    tap: new Tap(() => {}),
    recent: undefined,
    telemetry,
    namers: [],
    routers: () => [],
    clientTls: () => undefined,
    config: () => ({ routers: [{ protocol: 'http' }] }),
    delegate: async () => ({ type: 'cannot' }),
    unready: () => [],
    shutdown() {},
    boundNames: async () => [],
    interpreterState: async () => undefined,
    lint: async () => [],
    clientState: async () => ({}),
    certificates: async () => ({ certificates: [], problems: [] }),
    fleet: () => [],
    kubernetes: () => [],
    reload: async () => 'nothing to reload',
    generations: () => [],
    identify: () => ({}),
  };
}

export type Rig = {
  readonly clock: HandClock;
  readonly metrics: MetricsTree;
  readonly server: AdminServer;
  ask(path: string, asked?: Asked): Promise<Answer>;
};

type Options = {
  readonly spec?: Partial<AdminSpec>;
  readonly sources?: Partial<AdminSources>;
  readonly telemetry?: readonly TelemeterSpec[];
};

export async function withAdmin(options: Options, use: (rig: Rig) => Promise<void>): Promise<void> {
  const clock = new HandClock();
  const metrics = new MetricsTree(clock);
  const sources = { ...sourcesFor(clock, metrics, options.telemetry ?? []), ...options.sources };
  const server = await startAdmin({ ...plainSpec, ...options.spec }, sources);
  if (server instanceof AdminFailure) assert.fail(server.message);
  try {
    await use({ clock, metrics, server, ask: (path, asked) => ask(server.port, path, asked) });
  } finally {
    await server.close();
    metrics.close();
  }
  assert.equal(clock.pending, 0);
}

export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}
