import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { expiry } from '../../src/check/before-start.ts';
import { checked, checkText } from '../../src/check/result.ts';
import { paintFor } from '../../src/commands/common.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { Demo } from './demo.ts';
import { freePorts, runProgram } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-check-'));
after(() => rmSync(folder, { recursive: true }));

let demo: Demo;
before(async () => {
  demo = await Demo.start();
});
after(() => demo.close());

type Checked = { description: string; result: string; hint?: string; error?: string };
type Json = { success: boolean; categories: { categoryName: string; checks: Checked[] }[] };

function config(ports: readonly number[], more = ''): string {
  const [router = 0, admin = 0] = ports;
  return `admin: {port: ${admin}}
routers:
- protocol: http
  servers: [{port: ${router}}]
  dtab: /svc => /$/inet/127.1/80;
${more}`;
}

async function checksOf(
  file: string,
  ...words: string[]
): Promise<{ code: number | string; byName: Map<string, Checked[]> }> {
  const { code, stdout, stderr } = await runProgram(['check', file, '-o', 'json', ...words]);
  assert.equal(stderr, '');
  const { success, categories } = JSON.parse(stdout) as Json;
  assert.equal(success, code === 0);
  return { code, byName: new Map(categories.map(({ categoryName, checks }) => [categoryName, checks])) };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('turnout check', () => {
  it('goes through a router that runs: admin, ports, certificates, clock, and a request through each server', async () => {
    const { code, stdout } = await demo.turnout('check');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^admin\n-----\n√ the admin server at 127\.0\.0\.1:\d+ answers\n/);
    assert.match(stdout, /^√ outgoing accepts connections on 127\.0\.0\.1:\d+$/m);
    assert.match(stdout, /^√ .*incoming\.pem is valid, 30 days left$/m);
    assert.match(stdout, /^√ a request through incoming \(127\.0\.0\.1:\d+\) is routed$/m);
    assert.match(stdout, /\nStatus check results are √\n$/);
  });

  it('asks an application for a URL', async () => {
    const good = await demo.turnout('check', '--request', 'http://hello/');
    assert.match(good.stdout, /^√ http:\/\/hello\/ through outgoing is answered$/m);
    const bad = await demo.turnout('check', '--request', 'http://wrld/');
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^× http:\/\/wrld\/ through outgoing is answered\n {4}with 502 no-endpoints\n/m);
  });

  it('ends with the first check when nobody answers', async () => {
    const { code, stdout } = await runProgram(['check', '--admin', '127.0.0.1:1']);
    assert.equal(code, 1);
    assert.match(stdout, /^admin\n-----\n× the admin server at 127\.0\.0\.1:1 answers\n/);
    assert.equal(stdout.match(/^×/gm)?.length, 1);
  });

  it('says before a start what stands in its way: mistakes, ports, files', async () => {
    const ports = await freePorts(2);
    const good = await checksOf(file('good.yaml', config(ports)));
    assert.equal(good.code, 0);
    assert.ok([...(good.byName.get('ports')?.values() ?? [])].every(({ result }) => result === 'success'));
    const [, admin = ''] = demo.admin.split(':');
    const taken = await checksOf(file('taken.yaml', config([ports[0] ?? 0, Number(admin)])));
    assert.equal(taken.code, 1);
    assert.deepEqual(taken.byName.get('ports')?.[0], {
      description: `admin can listen on 127.0.0.1:${admin}`,
      result: 'error',
      hint: 'docs/operations.md#port-free',
      error: 'another process listens there',
    });
    const wrong = await checksOf(file('wrong.yaml', 'routers: 3\n'));
    assert.match(wrong.byName.get('configuration')?.[0]?.error ?? '', /wrong\.yaml:1:10/);
    const unused = await checksOf(file('unused.yaml', config(ports).replace('dtab: ', 'dtab: /a => /b; ')));
    assert.equal(unused.code, 0);
    assert.match(unused.byName.get('configuration')?.[1]?.error ?? '', /unreachable/);
  });

  it('asks the Kubernetes API for each verb that the configuration needs, and shows the rule that is missing', async () => {
    const api = await KubeApiServer.start({ tokens: ['secret'] });
    const open = await KubeApiServer.start();
    const namer = (port: number): string => `namers: [{kind: io.l5d.k8s, host: 127.0.0.1, port: ${port}}]\n`;
    try {
      const ports = await freePorts(2);
      const allowed = await checksOf(file('kube.yaml', config(ports, namer(open.port))));
      const said = allowed.byName
        .get('kubernetes-api')
        ?.map(({ description, result }) => `${result}: ${description}`);
      assert.deepEqual(said, [
        'success: can list endpointslices in all namespaces',
        'success: can watch endpointslices in all namespaces',
        'success: can list services in all namespaces',
        'success: can watch services in all namespaces',
      ]);
      const refused = await checksOf(
        file('kube.yaml', config(ports, namer(api.port))),
        '--namespace',
        'shop',
      );
      assert.equal(refused.code, 1);
      const [first] = refused.byName.get('kubernetes-api') ?? [];
      assert.equal(first?.description, 'can list endpointslices in namespace shop');
      assert.match(first?.error ?? '', /401 .*verbs: \["list", "watch"\]/);
    } finally {
      await Promise.all([api.close(), open.close()]);
    }
  });

  it('has a section of hints for each check', () => {
    const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    const [, union = ''] = /export type CheckId =([^;]*);/.exec(read('src/check/result.ts')) ?? [];
    const ids = [...union.matchAll(/'([a-z-]+)'/g)].map(([, id]) => id);
    const sections = [...read('docs/operations.md').matchAll(/^### ([a-z-]+)$/gm)].map(([, id]) => id);
    assert.ok(ids.length > 10);
    assert.deepEqual(sections.sort(), ids.sort());
  });

  it('has a glyph for each result', () => {
    const paint = paintFor({ write() {} });
    assert.equal(checkText(checked('dns', 'a'), paint), '√ a\n');
    assert.match(
      checkText(checked('dns', 'a', 'b\nc'), paint),
      /^× a\n {4}b\n {4}c\n {4}see docs\/operations\.md#dns for hints\n$/,
    );
    assert.equal(expiry('x', -86_400_000).result, 'error');
    assert.equal(expiry('x', 3 * 86_400_000).result, 'warning');
    assert.equal(expiry('x', 30 * 86_400_000).result, 'success');
  });
});
