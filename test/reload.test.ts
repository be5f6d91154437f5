import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import type { Linker } from '../src/linker.ts';
import { Reloader } from '../src/reload.ts';
import { start } from '../src/start.ts';
import { freePorts } from './cli/program.ts';
import { startLoad } from './e2e/load.ts';
import { type Application, named, startApplication } from './e2e/mesh.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-reload-'));
const open: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of open.reverse()) await close();
  rmSync(folder, { recursive: true });
});

type Parts = { dtab?: string; client?: string; server?: string; service?: string; more?: string };

const config = ({ dtab, client, server, service, more }: Parts, port = 0): string => `
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: ${folder}}]
routers:
- protocol: http
  dtab: ${JSON.stringify(dtab ?? '/svc => /#/io.l5d.fs')}
  client: ${client ?? '{}'}
  service: ${service ?? '{}'}
  servers: [{port: ${port}${server ?? ''}}]
${more ?? ''}`;

type Rig = {
  linker: Linker;
  reloader: Reloader;
  load(text: string): ReturnType<Reloader['reload']>;
  port: number;
};

async function run(text: string, threads: number): Promise<Rig> {
  const started = await start(loadConfig(text, { source: 'test.yaml' }), { threads, log: silentLog });
  assert.ok(started.ok, started.ok ? '' : started.errors.join('\n'));
  const { linker } = started;
  open.push(() => linker.close(0));
  const stats = linker.metrics.scope;
  const reloader = new Reloader({ linker, text, told() {}, stats, clock: systemClock });
  const port = linker.ports[0]?.[0] ?? 0;
  return { linker, reloader, port, load: (next) => reloader.reload(next, 'test.yaml', 'test') };
}

async function application(name: string): Promise<Application> {
  const started = await startApplication(named(name));
  open.push(() => started.close());
  writeFileSync(join(folder, name), `127.0.0.1 ${started.port}\n`);
  return started;
}

async function ask(port: number, name: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { 'l5d-dtab': `/svc/127.0.0.1:${port} => /svc/${name}` },
  });
  return { status: response.status, body: await response.text() };
}

/** One question after the other. */
async function untilAsked(done: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!(await done())) assert.ok(performance.now() < endMs, 'not within 5 s');
}

async function metrics({ linker }: Rig): Promise<Record<string, number>> {
  const response = await fetch(`http://127.0.0.1:${linker.adminPort}/admin/metrics.json`);
  return (await response.json()) as Record<string, number>;
}

