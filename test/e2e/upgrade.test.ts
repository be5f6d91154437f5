/** The real program is replaced by another process on the same ports, or told to end, under load. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePorts, type Program, startProgram } from '../cli/program.ts';
import { type Application, named, startApplication } from './mesh.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-upgrade-'));
const programs: Program[] = [];
let web: Application;
after(async () => {
  for (const program of programs) {
    program.child.kill('SIGKILL');
    await program.ended();
  }
  await web?.close();
  rmSync(folder, { recursive: true });
});

async function run(config: string, threads: number): Promise<Program> {
  const program = startProgram(['run', config, '--threads', String(threads)]);
  programs.push(program);
  await program.says('is running');
  return program;
}

/** Callers that send one request after the other, on connections of their own or kept ones. */
class Callers {
  readonly failures: string[] = [];
  answered = 0;
  #stopped = false;
  readonly #loops: Promise<void>[];
  readonly #agents: Agent[] = [];

  constructor(port: number, count: number, keepAlive: boolean) {
    this.#loops = Array.from({ length: count }, () => this.#loop(port, keepAlive));
  }

  async until(answered: number): Promise<void> {
    while (this.answered < answered) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    for (const agent of this.#agents) agent.destroy();
  }

  async #loop(port: number, keepAlive: boolean): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    this.#agents.push(agent);
    while (!this.#stopped) {
      const failure = await ask(port, agent);
      if (failure === undefined) this.answered++;
      else this.failures.push(failure);
    }
  }
}

function ask(port: number, agent: Agent, path = '/'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path, agent, headers: { host: 'web' } }, (response) => {
      response.resume();
      response.on('error', (error) => resolve(error.message));
      response.on('end', () => resolve(response.statusCode === 200 ? undefined : `${response.statusCode}`));
    });
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}

describe('a new process in the place of an old one', () => {
  for (const [keepAlive, how] of [
    [true, 'kept'],
    [false, 'new'],
  ] as const) {
    it(`takes over ${how} connections`, async () => {
      web ??= await startApplication(named('web'));
      writeFileSync(join(folder, 'web'), `127.0.0.1 ${web.port}\n`);
      const [port = 0, admin = 0] = await freePorts(2);
      const config = join(folder, `${how}.yaml`);
      writeFileSync(
        config,
        `admin: {port: ${admin}, socketOptions: {reusePort: true}}
namers: [{kind: io.l5d.fs, rootDir: ${folder}}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  servers: [{port: ${port}, socketOptions: {reusePort: true}}]
`,
      );
      let old = await run(config, 2);
      const callers = new Callers(port, 8, keepAlive);
      for (let upgrade = 0; upgrade < 2; upgrade++) {
        await callers.until(callers.answered + 300);
        const next = await run(config, 2);
        await callers.until(callers.answered + 300);
        old.child.kill('SIGTERM');
        assert.equal(await old.ended(), 0, old.stdout());
        old = next;
      }
      await callers.stop();
      assert.deepEqual(callers.failures, []);
      const ready = await fetch(`http://127.0.0.1:${admin}/readyz`);
      assert.equal(await ready.text(), 'ok');
      old.child.kill('SIGTERM');
      assert.equal(await old.ended(), 0);
    });
  }

  it('is asked whether it is ready from the signal on, never the one that goes', async () => {
    const [port = 0, admin = 0] = await freePorts(2);
    const config = join(folder, 'ready.yaml');
    writeFileSync(
      config,
      `admin: {port: ${admin}, drain: {delayMs: 1000}, socketOptions: {reusePort: true}}
routers:
- protocol: http
  dtab: /svc => /$/inet/127.1/1
  servers: [{port: ${port}, socketOptions: {reusePort: true}}]
`,
    );
    const old = await run(config, 1);
    const next = await run(config, 1);
    old.child.kill('SIGTERM');
    await old.says('stopping');
    const answers = new Map<string, number>();
    const ended = old.ended();
    for (let isOver = false; !isOver; ) {
      // As the kubelet does it: each time on a connection of its own.
      const answer = await ask(admin, new Agent({ keepAlive: false }), '/readyz');
      answers.set(answer ?? 'ready', (answers.get(answer ?? 'ready') ?? 0) + 1);
      isOver = await Promise.race([
        ended.then(() => true),
        new Promise<false>((no) => setImmediate(no, false)),
      ]);
    }
    assert.equal(answers.get('503'), undefined, JSON.stringify([...answers]));
    assert.ok((answers.get('ready') ?? 0) > 20, JSON.stringify([...answers]));
    next.child.kill('SIGTERM');
    assert.equal(await next.ended(), 0);
  });
});
