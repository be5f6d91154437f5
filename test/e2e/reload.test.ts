/** The configuration of the real program is replaced as an operator would do it. */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePorts, type Program, runProgram, startProgram } from '../cli/program.ts';
import { eventually } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-reload-'));
let program: Program | undefined;
after(async () => {
  program?.child.kill('SIGKILL');
  await program?.ended();
  rmSync(folder, { recursive: true });
});

describe('turnout run', () => {
  it('takes a new configuration from its file, by SIGHUP and from turnout reload', async () => {
    const [port = 0, admin = 0] = await freePorts(2);
    const text = (status: number): string => `admin: {port: ${admin}}
routers:
- protocol: http
  dtab: /svc => /$/io.buoyant.http.status/${status}
  servers: [{port: ${port}}]
`;
    // As a ConfigMap is mounted: the visible file leads through a link that is replaced.
    const publish = (name: string, content: string): void => {
      writeFileSync(join(folder, name), content);
      symlinkSync(name, join(folder, '..next'));
      renameSync(join(folder, '..next'), join(folder, '..data'));
    };
    publish('one', text(201));
    symlinkSync('..data', join(folder, 'config.yaml'));
    const config = join(folder, 'config.yaml');
    program = startProgram(['run', config, '--threads', '1']);
    await program.says('is running');
    let seen = 0;
    const look = async (status: number): Promise<void> => {
      const timer = setInterval(() => {
        void fetch(`http://127.0.0.1:${port}/`).then((response) => {
          seen = response.status;
        });
      }, 20);
      await eventually(`status ${status}`, () => seen === status, 5000).finally(() => clearInterval(timer));
    };
    await look(201);
    publish('two', text(202));
    await look(202);

    const next = join(folder, 'next.yaml');
    writeFileSync(next, text(203));
    const reload = ['reload', '--admin', `127.0.0.1:${admin}`];
    const dry = await runProgram([...reload, '--dry-run', next]);
    assert.match(dry.stdout, /^- routers\[http\]\.dtab: .*202\n\+ routers\[http\]\.dtab: .*203\n/);
    assert.equal(dry.code, 0);
    await look(202);
    assert.match((await runProgram([...reload, next])).stdout, /applied: generation 3\n$/);
    await look(203);
    program.child.kill('SIGHUP');
    await look(202);

    writeFileSync(next, 'routers: []\n');
    const refused = await runProgram([...reload, next]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /At least one router must be specified/);
    writeFileSync(next, '');
    const empty = await runProgram([...reload, next]);
    assert.deepEqual([empty.code, empty.stdout], [1, '']);
    assert.match(empty.stderr, /next\.yaml: the configuration is empty$/m);
    const listed = await fetch(`http://127.0.0.1:${admin}/config/generations.json`);
    const outcomes = ((await listed.json()) as { by: string; outcome: string }[]).map((each) => each.outcome);
    assert.deepEqual(outcomes, ['refused', 'applied', 'applied', 'applied', 'started']);
    program.child.kill('SIGTERM');
    assert.equal(await program.ended(), 0);
  });
});
