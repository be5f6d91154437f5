import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Linker } from '../../src/linker.ts';
import { start } from '../../src/start.ts';
import { until } from '../support/until.ts';
import { ask, withAdmin } from './rig.ts';

type Node = {
  readonly name: string;
  readonly node?: { readonly routers: string[] };
  readonly problem?: string;
};

const config = (admin: string, label: string): string =>
  `admin: {port: 0${admin}}\nrouters: [{protocol: http, label: ${label}, servers: [{port: 0}]}]\n`;

async function startNode(text: string): Promise<Linker> {
  const started = await start(loadConfig(text, { source: 'a.yaml' }), { threads: 0, log: silentLog });
  assert.ok(started.ok, started.ok ? '' : started.errors.join('\n'));
  return started.linker;
}

describe('The fleet', () => {
  let other: Linker;
  let own: Linker;
  let silent: Server;
  before(async () => {
    other = await startNode(config('', 'there'));
    silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const peers = [
      `{name: other, url: "http://127.0.0.1:${other.adminPort}"}`,
      '{name: dead, url: "http://127.0.0.1:1"}',
      `{name: silent, url: "http://127.0.0.1:${(silent.address() as AddressInfo).port}"}`,
    ];
    own = await startNode(config(`, fleet: {peers: [${peers.join(', ')}]}`, 'here'));
  });
  after(async () => {
    await own.close(0);
    await other.close(0);
    silent.close();
    silent.closeAllConnections();
  });
  const get = (path: string, method = 'GET') => ask(own.adminPort, path, { method });

  it('tells of each node what it says of itself, or why it says nothing', async () => {
    const nodes: readonly Node[] = JSON.parse((await get('/fleet.json')).body);
    assert.deepEqual(
      nodes.map(({ name }) => name),
      ['dead', 'other', 'silent'],
    );
    assert.match(nodes[0]?.problem ?? '', /ECONNREFUSED|bad port/);
    assert.deepEqual(nodes[1]?.node?.routers, ['there']);
    assert.equal(nodes[2]?.problem, 'no answer within 1500 ms');
  });

  it("shows another node's pages, whole and relative", async () => {
    const redirect = await get('/node/other');
    assert.deepEqual([redirect.status, redirect.headers['location']], [308, 'other/']);
    assert.match((await get('/node/other/')).body, /src="files\/main\.js"/);
    assert.equal(JSON.parse((await get('/node/other/routers.json')).body)[0].label, 'there');
    const identified = await get('/node/other/identify.json?host=web');
    assert.equal(JSON.parse(identified.body).there.path, '/svc/web');
    assert.equal((await get('/node/other/routers.json', 'HEAD')).status, 200);
  });

  it('only looks: nothing that changes, profiles, tells headers or is no page', async () => {
    for (const path of [
      '/admin/shutdown',
      '/admin/tracing?disable=true',
      '/admin/pprof/heap',
      '/admin/threads.json',
      '/admin/registry.json',
      '/config',
      '/node/other/',
      '/files/../config',
      '/files/%2e%2e/config',
      '//routers.json',
      '/x',
    ]) {
      assert.equal((await get(`/node/other${path}`)).status, 404, path);
    }
    for (const method of ['POST', 'PUT', 'DELETE']) {
      assert.equal((await get('/node/other/logging.json?logger=root&level=OFF', method)).status, 405);
    }
    assert.equal((await get('/node/other/admin/tap?headers=1')).status, 403);
  });

  it('leads to nodes that are known, and nowhere else', async () => {
    assert.equal((await get('/node/unknown/')).status, 404);
    assert.equal((await get('/node/127.0.0.1:80/')).status, 404);
    const dead = await get('/node/dead/');
    assert.equal(dead.status, 502);
    assert.match(dead.body, /^The node dead cannot be reached/);
  });

  it('is also what a name is bound to, followed as it changes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turnout-fleet-'));
    writeFileSync(join(folder, 'admin'), `127.0.0.1 ${other.adminPort}\n`);
    const fleet = ', fleet: {dst: /#/io.l5d.fs/admin}';
    const namers = `namers: [{kind: io.l5d.fs, rootDir: ${folder}}]\n`;
    const node = await startNode(`${namers}${config(fleet, 'here')}`);
    const name = `127.0.0.1:${other.adminPort}`;
    const becomes = async (status: number): Promise<void> => {
      const end = performance.now() + 4000;
      while ((await ask(node.adminPort, `/node/${name}/admin/ping`)).status !== status) {
        assert.ok(performance.now() < end, `it never answered ${status}`);
      }
    };
    await becomes(200);
    writeFileSync(join(folder, 'admin'), '127.0.0.1 1\n');
    await becomes(404);
    await node.close(0);
    rmSync(folder, { recursive: true });
  });

  it('lets the live view of another node go with its reader', async () => {
    let open = 0;
    const live = createServer((_request, answer) => {
      open++;
      answer.writeHead(200).write('event: x\n\n');
      answer.once('close', () => open--);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => live.once('listening', resolve));
    const fleet = () => [{ name: 'live', url: `http://127.0.0.1:${(live.address() as AddressInfo).port}` }];
    await withAdmin({ sources: { fleet } }, async ({ server }) => {
      const abort = new AbortController();
      const answer = await fetch(`http://127.0.0.1:${server.port}/node/live/admin/overview`, abort);
      assert.equal(answer.status, 200);
      assert.equal(open, 1);
      abort.abort();
      await until(() => open === 0, 'the end of the live view');
    });
    live.close();
  });

  it('is configured with names and addresses that can be', () => {
    for (const [peers, problem] of [
      ['{name: a/b, url: "http://x"}', 'is not a name of a node'],
      ['{name: .., url: "http://x"}', 'is not a name of a node'],
      ['{name: a, url: "file:///etc"}', 'is not the address of an admin server'],
      ['{name: a, url: "http://x/y"}', 'is not the address of an admin server'],
      ['{name: a, url: "http://x"}, {name: a, url: "http://y"}', 'two nodes have the name "a"'],
    ]) {
      const loaded = loadConfig(config(`, fleet: {peers: [${peers}]}`, 'x'), { source: 'a.yaml' });
      assert.ok(
        'errors' in loaded && loaded.errors.some(({ message }) => message.includes(problem ?? '')),
        peers,
      );
    }
  });
});
