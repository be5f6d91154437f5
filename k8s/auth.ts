/**
 * How to reach the API server, and as whom. In this order: `host`/`port` of the configuration (plain HTTP, as
 * `kubectl proxy` offers), a kubeconfig that the command line names, the pod's service account, the
 * kubeconfig of KUBECONFIG, localhost:8001.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Access, Credentials } from './access.ts';
import { kubeconfigAccess } from './kubeconfig.ts';
import { serviceAccountAccess } from './service-account.ts';

export type AuthOptions = {
  readonly env: NodeJS.ProcessEnv;
  /** Of the command line. */
  readonly kubeconfig: string | undefined;
  /** Where a pod finds its token and CA. */
  readonly serviceAccountDir?: string | undefined;
};

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';
export const PROXY_HOST = 'localhost';
export const PROXY_PORT = 8001;

/** Plain HTTP, without credentials. */
export function plainAccess(host: string, port: number): Access {
  const server = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const none: Credentials = Object.freeze({ headers: Object.freeze({}), tls: undefined });
  return { name: `${server.origin} without credentials`, server, credentials: async () => none };
}

/** Rejects when a kubeconfig cannot be used. */
export async function ambientAccess(options: AuthOptions): Promise<Access> {
  const { env, kubeconfig, serviceAccountDir = SERVICE_ACCOUNT_DIR } = options;
  if (kubeconfig !== undefined) return kubeconfigAccess([kubeconfig]);
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  const token = join(serviceAccountDir, 'token');
  if (host && port && existsSync(token)) {
    const server = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
    return serviceAccountAccess(server, serviceAccountDir);
  }
  const files = (env['KUBECONFIG'] ?? '').split(':').filter((file) => file !== '');
  // As kubectl: of several files some may be missing.
  const present = files.filter((file) => existsSync(file));
  if (files.length > 0) return kubeconfigAccess(present.length > 0 ? present : files);
  const proxy = plainAccess(PROXY_HOST, PROXY_PORT);
  return host ? { ...proxy, name: `${proxy.name}, because this pod has no ${token}` } : proxy;
}
