/**
 * A kubeconfig: tokens, token files, client certificates, exec plugins, proxies, as @kubernetes/client-node
 * reads them. It is loaded only here and only when it is needed, because it is large.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { Access, Credentials } from './access.ts';
import { listOf, objectOf, textOf } from './json-fields.ts';

type Applied = {
  headers?: { [name: string]: unknown };
  ca?: unknown;
  cert?: unknown;
  key?: unknown;
  servername?: string;
  rejectUnauthorized?: boolean;
  auth?: string | null;
  agent?: Credentials['agent'];
};

/** How long what a kubeconfig says is used without reading its files again. */
const REREAD_MS = 10_000;

/** `files` are merged as `kubectl` does. Rejects when they cannot be read or name no server. */
export async function kubeconfigAccess(files: readonly string[]): Promise<Access> {
  const { KubeConfig, loadYaml } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  for (const [i, file] of files.entries()) {
    const part = new KubeConfig();
    try {
      part.loadFromFile(file);
    } catch (error) {
      throw new Error(`cannot read the kubeconfig ${file}: ${messageOf(error)}`);
    }
    if (i === 0) config.loadFromOptions(part);
    else config.mergeConfig(part, true);
  }
  const cluster = config.getCurrentCluster();
  const context = config.getCurrentContext();
  if (!cluster) {
    throw new Error(`the kubeconfig ${files.join(':')} has no cluster for its current context '${context}'`);
  }
  const server = new URL(cluster.server);
  if (server.protocol === 'http:') {
    // The library refuses plain HTTP unless it is told that nothing is to be verified.
    config.loadFromClusterAndUser(
      { ...cluster, skipTLSVerify: true },
      config.getCurrentUser() ?? { name: 'nobody' },
    );
  }
  const tokenFile = tokenFileOf(files, config.getCurrentUser()?.name, loadYaml);
  return {
    name: `${server.origin} as the kubeconfig's context '${context}' says`,
    server,
    credentials: remembered(async () => {
      const applied: Applied = {};
      await config.applyToHTTPSOptions(applied as Parameters<typeof config.applyToHTTPSOptions>[0]);
      if (tokenFile !== undefined) {
        const token = (await readFile(tokenFile, 'utf8')).trim();
        applied.headers = { ...applied.headers, Authorization: `Bearer ${token}` };
      }
      return { applied, agent: cluster.proxyUrl ? applied.agent : undefined };
    }),
  };
}

/** A user's `tokenFile`, which wins over his `token`; the library does not know it. */
function tokenFileOf(
  files: readonly string[],
  user: string | undefined,
  loadYaml: (text: string) => unknown,
): string | undefined {
  for (const file of files) {
    const { users } = objectOf(loadYaml(readFileSync(file, 'utf8')));
    const found = listOf(users, (each) => (textOf(each['name']) === user ? each : undefined))[0];
    const path = textOf(objectOf(found?.['user'])['tokenFile']);
    if (path !== undefined) return resolve(dirname(file), path);
  }
  return undefined;
}

function remembered(
  read: () => Promise<{ applied: Applied; agent: Credentials['agent'] | undefined }>,
): Access['credentials'] {
  let last: Promise<Credentials> | undefined;
  let readMs = Number.NEGATIVE_INFINITY;
  let tls: ConnectionOptions | undefined;
  const renew = async (): Promise<Credentials> => {
    const { applied, agent } = await read();
    const next = tlsOf(applied);
    if (tls === undefined || !same(tls, next)) tls = next;
    return { headers: headersOf(applied), tls, ...(agent && { agent }) };
  };
  return (fresh) => {
    const nowMs = performance.now();
    if (last === undefined || fresh || nowMs - readMs > REREAD_MS) {
      readMs = nowMs;
      last = renew();
      // A failure is not remembered.
      last.catch(() => {
        readMs = Number.NEGATIVE_INFINITY;
      });
    }
    return last;
  };
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: Applied): ConnectionOptions {
  const given = { ca, cert, key, servername, rejectUnauthorized };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function same(a: ConnectionOptions, b: ConnectionOptions): boolean {
  const text = (options: ConnectionOptions): string => JSON.stringify(options);
  return text(a) === text(b);
}

function headersOf({ headers = {}, auth }: Applied): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = String(value);
  if (auth) sent['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  return sent;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
