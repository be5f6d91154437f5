import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { type AuthOptions, ambientAccess, plainAccess } from '../../k8s/auth.ts';
import { CertificateAuthority, type Issued } from '../../src/certs.ts';
import type { KubeApiServer, KubeApiServerOptions } from '../support/kube-api/kube-api.ts';
import { until } from '../support/until.ts';
import { Rig, webSlices } from './rig.ts';

let authority: CertificateAuthority;
let serverCert: Issued;
let root: string;
let rig: Rig | undefined;

before(async () => {
  authority = await CertificateAuthority.create({ commonName: 'cluster CA' });
  serverCert = await authority.issue({ commonName: 'kubernetes', ipAddresses: ['127.0.0.1'] });
  root = realpathSync(mkdtempSync(join(tmpdir(), 'turnout-auth-')));
});
after(() => rmSync(root, { recursive: true }));
afterEach(async () => {
  await rig?.closeAll();
  rig = undefined;
});

/** Watches with the access that `auth` leads to. */
async function started(auth: (api: KubeApiServer) => Partial<AuthOptions>, server: KubeApiServerOptions) {
  let access: ReturnType<typeof ambientAccess> | undefined;
  rig = await Rig.start({
    server,
    access: (api) => {
      access ??= ambientAccess({ env: {}, kubeconfig: undefined, ...auth(api) });
      return access;
    },
  });
  rig.putSlice('web-1', ['10.0.0.1']);
  return { rig, web: rig.see(webSlices) };
}

const httpsServer = (tokens: readonly string[]) => ({
  tls: { key: serverCert.keyPem, cert: serverCert.certPem },
  tokens,
});

let volumes = 0;

/** A directory as the kubelet makes it: the files are links through `..data`, which is swapped. */
class Volume {
  readonly directory = join(root, `volume-${++volumes}`);
  #version = 0;

  constructor(files: Readonly<Record<string, string>>) {
    mkdirSync(this.directory);
    this.swap(files);
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(this.directory, name));
  }

  swap(files: Readonly<Record<string, string>>): void {
    const version = `..${++this.#version}`;
    mkdirSync(join(this.directory, version));
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(this.directory, version, name), text);
    symlinkSync(version, join(this.directory, '..next'));
    renameSync(join(this.directory, '..next'), join(this.directory, '..data'));
  }
}

const inCluster = (api: KubeApiServer, serviceAccountDir: string): Partial<AuthOptions> => ({
  env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(api.port) },
  serviceAccountDir,
});

/** All requests after the first `from` were sent with this token. */
function assertSent(token: string, from: number): void {
  const requests = rig?.api.requests.slice(from) ?? [];
  assert.ok(requests.length > 0);
  for (const { authorization } of requests) assert.equal(authorization, `Bearer ${token}`);
}

describe('Access by host and port', () => {
  it('is plain HTTP without credentials', async () => {
    rig = await Rig.start();
    const web = rig.see(webSlices);
    await until(
      () => web.now === '',
      () => web.now,
    );
    assert.equal(rig.api.requests[0]?.authorization, undefined);
    assert.equal(plainAccess('::1', 80).server.href, 'http://[::1]/');
  });
});

describe("Access by the pod's service account", () => {
  it('verifies the server by the CA and sends the token', async () => {
    const volume = new Volume({ token: 'one\n', 'ca.crt': authority.certPem });
    const { web } = await started((api) => inCluster(api, volume.directory), httpsServer(['one']));
    await until(
      () => web.now === '10.0.0.1',
      () => web.now,
    );
    assertSent('one', 0);
  });

  it('refuses a server of another CA, and says why', async () => {
    const other = await CertificateAuthority.create({ commonName: 'other' });
    const volume = new Volume({ token: 'one', 'ca.crt': other.certPem });
    const { web } = await started((api) => inCluster(api, volume.directory), httpsServer(['one']));
    await until(
      () => web.now.startsWith('failed'),
      () => web.now,
    );
    assert.match(web.now, /unable to verify|self-signed/);
  });

  it('says that a token cannot be sent, and goes on with the next one', async () => {
    const volume = new Volume({ token: 'one\ntwo', 'ca.crt': authority.certPem });
    const { rig, web } = await started((api) => inCluster(api, volume.directory), httpsServer(['one']));
    await until(
      () => web.now.startsWith('failed'),
      () => web.now,
    );
    assert.match(web.now, /no access to the Kubernetes API: Invalid character in header/);
    volume.swap({ token: 'one', 'ca.crt': authority.certPem });
    await rig.advanceUntil(() => web.now === '10.0.0.1', 31_000);
  });

  it('uses a new token, swapped in while it runs, with the next request', async () => {
    const volume = new Volume({ token: 'one', 'ca.crt': authority.certPem });
    const { rig, web } = await started((api) => inCluster(api, volume.directory), httpsServer(['one']));
    await until(
      () => web.now === '10.0.0.1' && rig.api.watches.length === 1,
      () => web.now,
    );
    volume.swap({ token: 'two', 'ca.crt': authority.certPem });
    rig.api.tokens = ['two'];
    rig.api.expire();
    rig.putSlice('web-1', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.2',
      () => web.now,
    );
    assert.deepEqual(rig.logged, []);
  });

  it('keeps the last good token and CA while new ones are half written', async () => {
    const volume = new Volume({ token: 'one', 'ca.crt': authority.certPem });
    const { rig, web } = await started((api) => inCluster(api, volume.directory), httpsServer(['one']));
    await until(
      () => web.now === '10.0.0.1' && rig.api.watches.length === 1,
      () => web.now,
    );
    const from = rig.api.requests.length;
    volume.swap({ token: '', 'ca.crt': authority.certPem.slice(0, 100) });
    rig.api.expire();
    rig.putSlice('web-1', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.2',
      () => web.now,
    );
    assertSent('one', from);
  });

  it('follows the CA when the whole cluster gets a new one', async () => {
    const volume = new Volume({ token: 'one', 'ca.crt': authority.certPem });
    const { rig, web } = await started((api) => inCluster(api, volume.directory), httpsServer(['one']));
    await until(
      () => web.now === '10.0.0.1' && rig.api.watches.length === 1,
      () => web.now,
    );
    const next = await CertificateAuthority.create({ commonName: 'cluster CA' });
    const { certPem: cert, keyPem: key } = await next.issue({ commonName: 'k', ipAddresses: ['127.0.0.1'] });
    await rig.api.stop();
    rig.api.tls = { cert, key };
    volume.swap({ token: 'one', 'ca.crt': next.certPem });
    await rig.api.restart();
    rig.putSlice('web-1', ['10.0.0.2']);
    await rig.advanceUntil(() => web.now === '10.0.0.2', 120_000);
  });

  it('says what is missing', async () => {
    const volume = new Volume({ token: ' ', 'ca.crt': authority.certPem });
    const { web } = await started((api) => inCluster(api, volume.directory), httpsServer(['one']));
    await until(
      () => web.now.startsWith('failed'),
      () => web.now,
    );
    assert.match(web.now, /there is no token in .*token/);
  });
});

