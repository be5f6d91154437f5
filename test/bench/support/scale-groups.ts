/**
 * What the scale bench varies, a group each: one quantity grows and all else stays. The first row of a group
 * is what the others are compared with; rows of HAProxy show what the kernel's part of the growth is.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ScaleBackend } from './scale-backend.ts';

export type Variant = {
  readonly about: string;
  readonly hosts: readonly string[];
  readonly idleConnections: number;
  readonly loadCores: readonly number[];
  /** The program that listens on the port; it writes its configuration first. */
  command(backend: ScaleBackend, port: number, adminPort: number): [string, string[]];
};

export type Group = { readonly name: string; readonly variants: readonly Variant[] };

const MANY = 10_000;
const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const plain = { hosts: ['web'], idleConnections: 0, loadCores: [1] };

/** Larger than what is used, so that what is measured is the number in use and not eviction. */
const bindingCache = { paths: 2 * MANY, trees: 2 * MANY, bounds: 2 * MANY, clients: 2 * MANY };

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `name-${i}`);

type RouterKeys = { readonly dtab: string; readonly namers?: readonly object[] };

function turnout(
  backend: ScaleBackend,
  ports: readonly [number, number],
  keys: RouterKeys,
  threads = 1,
): [string, string[]] {
  const [port, admin] = ports;
  const router = {
    protocol: 'http',
    dtab: keys.dtab,
    bindingCache,
    // Longer than the turns of the other rows of a group take, so that no round opens connections anew.
    client: { hostConnectionPool: { idleTimeMs: 300_000 } },
    servers: [{ ip: '127.0.0.1', port }],
  };
  const file = join(backend.folder, `turnout-${port}.json`);
  const all = { admin: { ip: '127.0.0.1', port: admin }, namers: keys.namers ?? [], routers: [router] };
  writeFileSync(file, JSON.stringify(all));
  return [process.execPath, [main, 'run', file, '--threads', String(threads)]];
}

function dentries(count: number): Variant {
  return {
    ...plain,
    about: `${count} dentries`,
    command(backend, port, admin) {
      const to = `/$/inet/127.0.0.1/${backend.port}`;
      const others = names(count - 1).map((name) => `/svc/${name} => ${to};`);
      return turnout(backend, [port, admin], { dtab: [`/svc/web => ${to};`, ...others].join('\n') });
    },
  };
}

/** Every name leads to the same endpoint: many names, one client. */
function namesOfOneClient(count: number): Variant {
  return {
    ...plain,
    about: `${count} names in use, one client`,
    hosts: names(count),
    command: (backend, port, admin) =>
      turnout(backend, [port, admin], { dtab: `/svc => /$/inet/127.0.0.1/${backend.port};` }),
  };
}

function fsNames(backend: ScaleBackend, port: number, files: ReadonlyMap<string, string>): RouterKeys {
  const rootDir = join(backend.folder, `names-${port}`);
  mkdirSync(rootDir);
  for (const [name, text] of files) writeFileSync(join(rootDir, name), text);
  return { dtab: '/svc => /#/io.l5d.fs;', namers: [{ kind: 'io.l5d.fs', rootDir }] };
}

/** Every name is a bound name of its own, with a client, a balancer and connections. */
function boundNames(count: number): Variant {
  return {
    ...plain,
    about: `${count} bound names in use, a client each`,
    hosts: names(count),
    command(backend, port, admin) {
      const file = `127.0.0.1 ${backend.port}\n`;
      const files = new Map(['web', ...names(count)].map((name) => [name, file]));
      return turnout(backend, [port, admin], fsNames(backend, port, files));
    },
  };
}

const addresses = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `127.1.${i >> 8}.${i & 255}`);

function endpoints(count: number): Variant {
  return {
    ...plain,
    about: `${count} endpoints of one name`,
    command(backend, port, admin) {
      const lines = addresses(count).map((address) => `${address} ${backend.port}\n`);
      return turnout(backend, [port, admin], fsNames(backend, port, new Map([['web', lines.join('')]])));
    },
  };
}

function haproxyEndpoints(count: number): Variant {
  return {
    ...plain,
    about: `HAProxy, ${count} endpoints`,
    command(backend, port) {
      const file = join(backend.folder, `haproxy-${port}.cfg`);
      const servers = addresses(count).map((address, i) => `  server s${i} ${address}:${backend.port}`);
      writeFileSync(
        file,
        `global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend in
  bind 127.0.0.1:${port} backlog 4096
  default_backend out
backend out
  balance random(2)
  http-reuse always
${servers.join('\n')}
`,
      );
      return ['haproxy', ['-db', '-f', file]];
    },
  };
}

function idle(count: number): Variant {
  return { ...dentries(1), about: `${count} idle connections`, idleConnections: count };
}

/** The proxy may use two cores; the load has cores of its own only where there are four. */
function threads(count: number): Variant {
  return {
    ...plain,
    about: `${count} data thread${count === 1 ? '' : 's'} on two cores`,
    loadCores: availableParallelism() >= 4 ? [2, 3] : [0, 1],
    command(backend, port, admin) {
      const dtab = `/svc/web => /$/inet/127.0.0.1/${backend.port};`;
      const [program, words] = turnout(backend, [port, admin], { dtab }, count);
      return ['taskset', ['-c', '0,1', program, ...words]];
    },
  };
}

export const groups: readonly Group[] = [
  { name: 'dentries', variants: [dentries(1), dentries(1000), dentries(MANY)] },
  { name: 'names', variants: [boundNames(1), namesOfOneClient(MANY), boundNames(MANY)] },
  { name: 'endpoints', variants: [endpoints(1), endpoints(MANY)] },
  { name: 'haproxy-endpoints', variants: [haproxyEndpoints(1), haproxyEndpoints(MANY)] },
  { name: 'idle', variants: [idle(0), idle(MANY)] },
  { name: 'threads', variants: [threads(1), threads(2)] },
];
