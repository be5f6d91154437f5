/** Pods: small applications on addresses of their own, and the objects by which the cluster knows them. */
import { once } from 'node:events';
import { type Agent, createServer, type IncomingMessage, type RequestListener, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeApiServer } from '../support/kube-api/kube-api.ts';

export type Pod = {
  readonly ip: string;
  readonly port: number;
  readonly node: string;
  close(): Promise<void>;
};

export async function startPod(ip: string, node: string, answer: RequestListener): Promise<Pod> {
  const server = createServer(answer);
  server.listen(0, ip);
  await once(server, 'listening');
  return {
    ip,
    node,
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** `world (ip)`, as the walkthrough's application answers. */
export const world =
  (text: string, ip: string): RequestListener =>
  (incoming, response) => {
    incoming.resume();
    response.end(`${text} (${ip})`);
  };

/** Asks `world` through the router of its node, as a program with `http_proxy` in its environment does. */
export const hello =
  (ip: string, proxy: { readonly ip: string; readonly port: number }): RequestListener =>
  (incoming, response) => {
    incoming.resume();
    const contexts = Object.entries(incoming.headers).filter(([name]) => name.startsWith('l5d-ctx-'));
    get({ ...proxy, url: 'http://world/', headers: Object.fromEntries(contexts) }).then(
      ({ status, body }) => {
        response.statusCode = status;
        response.end(`Hello (${ip}) ${body}!!`);
      },
      (error: Error) => {
        response.statusCode = 502;
        response.end(error.message);
      },
    );
  };

export type Get = {
  readonly ip: string;
  readonly port: number;
  /** Absolute: sent as to a proxy. */
  readonly url: string;
  readonly headers?: NodeJS.Dict<string | string[]>;
  readonly agent?: Agent;
};

export function get({ ip, port, url, headers, agent }: Get): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const all = { host: new URL(url).host, ...headers };
    const options = { host: ip, port, path: url, headers: all, ...(agent && { agent }) };
    const outgoing = request(options, (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** What the controllers of a cluster write of a service: itself, and a slice for each pod's own ports. */
export function putService(
  api: KubeApiServer,
  service: string,
  members: readonly { readonly ip: string; readonly node: string; readonly ports: Record<string, number> }[],
): void {
  const names = Object.keys(members[0]?.ports ?? {});
  api.put('services', {
    metadata: { name: service, namespace: 'default' },
    spec: { ports: names.map((name, i) => ({ name, port: 7000 + i, targetPort: name, protocol: 'TCP' })) },
  });
  for (const { ip, node, ports } of members) {
    api.put('endpointslices', {
      metadata: {
        name: `${service}-${node}`,
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': service },
      },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: [ip],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: node,
          targetRef: { kind: 'Pod', namespace: 'default', name: `${service}-${node}` },
        },
      ],
      ports: Object.entries(ports).map(([name, port]) => ({ name, port, protocol: 'TCP' })),
    });
  }
}
