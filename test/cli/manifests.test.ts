/** Whatever stands in k8s/manifests, as an API server would judge it. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { build } from '../../src/install/kustomize.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { Kubectl, withoutKubectl } from '../support/kubectl.ts';
import { problemsOf } from '../support/manifest-shapes.ts';
import { runProgram } from './program.ts';

const folder = fileURLToPath(new URL('../../k8s/manifests', import.meta.url));
const certificates = readFileSync(join(folder, 'certificates.yml'), 'utf8');
const examples = ['examples/hello-world', 'examples/node-name'];
const variants = [
  ['--tls'],
  ['--plain'],
  ['--host-network'],
  ['--host-network', '--plain'],
  ['--local-service'],
  ['--local-service', '--plain'],
];

type Fields = { readonly [key: string]: unknown };
type Job = {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly [
          { readonly command: [string, ...string[]]; readonly env: readonly { readonly name: string }[] },
        ];
      };
    };
  };
};
const objectsIn = (text: string): Fields[] => parseAllDocuments(text).map((document) => document.toJS());

function check(objects: readonly Fields[]): void {
  assert.ok(objects.length > 0);
  assert.deepEqual(objects.flatMap(problemsOf), []);
}

describe('The manifests', () => {
  for (const words of variants) {
    it(`have no field that the API does not know: install ${words.join(' ')}`, async () => {
      check(objectsIn((await runProgram(['install', ...words])).stdout));
    });
  }

  it('have none in the component for Ingress objects and in certificates.yml either', () => {
    check(build(join(folder, 'components/ingress')));
    check(objectsIn(certificates));
  });

  it('would be found out if they had', () => {
    const [pod] = objectsIn(
      '{apiVersion: v1, kind: Service, metadata: {name: a, label: {}}, spec: {ports: 4}}',
    );
    assert.deepEqual(problemsOf(pod ?? {}), [
      'Service.metadata.label: there is no such field',
      'Service.spec.ports: not a list',
    ]);
    assert.deepEqual(problemsOf({ apiVersion: 'v1', kind: 'Job' }), ['v1 has no Job']);
  });

  it('make the Secret by the job of certificates.yml, and leave one that is there', async () => {
    const api = await KubeApiServer.start({ tokens: ['secret'] });
    const account = mkdtempSync(join(tmpdir(), 'turnout-account-'));
    writeFileSync(join(account, 'token'), 'secret\n');
    const job = objectsIn(certificates).find(({ kind }) => kind === 'Job') as unknown as Job;
    const { command, env: variables } = job.spec.template.spec.containers[0];
    const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const env = { API: api.url, ACCOUNT: account, PROGRAM: program, PATH: process.env['PATH'] };
    assert.deepEqual(variables.map(({ name }) => name).sort(), [
      'ACCOUNT',
      'API',
      'NODE_EXTRA_CA_CERTS',
      'PROGRAM',
    ]);
    const run = () => promisify(execFile)(command[0], command.slice(1), { env });
    assert.equal((await run()).stdout, 'the Secret turnout-certificates is made\n');
    const made = api.get('secrets', 'turnout', 'turnout-certificates');
    const data = made?.['data'] as Record<string, string>;
    const pem = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString();
    const certificate = new X509Certificate(pem('tls.crt'));
    assert.ok(certificate.verify(new X509Certificate(pem('ca.crt')).publicKey));
    assert.equal(certificate.subjectAltName, 'DNS:turnout');
    assert.match((await run()).stdout, /already exists/);
    assert.deepEqual(api.get('secrets', 'turnout', 'turnout-certificates'), made);
    rmSync(account, { recursive: true });
    await api.close();
  });

  describe('as kubectl takes them', { skip: withoutKubectl }, () => {
    let api: KubeApiServer;
    let kubectl: Kubectl;
    before(async () => {
      api = await KubeApiServer.start();
      kubectl = new Kubectl(api.url);
    });
    after(async () => {
      kubectl.close();
      await api.close();
    });

    /** Everything is created, or would be, and nothing is said about it. */
    async function create(text: string, dryRun: string[] = ['--dry-run=client']): Promise<void> {
      const said = await kubectl.run(['create', ...dryRun, '-f', '-'], text);
      const lines = said.trim().split('\n');
      assert.equal(lines.length, objectsIn(text).length, said);
      for (const line of lines) assert.match(line, dryRun.length > 0 ? / created \(dry run\)$/ : / created$/);
    }

    for (const words of variants) {
      it(`are accepted by create --dry-run=client: install ${words.join(' ')}`, async () => {
        await create((await runProgram(['install', ...words])).stdout);
        assert.deepEqual(api.asked('other', /^\/api.*(POST|PATCH)/), []);
      });
    }

    for (const example of examples) {
      it(`have the example ${example}, as kustomize renders it`, async () => {
        const { stdout, stderr } = spawnSync('kubectl', ['kustomize', join(folder, example)], {
          encoding: 'utf8',
        });
        assert.equal(stderr, '');
        check(objectsIn(stdout));
        await create(stdout);
      });
    }

    it('are created, the helper for certificates after them, and unchanged when they are applied again', async () => {
      const { stdout } = await runProgram(['install']);
      await kubectl.run(['apply', '-f', '-'], stdout);
      const again = await kubectl.run(['apply', '-f', '-'], stdout);
      for (const line of again.trim().split('\n')) assert.match(line, / unchanged$/);
      await create(certificates, []);
    });
  });
});
