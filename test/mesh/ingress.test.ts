/** An ingress controller as a process: Ingress objects name the requests, on data threads and in the admin. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, type Program, startProgram } from '../cli/program.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { get, type Pod, putService, startPod, world } from './pods.ts';

describe('A router that is an ingress controller', () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-ingress-'));
  const pods: Pod[] = [];
  let api: KubeApiServer;
  let program: Program;
  let port = 0;
  let debug = 0;

  before(async () => {
    api = await KubeApiServer.start();
    for (const [i, name] of ['world-v1', 'world-v2'].entries()) {
      const ip = `127.3.0.${i + 1}`;
      const pod = await startPod(ip, 'n1', world(name, ip));
      pods.push(pod);
      putService(api, name, [{ ip, node: 'n1', ports: { http: pod.port } }]);
    }
    putIngress('world-v2');
    const [router = 0, admin = 0, identifier = 0] = await freePorts(3);
    port = router;
    debug = identifier;
    const config = join(folder, 'linkerd.yml');
    const place = `host: 127.0.0.1, port: ${api.port}`;
    writeFileSync(
      config,
      `admin: {port: ${admin}, httpIdentifierPort: ${identifier}}
namers: [{kind: io.l5d.k8s, ${place}}]
routers:
- protocol: http
  identifier: {kind: io.l5d.ingress, ${place}}
  servers: [{port: ${router}, clearContext: true}]
  dtab: /svc => /#/io.l5d.k8s
`,
    );
    program = startProgram(['run', config, '--threads', '1']);
    await program.says('is running');
  });
  after(async () => {
    program.child.kill('SIGTERM');
    await program.ended();
    await Promise.all(pods.map((pod) => pod.close()));
    await api.close();
    rmSync(folder, { recursive: true });
  });

  function putIngress(service: string): void {
    const to = (name: string, target: object) => ({ service: { name, port: target } });
    api.put('ingresses', {
      metadata: {
        name: 'hello-world',
        namespace: 'default',
        annotations: { 'kubernetes.io/ingress.class': 'linkerd' },
      },
      spec: {
        defaultBackend: to('world-v1', { name: 'http' }),
        rules: [
          {
            host: 'world.v2',
            http: { paths: [{ path: '/', pathType: 'Prefix', backend: to(service, { number: 7000 }) }] },
          },
        ],
      },
    });
  }

  const call = async (host: string): Promise<string> => {
    const { status, body } = await get({ ip: '127.0.0.1', port, url: `http://${host}/` });
    return `${status} ${body}`;
  };

  it('routes by the rules, from the first request on, and the rest to the default backend', async () => {
    assert.equal(await call('world.v2'), '200 world-v2 (127.3.0.2)');
    assert.equal(await call('other'), '200 world-v1 (127.3.0.1)');
  });

  it('shows in the admin what it would make of a request', async () => {
    const { body } = await get({ ip: '127.0.0.1', port: debug, url: 'http://world.v2/' });
    assert.match(body, /"path":\s*"\/svc\/default\/7000\/world-v2"/);
  });

  it('follows a change of an Ingress', async () => {
    putIngress('world-v1');
    const endMs = performance.now() + 5000;
    while ((await call('world.v2')) !== '200 world-v1 (127.3.0.1)') {
      assert.ok(performance.now() < endMs);
      await delay(5);
    }
  });

  it('lets a pod that leaves finish its requests', async () => {
    const ip = '127.3.0.9';
    let waiting = true;
    const asked = Promise.withResolvers<() => void>();
    const slow = await startPod(ip, 'n1', (incoming, response) => {
      incoming.resume();
      if (!waiting) response.end('at once');
      else asked.resolve(() => response.end('done'));
      waiting = false;
    });
    pods.push(slow);
    putService(api, 'world-v1', [{ ip, node: 'n1', ports: { http: slow.port } }]);
    const answer = (async () => {
      let body = '';
      // Until the router has heard of the other pod.
      while (!body.includes('done')) body = await call('other');
      return body;
    })();
    const finish = await asked.promise;
    api.remove('endpointslices', 'default', 'world-v1-n1');
    while (!(await call('other')).startsWith('502')) await delay(5);
    finish();
    assert.equal(await answer, '200 done');
  });
});
