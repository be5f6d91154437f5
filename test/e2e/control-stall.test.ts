import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePorts, type Program, startProgram } from '../cli/program.ts';

/** Longer than it takes to call a data thread hung. */
const STALL_MS = 5000;
const stall = `import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('SIGUSR2', () => {
  console.log('stalls');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${STALL_MS});
  console.log('goes on');
});`;

const folder = mkdtempSync(join(tmpdir(), 'turnout-stall-'));
let program: Program | undefined;
after(async () => {
  program?.child.kill('SIGKILL');
  await program?.ended();
  rmSync(folder, { recursive: true });
});

describe('A control thread that does nothing for a while', () => {
  it('delays no request to a bound name, and no data thread is taken for dead', async () => {
    const [port = 0, admin = 0] = await freePorts(2);
    const config = join(folder, 'config.yaml');
    writeFileSync(
      config,
      `admin: {port: ${admin}}
routers:
- protocol: http
  dtab: /svc => /$/io.buoyant.http.status/204
  servers: [{port: ${port}}]
`,
    );
    const nodeOptions = ['--import', `data:text/javascript,${encodeURIComponent(stall)}`];
    program = startProgram(['run', config, '--threads', '1'], { nodeOptions });
    await program.says('is running');
    const ask = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/`)).status;
    assert.equal(await ask(), 204);
    program.child.kill('SIGUSR2');
    await program.says('stalls');
    let answered = 0;
    while (!program.stdout().includes('goes on')) {
      assert.equal(await ask(), 204);
      answered++;
    }
    assert.ok(answered > 100, `${answered} answers in ${STALL_MS} ms`);
    const metrics = await fetch(`http://127.0.0.1:${admin}/admin/metrics.json`);
    assert.equal(((await metrics.json()) as Record<string, number>)['threads/deaths'], 0);
    program.child.kill('SIGTERM');
    assert.equal(await program.ended(), 0);
  });
});