describe('Access by a kubeconfig', () => {
  const ca = (): string => Buffer.from(authority.certPem).toString('base64');

  function kubeconfig(server: string, user: string, cluster = ''): string {
    const file = join(root, `config-${++volumes}`);
    writeFileSync(
      file,
      `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "${server}"${cluster}}}]
users: [{name: u, user: ${user}}]
`,
    );
    return file;
  }

  it('uses its token over HTTPS, named on the command line', async () => {
    const { web } = await started(
      (api) => ({
        kubeconfig: kubeconfig(api.url, '{token: t}', `, certificate-authority-data: ${ca()}`),
        env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' },
      }),
      httpsServer(['t']),
    );
    await until(
      () => web.now === '10.0.0.1',
      () => web.now,
    );
    assertSent('t', 0);
  });

  it('reads its token file again, rather than its token', async () => {
    writeFileSync(join(root, 'token-file'), 'one\n');
    const user = '{token: stale, tokenFile: token-file}';
    const { rig, web } = await started(
      (api) => ({ kubeconfig: kubeconfig(api.url, user, `, certificate-authority-data: ${ca()}`) }),
      httpsServer(['one']),
    );
    await until(
      () => web.now === '10.0.0.1' && rig.api.watches.length === 1,
      () => web.now,
    );
    assertSent('one', 0);
    writeFileSync(join(root, 'token-file'), 'two\n');
    rig.api.tokens = ['two'];
    rig.api.expire();
    rig.putSlice('web-1', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.2',
      () => web.now,
    );
  });

  it('uses its client certificate, named by KUBECONFIG', async () => {
    const { certPem, keyPem } = await authority.issue({ commonName: 'admin' });
    const data = (pem: string): string => Buffer.from(pem).toString('base64');
    const user = `{client-certificate-data: ${data(certPem)}, client-key-data: ${data(keyPem)}}`;
    const tls = {
      ...httpsServer([]).tls,
      ca: authority.certPem,
      requestCert: true,
      rejectUnauthorized: true,
    };
    const { web } = await started(
      (api) => ({
        env: { KUBECONFIG: `:${kubeconfig(api.url, user, `, certificate-authority-data: ${ca()}`)}` },
      }),
      { tls },
    );
    await until(
      () => web.now === '10.0.0.1',
      () => web.now,
    );
  });

  it('runs its exec plugin for a token', async () => {
    const credential = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'made' },
    });
    const user = `{exec: {apiVersion: client.authentication.k8s.io/v1, command: echo, args: ['${credential}']}}`;
    const { web } = await started(
      (api) => ({ kubeconfig: kubeconfig(api.url, user, `, certificate-authority-data: ${ca()}`) }),
      httpsServer(['made']),
    );
    await until(
      () => web.now === '10.0.0.1',
      () => web.now,
    );
    assertSent('made', 0);
  });

  it('reaches a plain HTTP server too', async () => {
    const { web } = await started((api) => ({ kubeconfig: kubeconfig(api.url, '{token: t}') }), {});
    await until(
      () => web.now === '10.0.0.1',
      () => web.now,
    );
    assertSent('t', 0);
  });

  it('that cannot be read is a failure that names it, and is looked at again', async () => {
    const { web } = await started(() => ({ kubeconfig: join(root, 'nowhere') }), {});
    await until(
      () => web.now.startsWith('failed'),
      () => web.now,
    );
    assert.match(web.now, /cannot read the kubeconfig .*nowhere.*ENOENT/);
  });
});

describe('The place where the process runs', () => {
  it('is localhost:8001 when nothing tells another', async () => {
    const access = await ambientAccess({ env: {}, kubeconfig: undefined });
    assert.equal(access.server.href, 'http://localhost:8001/');
  });

  it('is no service account without its token', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
    const access = await ambientAccess({ env, kubeconfig: undefined, serviceAccountDir: join(root, 'none') });
    assert.equal(access.server.href, 'http://localhost:8001/');
    assert.match(access.name, /localhost:8001 without credentials, because this pod has no .*none\/token$/);
  });
});
