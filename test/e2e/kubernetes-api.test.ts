/**
 * Names from the Kubernetes API, which goes away under load and comes back. TURNOUT_OUTAGE_SECONDS says for how
 * long (default 3).
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { WatchReport } from '../../k8s/api.ts';
import { CertificateAuthority } from '../../src/certs.ts';
import { freePorts, startProgram } from '../cli/program.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { eventually, startLoad } from './load.ts';
import { named, startApplication } from './mesh.ts';

const OUTAGE_MS = Number(process.env['TURNOUT_OUTAGE_SECONDS'] ?? 3) * 1000;

describe('a router process whose names come from Kubernetes', () => {
  const open: (() => Promise<unknown>)[] = [];
  after(async () => {
    for (const close of open.reverse()) await close();
  });

  /** An application as an endpoint of service `web`, in a slice of its own. */
  async function endpoint(api: KubeApiServer, name: string): Promise<void> {
    const { port, close } = await startApplication(named(name));
    open.push(close);
    api.put('endpointslices', {
      metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port, protocol: 'TCP' }],
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    });
  }

  /** `namer` has the keys of io.l5d.k8s, `kubeconfig` the text of a file for `--kubeconfig`. */
  async function startRouter({ namer = '', kubeconfig = '' }) {
    const folder = mkdtempSync(join(tmpdir(), 'turnout-outage-'));
    const [port = 0, admin = 0] = await freePorts(2);
    const config = join(folder, 'linkerd.yaml');
    writeFileSync(
      config,
      `admin: {port: ${admin}, shutdownGraceMs: 2000}
namers: [{kind: io.l5d.k8s${namer}}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.k8s/default/http
  servers: [{port: ${port}}]
`,
    );
    const words = ['run', config, '--threads', '1'];
    if (kubeconfig !== '') {
      writeFileSync(join(folder, 'kubeconfig'), kubeconfig);
      words.push('--kubeconfig', join(folder, 'kubeconfig'));
    }
    const program = startProgram(words);
    open.push(async () => {
      program.child.kill('SIGTERM');
      await program.ended();
      rmSync(folder, { recursive: true });
    });
    await program.says('is running');
    return {
      port,
      async watches(): Promise<readonly WatchReport[]> {
        const response = await fetch(`http://127.0.0.1:${admin}/kubernetes.json`);
        return (await response.json()) as WatchReport[];
      },
    };
  }

  it('answers every request while the API is away, and follows it when it is back', async () => {
    const api = await KubeApiServer.start();
    open.push(() => api.close());
    await endpoint(api, 'blue');
    const router = await startRouter({ namer: `, host: 127.0.0.1, port: ${api.port}` });
    const load = startLoad(router.port, 'web', 200);
    await eventually('blue answers', () => load.tally.last === 'blue', 5000);

    await api.stop();
    await endpoint(api, 'green');
    api.remove('endpointslices', 'default', 'blue');
    let watches: readonly WatchReport[] = [];
    const endMs = performance.now() + OUTAGE_MS + 20_000;
    do {
      watches = await router.watches();
      assert.ok(performance.now() < endMs, JSON.stringify(watches));
    } while (!watches.every(({ staleMs }) => staleMs > OUTAGE_MS));
    assert.equal(load.tally.last, 'blue');

    await api.restart();
    await eventually('green answers', () => load.tally.last === 'green', 6000);
    const { answers } = await load.stop();
    assert.deepEqual([...answers.keys()].sort(), ['blue', 'green']);
    watches = await router.watches();
    assert.ok(watches.length > 0);
    for (const { staleMs, drift } of watches) assert.deepEqual({ staleMs, drift }, { staleMs: 0, drift: 0 });
  });

  it('reaches the API as --kubeconfig says', async () => {
    const authority = await CertificateAuthority.create({ commonName: 'cluster CA' });
    const { certPem: cert, keyPem: key } = await authority.issue({
      commonName: 'k',
      ipAddresses: ['127.0.0.1'],
    });
    const api = await KubeApiServer.start({ tls: { cert, key }, tokens: ['secret'] });
    open.push(() => api.close());
    await endpoint(api, 'blue');
    const ca = Buffer.from(authority.certPem).toString('base64');
    const router = await startRouter({
      kubeconfig: `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "${api.url}", certificate-authority-data: ${ca}}}]
users: [{name: u, user: {token: secret}}]
`,
    });
    const load = startLoad(router.port, 'web', 20);
    await eventually('blue answers', () => load.tally.last === 'blue', 10_000);
    await load.stop();
    assert.equal(api.requests[0]?.authorization, 'Bearer secret');
  });
});
