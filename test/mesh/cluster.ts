/**
 * A cluster of three nodes on one machine: 127.0.0.1, .2 and .3. On each a router process with the names of
 * its node and its pod, and pods of hello, world-v1 and world-v2. What goes from one router to another passes
 * a relay that records it, because the service `l5d` gives the relays as its endpoints.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority } from '../../src/certs.ts';
import { freePorts, type Program, startProgram } from '../cli/program.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { get, hello, type Pod, putService, startPod, world } from './pods.ts';
import { Relay } from './relay.ts';

export type Node = {
  readonly name: string;
  readonly ip: string;
  readonly outgoing: number;
  readonly incoming: number;
  readonly admin: number;
  readonly relay: Relay;
  readonly program: Program;
};

export type ClusterOptions = {
  /** Nodes present a certificate to each other and ask for one. */
  readonly clientAuth?: boolean;
  /** Each service has a name of its own in the certificates; otherwise all are `linkerd`. */
  readonly perName?: boolean;
  /** Names of nodes whose certificates another CA has signed. */
  readonly strangers?: readonly string[];
};

const NAMES = ['n1', 'n2', 'n3'] as const;
const SERVICES = ['hello', 'world-v1', 'world-v2'] as const;

export class Cluster {
  readonly api: KubeApiServer;
  readonly nodes: Node[] = [];
  readonly #folder: string;
  readonly #pods: Pod[] = [];

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(await KubeApiServer.start());
    const ours = await CertificateAuthority.create({ commonName: 'mesh' });
    const others = await CertificateAuthority.create({ commonName: 'mesh' });
    for (const [i, name] of NAMES.entries()) {
      const authority = options.strangers?.includes(name) === true ? others : ours;
      await cluster.#startNode(name, `127.0.0.${i + 1}`, { authority, trusted: ours }, options);
    }
    await cluster.#startPods();
    putService(
      cluster.api,
      'l5d',
      cluster.nodes.map(({ ip, name, relay, admin }) => ({
        ip,
        node: name,
        ports: { incoming: relay.port, admin },
      })),
    );
    return cluster;
  }

  private constructor(api: KubeApiServer) {
    this.api = api;
    this.#folder = mkdtempSync(join(tmpdir(), 'turnout-cluster-'));
  }

  node(name: string): Node {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`there is no node ${name}`);
    return found;
  }

  /** As `http_proxy=<node>:4140 curl http://<host>`. */
  call(node: string, host: string, dtab?: string): Promise<{ status: number; body: string }> {
    const { ip, outgoing: port } = this.node(node);
    return get({ ip, port, url: `http://${host}/`, ...(dtab && { headers: { 'l5d-dtab': dtab } }) });
  }

  async metrics(node: string): Promise<Record<string, number>> {
    const { ip, admin } = this.node(node);
    const response = await fetch(`http://${ip}:${admin}/admin/metrics.json`);
    return (await response.json()) as Record<string, number>;
  }

  async close(): Promise<void> {
    for (const { program } of this.nodes) program.child.kill('SIGTERM');
    await Promise.all(this.nodes.map(({ program }) => program.ended()));
    await Promise.all([
      ...this.nodes.map(({ relay }) => relay.close()),
      ...this.#pods.map((pod) => pod.close()),
    ]);
    await this.api.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #startNode(
    name: string,
    ip: string,
    { authority, trusted }: { authority: CertificateAuthority; trusted: CertificateAuthority },
    { clientAuth = false, perName = false }: ClusterOptions,
  ): Promise<void> {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    const write = (file: string, text: string): string => {
      writeFileSync(join(folder, file), text);
      return join(folder, file);
    };
    const issued = await authority.issue({
      commonName: 'linkerd',
      dnsNames: perName ? [...SERVICES] : ['linkerd'],
    });
    const ca = write('ca.pem', trusted.certPem);
    const own = `certPath: ${write('cert.pem', issued.certPem)}, keyPath: ${write('key.pem', issued.keyPem)}`;
    const [outgoing = 0, incoming = 0, admin = 0] = await freePorts(3);
    const config = write(
      'linkerd.yml',
      configOf({
        ip,
        outgoing,
        incoming,
        admin,
        api: this.api.port,
        client: clientOf(perName, `trustCerts: [${ca}]${clientAuth ? `, clientAuth: {${own}}` : ''}`),
        serverTls: `${own}${clientAuth ? `, caCertPath: ${ca}, requireClientAuth: true` : ''}`,
      }),
    );
    const env = { NODE_NAME: name, POD_IP: ip };
    const program = startProgram(['run', config, '--threads', '1'], { env });
    const relay = await Relay.start(ip, incoming);
    this.nodes.push({ name, ip, outgoing, incoming, admin, relay, program });
    await program.says('is running');
  }

  async #startPods(): Promise<void> {
    for (const [i, service] of SERVICES.entries()) {
      const pods: Pod[] = [];
      for (const [j, node] of this.nodes.entries()) {
        const ip = `127.1.${j + 1}.${i + 1}`;
        const proxy = { ip: node.ip, port: node.outgoing };
        const answer =
          service === 'hello' ? hello(ip, proxy) : world(service === 'world-v1' ? 'world' : 'earth', ip);
        pods.push(await startPod(ip, node.name, answer));
      }
      this.#pods.push(...pods);
      putService(
        this.api,
        service,
        pods.map(({ ip, node, port }) => ({ ip, node, ports: { http: port } })),
      );
    }
  }
}

type ConfigParts = {
  readonly ip: string;
  readonly outgoing: number;
  readonly incoming: number;
  readonly admin: number;
  readonly api: number;
  readonly client: string;
  readonly serverTls: string;
};

function clientOf(perName: boolean, tls: string): string {
  if (!perName) return `{tls: {commonName: linkerd, ${tls}}}`;
  const prefix = '/%/io.l5d.k8s.daemonset/default/incoming/l5d/#/io.l5d.k8s/default/http/{service}';
  return `{kind: io.l5d.static, configs: [{prefix: "${prefix}", tls: {commonName: "{service}", ${tls}}}]}`;
}

/** The configuration of the classic walkthrough, with the addresses of one node. */
function configOf({ ip, outgoing, incoming, admin, api, client, serverTls }: ConfigParts): string {
  const dtab = `|
    /srv        => /#/io.l5d.k8s/default/http;
    /host       => /srv;
    /svc        => /host;
    /host/world => /srv/world-v1;`;
  return `admin: {ip: ${ip}, port: ${admin}, shutdownGraceMs: 1000, fleet: {dst: /#/io.l5d.k8s/default/admin/l5d}}
namers:
- {kind: io.l5d.k8s, host: 127.0.0.1, port: ${api}}
routers:
- protocol: http
  label: outgoing
  dtab: ${dtab}
  interpreter:
    kind: default
    transformers:
    - kind: io.l5d.k8s.daemonset
      namespace: default
      port: incoming
      service: l5d
      k8sHost: 127.0.0.1
      k8sPort: ${api}
  servers: [{port: ${outgoing}, ip: ${ip}}]
  client: ${client}
  service:
    responseClassifier: {kind: io.l5d.http.retryableRead5XX}
- protocol: http
  label: incoming
  dtab: ${dtab}
  interpreter:
    kind: default
    transformers:
    - kind: io.l5d.k8s.localnode
  servers: [{port: ${incoming}, ip: ${ip}, tls: {${serverTls}}}]
`;
}
