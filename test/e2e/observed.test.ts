/** What a router process tells of its requests: the access log on its standard output, and recent requests. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '../support/until.ts';
import { type Application, type Mesh, named, startApplication, startMesh } from './mesh.ts';

describe('a router process that is asked to tell of its requests', () => {
  let mesh: Mesh;
  let web: Application;

  before(async () => {
    web = await startApplication(named('web'));
    mesh = await startMesh({
      router: `  httpAccessLog: stdout
telemetry:
- {kind: io.l5d.recentRequests, sampleRate: 1.0}
`,
    });
    mesh.point('web', web.port);
  });
  after(async () => {
    await mesh.stop();
    await web.close();
  });

  const ask = async (path: string): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${mesh.port}${path}`, {
      headers: { 'l5d-dtab': '/svc/* => /#/io.l5d.fs/web' },
    });
    await response.text();
  };
  const admin = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${mesh.admin}${path}`)).text();

  it('writes the access log to its standard output, a JSON object a line', async () => {
    await ask('/first');
    await until(() => mesh.program.stdout().includes('/first'), 'a line of the access log');
    const line =
      mesh.program
        .stdout()
        .split('\n')
        .find((each) => each.includes('/first')) ?? '';
    const { status, target } = JSON.parse(line) as { status: number; target: string };
    assert.deepEqual({ status, target }, { status: 200, target: '/first' });
  });

  it('keeps recent requests while tracing is enabled', async () => {
    assert.equal(await admin('/admin/tracing?disable=true'), 'Disabling Finagle tracing\n');
    await ask('/hidden');
    await until(() => mesh.program.stdout().includes('/hidden'), 'the access log, which goes on');
    assert.equal(await admin('/admin/tracing?enable=true'), 'Enabled Finagle tracing\n');
    let shown = '';
    for (let i = 0; i < 100 && !shown.includes('/seen'); i++) {
      await ask('/seen');
      shown = await admin('/requests.json');
    }
    assert.ok(shown.includes('/seen'));
    assert.ok(!shown.includes('/hidden'));
  });
});
