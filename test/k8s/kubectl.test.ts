/** The test API server as kubectl sees it: what kubectl takes for a server, other clients do too. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';

const present = spawnSync('kubectl', ['version', '--client']).status === 0;

const manifest = (targetPort: number): string => `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {ports: [{name: http, port: 80, targetPort: ${targetPort}}]}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: turnout}
spec: {controller: example.com/turnout}
`;

describe('kubectl on the test API server', { skip: present ? false : 'kubectl is not installed' }, () => {
  let api: KubeApiServer;
  let home: string;
  before(async () => {
    api = await KubeApiServer.start();
    home = mkdtempSync(join(tmpdir(), 'turnout-kubectl-'));
  });
  after(async () => {
    await api.close();
    rmSync(home, { recursive: true });
  });

  function kubectl(words: string, input = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const env = { PATH: process.env['PATH'], HOME: home };
      const child = execFile(
        'kubectl',
        ['-s', api.url, ...words.split(' ')],
        { env },
        (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(stderr))),
      );
      child.stdin?.end(input);
    });
  }

  it('creates, applies a change, finds, and deletes', async () => {
    assert.match(await kubectl('create --dry-run=client -f -', manifest(8080)), /web created \(dry run\)/);
    assert.equal(api.get('services', 'default', 'web'), undefined);
    await kubectl('apply -f -', manifest(8080));
    assert.match(await kubectl('apply -f -', manifest(8081)), /service\/web configured/);
    assert.equal(await kubectl('get svc web -o jsonpath={.spec.ports[0].targetPort}'), '8081');
    await kubectl('label svc web tier=front');
    assert.equal(await kubectl('get svc -A -l tier=front -o name'), 'service/web\n');
    assert.equal(await kubectl('get ingressclasses -o name'), 'ingressclass.networking.k8s.io/turnout\n');
    await kubectl('delete svc web --wait=false');
    await assert.rejects(kubectl('get svc web'), /services "web" not found/);
  });
});