describe('A reload', () => {
  for (const threads of [0, 1, 2]) {
    it(`follows a changed dtab with ${threads} threads, and keeps what is bound and its connections`, async () => {
      await application('blue');
      await application('green');
      const rig = await run(
        config({ dtab: '/svc/a => /#/io.l5d.fs/blue; /svc/b => /#/io.l5d.fs/blue' }),
        threads,
      );
      assert.equal((await ask(rig.port, 'a')).body, 'blue');
      assert.equal((await ask(rig.port, 'b')).body, 'blue');
      const before = (await metrics(rig))['rt/http/client/#/io.l5d.fs/blue/connects'];
      const generation = await rig.load(
        config({ dtab: '/svc/a => /#/io.l5d.fs/green; /svc/b => /#/io.l5d.fs/blue' }),
      );
      assert.equal(generation.outcome, 'applied');
      assert.equal(generation.generation, 2);
      assert.deepEqual(generation.changes, [
        '- routers[http].dtab: /svc/a => /#/io.l5d.fs/blue',
        '+ routers[http].dtab: /svc/a => /#/io.l5d.fs/green',
      ]);
      await untilAsked(async () => (await ask(rig.port, 'a')).body === 'green');
      assert.equal((await ask(rig.port, 'b')).body, 'blue');
      const after = await metrics(rig);
      assert.equal(after['rt/http/client/#/io.l5d.fs/blue/connects'], before, 'its connection is used again');
      assert.equal(after['config_generation'], 2);
    });
  }

  it('replaces only the clients whose parameters differ, and their metrics go on', async () => {
    await application('blue');
    await application('green');
    const rig = await run(config({}), 1);
    for (const name of ['blue', 'green', 'blue', 'green'])
      assert.equal((await ask(rig.port, name)).body, name);
    const client = `{kind: io.l5d.static, configs: [{prefix: "/#/io.l5d.fs/blue", requestAttemptTimeoutMs: 900}]}`;
    const { changes } = await rig.load(config({ client }));
    assert.deepEqual(changes, ['- routers[http].client[/]', '+ routers[http].client[/#/io.l5d.fs/blue]']);
    for (const name of ['blue', 'green']) assert.equal((await ask(rig.port, name)).body, name);
    const seen = await metrics(rig);
    assert.equal(seen['rt/http/client/#/io.l5d.fs/blue/requests'], 3);
    assert.equal(seen['rt/http/client/#/io.l5d.fs/blue/connects'], 2);
    assert.equal(seen['rt/http/client/#/io.l5d.fs/green/requests'], 3);
    assert.equal(seen['rt/http/client/#/io.l5d.fs/green/connects'], 1);
  });

  it('puts parameters of services and servers in force on connections that are open', async () => {
    const slow = await startApplication((request) => request.resume());
    open.push(() => slow.close());
    writeFileSync(join(folder, 'slow'), `127.0.0.1 ${slow.port}\n`);
    const rig = await run(config({}), 1);
    await rig.load(config({ service: '{totalTimeoutMs: 30}', server: ', timestampHeader: x-start' }));
    const { status, body } = await ask(rig.port, 'slow');
    assert.equal(status, 503, body);
    assert.match(body, /exceeded 30.milliseconds/);
  });

  for (const threads of [0, 2]) {
    it(`opens and closes listeners and routers with ${threads} threads`, async () => {
      await application('blue');
      const rig = await run(config({}), threads);
      const [port = 0] = await freePorts(1);
      const more = `- {protocol: http, label: other, dtab: /svc => /#/io.l5d.fs, servers: [{port: ${port}}]}`;
      assert.deepEqual((await rig.load(config({ more }))).changes, ['+ routers[other]']);
      assert.equal((await ask(port, 'blue')).body, 'blue');
      assert.deepEqual((await rig.load(config({}))).changes, ['- routers[other]']);
      await untilAsked(() =>
        ask(port, 'blue').then(
          () => false,
          () => true,
        ),
      );
      assert.equal((await ask(rig.port, 'blue')).body, 'blue');
      const names = Object.keys(await metrics(rig));
      assert.deepEqual(
        names.filter((name) => name.startsWith('rt/other')),
        [],
      );
    });
  }

  it('keeps the listener of a router that gets another label', async () => {
    await application('blue');
    const [port = 0] = await freePorts(1);
    const rig = await run(config({}, port), 2);
    const renamed = config({ more: '  label: new' }, port);
    assert.deepEqual((await rig.load(renamed)).changes, ['- routers[http]', '+ routers[new]']);
    assert.equal((await ask(port, 'blue')).body, 'blue');
  });

  it('changes nothing when the configuration is wrong, or a port is taken', async () => {
    await application('blue');
    const rig = await run(config({}), 1);
    const wrong = await rig.load('routers: 3\n');
    assert.equal(wrong.outcome, 'refused');
    assert.match(wrong.errors.join(), /test\.yaml:1:10/);
    const tls = await rig.load(config({ server: ', tls: {certPath: /no/c.pem, keyPath: /no/k.pem}' }));
    assert.match(tls.errors.join(), /certPath/);
    const other = await startApplication(named('other'));
    open.push(() => other.close());
    const more = `- {protocol: http, label: other, servers: [{port: ${other.port}}]}`;
    const taken = await rig.load(config({ dtab: '/svc => /$/nowhere', more }));
    assert.equal(taken.outcome, 'failed');
    assert.match(taken.errors.join(), new RegExp(`127.0.0.1:${other.port}: another process`));
    assert.equal((await ask(rig.port, 'blue')).body, 'blue');
    assert.equal(rig.linker.spec.routers.length, 1);
    assert.deepEqual(
      rig.reloader.generations.map(({ outcome, generation }) => `${outcome} ${generation}`),
      ['failed 1', 'refused 1', 'refused 1', 'started 1'],
    );
    assert.equal((await metrics(rig))['config_reloads/refused'], 2);
  });

  it('says what waits for the next start', async () => {
    const rig = await run(config({}), 0);
    const next = config({}).replace('admin: {port: 0}', 'admin: {port: 0, shutdownGraceMs: 1}');
    const { changes, afterRestart } = await rig.load(next);
    assert.deepEqual(changes, []);
    assert.deepEqual(afterRestart, ['~ admin.shutdownGraceMs: 10000 -> 1']);
  });

  it('fails no request, a hundred times under load', async () => {
    await application('web');
    const rig = await run(config({ dtab: '/svc => /#/io.l5d.fs' }), 2);
    const load = startLoad(rig.port, 'web', 200);
    for (let i = 0; i < 100; i++) {
      const client = `{requestAttemptTimeoutMs: ${5000 + (i % 2)}}`;
      const dtab = i % 3 === 0 ? '/svc => /#/io.l5d.fs' : `/x => /y${i}; /svc => /#/io.l5d.fs`;
      const next = config({ client, dtab, service: `{totalTimeoutMs: ${9000 + i}}` });
      const { outcome, errors } = await rig.load(next);
      if (outcome !== 'applied') await load.stop();
      assert.deepEqual([outcome, errors], ['applied', []]);
    }
    const { answers } = await load.stop();
    assert.deepEqual([...answers.keys()], ['web']);
    assert.equal(rig.reloader.generations.length, 10);
    assert.equal(rig.reloader.generations[0]?.generation, 101);
  });
});
