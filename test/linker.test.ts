import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { silentLog } from '../src/base/log.ts';
import type { Linker } from '../src/linker.ts';
import { start as startLoaded } from '../src/start.ts';
import { type Application, named, startApplication } from './e2e/mesh.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-linker-'));
after(() => rmSync(folder, { recursive: true }));

const config = (port = 0, extra = ''): string => `
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: ${folder}}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  servers: [{port: ${port}}]
${extra}`;

const tryStart = (text: string, threads: number) =>
  startLoaded(loadConfig(text, { source: 'test.yaml' }), { threads, log: silentLog });

async function start(text: string, threads: number): Promise<Linker> {
  const started = await tryStart(text, threads);
  assert.ok(started.ok, started.ok ? '' : started.errors.join('\n'));
  return started.linker;
}

async function withWeb(use: (web: Application) => Promise<void>): Promise<void> {
  const web = await startApplication(named('web'));
  writeFileSync(join(folder, 'web'), `127.0.0.1 ${web.port}\n`);
  await use(web);
  await web.close();
}

const call = (linker: Linker, headers: Record<string, string>): Promise<Response> =>
  fetch(`http://127.0.0.1:${linker.ports[0]?.[0]}/`, { headers });

describe('Linker', () => {
  it('shares a port with another process when reusePort is set, and names each server by its label', async () => {
    const lines: Record<string, unknown>[] = [];
    const shared = (port: number): string =>
      config(port).replace(
        `{port: ${port}}]`,
        `{port: ${port}, label: front, socketOptions: {reusePort: true}}]`,
      );
    const log = { ...silentLog, info: (_text: string, fields?: object) => lines.push({ ...fields }) };
    const one = await startLoaded(loadConfig(shared(0), { source: 'test.yaml' }), { threads: 0, log });
    assert.ok(one.ok);
    const port = one.linker.ports[0]?.[0] ?? 0;
    assert.equal(lines[0]?.['router http'], `front 127.0.0.1:${port}`);
    const two = await start(shared(port), 0);
    assert.equal(two.ports[0]?.[0], port);
    await two.close(0);
    await one.linker.close(0);
  });

  for (const threads of [0, 1, 2]) {
    it(`routes by name with ${threads} data threads, and leaves nothing open when it is closed`, async () => {
      await withWeb(async () => {
        const linker = await start(config(), threads);
        // fetch sends its own Host: the name comes from the override.
        const answer = await call(linker, { 'l5d-dtab': '/svc => /#/io.l5d.fs/web' });
        assert.equal(await answer.text(), 'web');
        const metrics = await fetch(`http://127.0.0.1:${linker.adminPort}/admin/metrics.json`);
        const names = (await metrics.json()) as Record<string, number>;
        assert.equal(names['rt/http/server/127.0.0.1/0/requests'], 1);
        await linker.close(1000);
        await assert.rejects(call(linker, {}));
      });
    });
  }

  it('names the port that another process listens on', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    after(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    for (const threads of [0, 1, 2]) {
      const started = await tryStart(config(port), threads);
      assert.ok(!started.ok);
      assert.match(started.errors.join('\n'), new RegExp(`127\\.0\\.0\\.1:${port}.*another process listens`));
    }
  });

  it('reports every certificate file that cannot be used', async () => {
    const text = config(0).replace(
      '{port: 0}]',
      '{port: 0, tls: {certPath: /no/cert.pem, keyPath: /no/key.pem}}]',
    );
    const started = await tryStart(text, 0);
    assert.ok(!started.ok);
    assert.match(started.errors.join('\n'), /routers\[0\]\.servers\[0\]\.tls.*certPath.*\/no\/cert\.pem/);
    assert.match(started.errors.join('\n'), /keyPath.*\/no\/key\.pem/);
  });

  it('is not ready while it stops, and answers what it has accepted', async () => {
    let answerNow: (() => void) | undefined;
    const slow = await startApplication((request, response) => {
      request.resume();
      answerNow = () => response.end('done');
    });
    writeFileSync(join(folder, 'slow'), `127.0.0.1 ${slow.port}\n`);
    const linker = await start(config(), 1);
    const answer = call(linker, { 'l5d-dtab': '/svc => /#/io.l5d.fs/slow' });
    while (answerNow === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = linker.close(5000);
    const ready = await fetch(`http://127.0.0.1:${linker.adminPort}/readyz`);
    assert.equal(ready.status, 503);
    answerNow();
    const response = await answer;
    assert.equal(await response.text(), 'done');
    assert.equal(response.headers.get('connection'), 'close');
    await closed;
    await slow.close();
  });

  it('tells on the identifier port what its routers would make of a request', async () => {
    const second = `- protocol: http
  label: paths
  identifier: [{kind: io.l5d.path, segments: 2}, {kind: io.l5d.header}]
  servers: [{port: 0}]`;
    const linker = await start(config(0, second).replace('{port: 0}', '{port: 0, httpIdentifierPort: 0}'), 0);
    const ask = async (headers: Record<string, string>): Promise<unknown> =>
      (await fetch(`http://127.0.0.1:${linker.identifierPort}/`, { headers })).json();
    const host = `127.0.0.1:${linker.identifierPort}`;
    assert.deepEqual(await ask({ 'l5d-dtab': '/x => /y' }), {
      http: { path: `/svc/${host}`, dtab: '/svc=>/#/io.l5d.fs;/x=>/y' },
      paths: { error: 'l5d-name header is absent', code: 'unidentified' },
    });
    const path = await fetch(`http://127.0.0.1:${linker.identifierPort}/a/b?c`, { method: 'POST' });
    assert.deepEqual(((await path.json()) as Record<string, unknown>)['paths'], { path: '/svc/a/b' });
    const bad = (await ask({ 'l5d-dtab': '/x =>', 'l5d-name': '/a' })) as Record<string, { error: string }>;
    assert.match(bad['http']?.error ?? '', /expected/);
    assert.deepEqual(await ask({ 'l5d-name': '/a' }), {
      http: { path: `/svc/${host}`, dtab: '/svc=>/#/io.l5d.fs' },
      paths: { path: '/svc/a' },
    });
    await linker.close(0);
  });

  it('gives a command with an error that explains how the name was resolved', async () => {
    const linker = await start(config().replace('admin: {port: 0}', 'admin: {port: 0, ip: "::1"}'), 1);
    const answer = await call(linker, { 'l5d-dtab': '/x => /y' });
    const url = /^explain: curl -s '(.*)'$/m.exec(await answer.text())?.[1] ?? '';
    assert.ok(url.startsWith('http://[::1]:0/delegator.json?'), url);
    const explained = await fetch(url.replace(']:0/', `]:${linker.adminPort}/`));
    const node = (await explained.json()) as { type: string; delegate: Record<string, unknown> };
    assert.equal(node.type, 'delegate');
    assert.deepEqual(node.delegate['dentry'], {
      prefix: '/svc',
      dst: '/#/io.l5d.fs',
      position: { source: 'test.yaml', line: 6, column: 9 },
    });
    await linker.close(0);
  });

  it('says first what runs and where, then what it has to say about the configuration', async () => {
    const lines: string[] = [];
    const log = {
      ...silentLog,
      info: (message: string) => lines.push(`info ${message}`),
      warn: (message: string) => lines.push(`warn ${message.split(' ', 1)}`),
    };
    const started = await startLoaded(loadConfig(config(0, '  maxChunkKB: 1'), { source: 'test.yaml' }), {
      threads: 0,
      log,
    });
    assert.ok(started.ok);
    assert.match(lines.join('\n'), /^info turnout .* is running\nwarn test\.yaml:/);
    await started.linker.close(0);
    const refused = await startLoaded(loadConfig('routers: []\n', { source: 'x' }), { threads: 0, log });
    assert.ok(!refused.ok);
  });

  it('is asked to stop by the admin server, with the grace that it is given', async () => {
    const linker = await start(config(), 1);
    const asked = await fetch(`http://127.0.0.1:${linker.adminPort}/admin/shutdown?grace=1.seconds`, {
      method: 'POST',
    });
    assert.equal(await asked.text(), 'quitting\n');
    await linker.stopped;
    await linker.close(0);
  });
});
