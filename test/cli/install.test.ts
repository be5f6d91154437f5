import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { renderDiagnostic } from '../../config/errors.ts';
import { loadConfig } from '../../config/load.ts';
import { withoutKubectl } from '../support/kubectl.ts';
import { runProgram } from './program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const overlays = join(root, 'k8s/manifests/overlays');

const variants: readonly (readonly [overlay: string, words: readonly string[]])[] = [
  ['tls', ['--tls']],
  ['plain', ['--plain']],
  ['host-network', ['--host-network']],
  ['host-network-plain', ['--host-network', '--plain']],
  ['local-service', ['--local-service']],
  ['local-service-plain', ['--local-service', '--plain']],
];

type Json = { [key: string]: Json } & Json[] & string;
type Objects = ReadonlyMap<string, Json>;

/** By kind and name. */
function objectsOf(text: string): Objects {
  const all = parseAllDocuments(text).map((document) => document.toJS() as Json);
  return new Map(all.map((object) => [`${object['kind']}/${object['metadata']?.['name']}`, object]));
}

async function install(...words: string[]): Promise<Objects> {
  const { code, stdout, stderr } = await runProgram(['install', ...words]);
  assert.deepEqual([code, stderr], [0, '']);
  return objectsOf(stdout);
}

describe('turnout install', () => {
  for (const [overlay, words] of variants) {
    it(`prints with ${words.join(' ')} what kubectl kustomize makes of overlays/${overlay}`, {
      skip: withoutKubectl,
    }, async () => {
      const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(overlays, overlay)], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      const [ours, theirs] = [await install(...words), objectsOf(stdout)];
      assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
      for (const [name, object] of theirs) assert.deepEqual(ours.get(name), object, name);
    });

    it(`prints with ${words.join(' ')} a configuration that loads without a warning`, async () => {
      const objects = await install(...words);
      const text = objects.get('ConfigMap/turnout')?.['data']?.['config.yaml'] ?? '';
      const loaded = loadConfig(text, { source: overlay, readable: () => 'file' });
      const errors = 'errors' in loaded ? loaded.errors : [];
      assert.equal([...errors, ...loaded.warnings].map(renderDiagnostic).join('\n'), '');
      assert.equal(text.includes('trustCertsBundle'), !words.includes('--plain'));
    });
  }

  it('lets two pods share a node during a rollout, but where both would claim a port of it', async () => {
    for (const [overlay, words] of variants) {
      const daemonSet = (await install(...words)).get('DaemonSet/turnout');
      const text = JSON.stringify(daemonSet);
      const surges = text.includes('"maxSurge":1,"maxUnavailable":0');
      assert.equal(surges, !text.includes('hostPort'), overlay);
      if (text.includes('"hostNetwork":true')) assert.ok(!text.includes('containerPort'), overlay);
    }
  });

  it('takes another image and another namespace, everywhere', async () => {
    const objects = await install('--image', 'reg.io/turnout:1@sha256:ab', '--namespace', 'mesh');
    const text = JSON.stringify([...objects.values()]);
    assert.match(text, /"image":"reg\.io\/turnout:1@sha256:ab"/);
    assert.ok(objects.has('Namespace/mesh') && !/namespace"?: ?"?turnout\b/.test(text));
    assert.match(text, /namespace: mesh\\n\s+service: turnout/);
    assert.match(text, /fleet: \{dst: \/#\/io\.l5d\.k8s\/mesh\/admin\/turnout-fleet\}/);
    for (const object of objects.values()) {
      assert.equal(object['metadata']?.['namespace'] ?? 'mesh', 'mesh');
    }
  });

  it('shows the other nodes without a right that the routing would not need', async () => {
    for (const [, words] of variants) {
      const objects = await install(...words);
      const text = objects.get('ConfigMap/turnout')?.['data']?.['config.yaml'] ?? '';
      const loaded = loadConfig(text, { source: 'config.yaml', readable: () => 'file' });
      assert.ok('spec' in loaded);
      const [namespace, port, name] = (loaded.spec.admin.fleet?.dst ?? '').split('/').slice(3);
      const service = objects.get(`Service/${name}`);
      assert.equal(service?.['metadata']?.['namespace'], namespace);
      assert.deepEqual(
        [service?.['spec']?.['publishNotReadyAddresses'], service?.['spec']?.['ports']],
        [true, [{ name: port, port: 9990, targetPort: 9990 }]],
      );
      const daemonSet = objects.get('DaemonSet/turnout');
      assert.deepEqual(service?.['spec']?.['selector'], daemonSet?.['spec']?.['selector']?.['matchLabels']);
      assert.deepEqual(
        objects.get('ClusterRole/turnout')?.['rules']?.flatMap((rule) => rule['resources'] ?? []),
        ['endpoints', 'services', 'endpointslices'],
      );
    }
  });

  it('runs the image of its own version', async () => {
    const manifest: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const text = JSON.stringify([...(await install()).values()]);
    assert.ok(text.includes(`"image":"turnout:${manifest.version}"`));
  });

  for (const example of ['hello-world', 'node-name']) {
    it(`has the example ${example}, which the strictest Pod Security allows`, {
      skip: withoutKubectl,
    }, () => {
      const folder = join(root, 'k8s/manifests/examples', example);
      const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      for (const object of objectsOf(stdout).values()) {
        const text = JSON.stringify(object['spec']?.['template'] ?? {});
        if (text === '{}') continue;
        for (const need of ['"runAsNonRoot":true', '"drop":["ALL"]', '"allowPrivilegeEscalation":false']) {
          assert.ok(text.includes(need), `${object['kind']}: ${need}`);
        }
        assert.match(text, /"seccompProfile":\{"type":"RuntimeDefault"\}/);
      }
    });
  }

  it('refuses what cannot be', async () => {
    const cases: readonly (readonly [words: string[], message: RegExp])[] = [
      [['--tls', '--plain'], /--tls and --plain exclude each other/],
      [['--host-network', '--local-service'], /exclude each other/],
      [['--namespace', 'A_b'], /a namespace has lower-case letters/],
      [['--image', 'a b'], /--image takes the reference of an image, not "a b"/],
      [['x'], /install takes no operand: x is too much/],
    ];
    for (const [words, message] of cases) {
      const { code, stdout, stderr } = await runProgram(['install', ...words]);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    }
  });
});
