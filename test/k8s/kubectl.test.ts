/** The test API server as kubectl sees it: what kubectl takes for a server, other clients do too. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { plainAccess } from '../../k8s/auth.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { Kubectl, withoutKubectl } from '../support/kubectl.ts';
import { until } from '../support/until.ts';
import { Rig, webSlices } from './rig.ts';

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

describe('kubectl on the test API server', { skip: withoutKubectl }, () => {
  let api: KubeApiServer;
  let client: Kubectl;
  before(async () => {
    api = await KubeApiServer.start();
    client = new Kubectl(api.url);
  });
  after(async () => {
    client.close();
    await api.close();
  });

  const kubectl = (words: string, input = ''): Promise<string> => client.run(words.split(' '), input);

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

describe('kubectl proxy', { skip: withoutKubectl }, () => {
  it('passes on that a watch is accepted, and each event, at once', async () => {
    let kubectl: Kubectl | undefined;
    let port: Promise<number> | undefined;
    const rig = await Rig.start({
      access: async (api) => {
        kubectl ??= new Kubectl(api.url);
        port ??= kubectl.proxy();
        return plainAccess('127.0.0.1', await port);
      },
    });
    rig.putSlice('web-1', ['10.0.0.1']);
    const web = rig.see(webSlices);
    await until(
      () => rig.client.watches()[0]?.state === 'watching',
      () => web.now,
      10_000,
    );
    rig.putSlice('web-1', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.2',
      () => web.now,
    );
    await rig.closeAll();
    kubectl?.close();
  });
});
