/** The proxies that are compared, each with the same work to do and one core to do it on. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nginxProxy } from './nginx.ts';
import { freePorts, type Running, startProgram } from './processes.ts';
import type { Rig } from './rig.ts';
import type { Scenario, Shape } from './scenarios.ts';

/** `turnout-observed` is turnout with Prometheus, recent requests, the access log, and a tap that is open. */
export const proxyNames = ['turnout', 'nginx', 'haproxy', 'http-proxy', 'turnout-observed'] as const;
/** Those that every scenario is measured with. */
export const usualProxies = proxyNames.filter((name) => name !== 'turnout-observed');
export type ProxyName = (typeof proxyNames)[number];

export type RunningProxy = Running & { readonly port: number };

type Ports = readonly [number, number, number];

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export async function startProxy(name: ProxyName, rig: Rig, scenario: Scenario): Promise<RunningProxy> {
  const [port = 0, between = 0, admin = 0] = await freePorts(3);
  const [command, words] = commandOf(name, rig, scenario.shape, [port, between, admin]);
  const scheme = scenario.shape === 'tls' ? 'https' : 'http';
  const running = await startProgram('proxy', command, words, `${scheme}://127.0.0.1:${port}/`);
  if (name !== 'turnout-observed') return { ...running, port };
  const tap = await openTap(admin);
  return {
    ...running,
    port,
    async end() {
      tap.destroy();
      await running.end();
    },
  };
}

/** Somebody who looks at every request. */
async function openTap(port: number): Promise<ClientRequest> {
  const tap = get({ host: '127.0.0.1', port, path: '/admin/tap', agent: false });
  const [response] = (await once(tap, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`no tap: ${response.statusCode}`);
  response.on('error', () => {}).resume();
  tap.on('error', () => {});
  return tap;
}

function commandOf(name: ProxyName, rig: Rig, shape: Shape, ports: Ports): [string, string[]] {
  switch (name) {
    case 'turnout':
      return turnout(rig, shape, ports);
    case 'turnout-observed':
      return turnout(rig, shape, ports, true);
    case 'nginx':
      return nginxProxy(rig, shape, [ports[0], ports[1]]);
    case 'haproxy':
      return haproxy(rig, shape, ports);
    case 'http-proxy': {
      const settings = {
        shape,
        ports,
        backendPort: rig.backendPort,
        ca: rig.ca,
        cert: rig.cert,
        key: rig.key,
      };
      return [process.execPath, [here('http-proxy-process.ts'), JSON.stringify(settings)]];
    }
  }
}

function turnout(
  rig: Rig,
  shape: Shape,
  [port, between, admin]: Ports,
  observed = false,
): [string, string[]] {
  const tls = { certPath: rig.cert, keyPath: rig.key };
  const router = (label: string, own: number, target: number, more: object = {}, server: object = {}) => ({
    protocol: 'http',
    label,
    dtab: `/svc/web => /$/inet/127.0.0.1/${target};`,
    servers: [{ ip: '127.0.0.1', port: own, ...server }],
    ...(observed && { httpAccessLog: 'stdout' }),
    ...more,
  });
  const routers =
    shape === 'mesh'
      ? [
          router('outgoing', port, between, {
            client: { tls: { commonName: 'web', trustCertsBundle: rig.ca } },
          }),
          router('incoming', between, rig.backendPort, {}, { tls }),
        ]
      : [router('incoming', port, rig.backendPort, {}, shape === 'tls' ? { tls } : {})];
  const telemetry = [{ kind: 'io.l5d.prometheus' }, { kind: 'io.l5d.recentRequests', sampleRate: 0.25 }];
  const config = { admin: { ip: '127.0.0.1', port: admin }, routers, ...(observed && { telemetry }) };
  const file = join(rig.folder, `turnout-${shape}${observed ? '-observed' : ''}.json`);
  writeFileSync(file, JSON.stringify(config, null, 1));
  return [process.execPath, [here('../../../dist/main.js'), 'run', file, '--threads', '1']];
}

function haproxy(rig: Rig, shape: Shape, [port, between]: Ports): [string, string[]] {
  const proxy = (name: string, own: number, tls: boolean, server: string): string => `
frontend ${name}
  bind 127.0.0.1:${own} backlog 4096 ${tls ? `ssl crt ${rig.certAndKey}` : ''}
  default_backend to-${name}
backend to-${name}
  http-reuse always
  server one ${server}
`;
  const backend = `127.0.0.1:${rig.backendPort}`;
  const verified = `ssl verify required ca-file ${rig.ca} verifyhost web sni str(web)`;
  const proxies =
    shape === 'mesh'
      ? proxy('outgoing', port, false, `127.0.0.1:${between} ${verified}`) +
        proxy('incoming', between, true, backend)
      : proxy('incoming', port, shape === 'tls', backend);
  const file = join(rig.folder, `haproxy-${shape}.cfg`);
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
${proxies}`,
  );
  return ['haproxy', ['-db', '-f', file]];
}
