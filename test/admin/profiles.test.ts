import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Linker } from '../../src/linker.ts';
import { start } from '../../src/start.ts';
import { ask } from './rig.ts';

type Thread = { readonly id: number; readonly name: string; readonly stack: string };

describe('The inspection of threads', () => {
  let linker: Linker;
  const get = (path: string) => ask(linker.adminPort, path);
  const threads = async (): Promise<readonly Thread[]> => JSON.parse((await get('/admin/threads.json')).body);

  before(async () => {
    const text = 'admin: {port: 0}\nrouters: [{protocol: http, servers: [{port: 0}]}]';
    const started = await start(loadConfig(text, { source: 'a.yaml' }), { threads: 1, log: silentLog });
    assert.ok(started.ok);
    linker = started.linker;
  });
  after(() => linker.close(0));

  it('tells the control thread and the data threads', async () => {
    const all = await threads();
    assert.deepEqual(
      all.map(({ name }) => name),
      ['control', 'data'],
    );
    assert.equal(all[0]?.id, 0);
    assert.match((await get('/admin/threads')).body, /^0 control\n/);
  });

  for (const name of ['control', 'data']) {
    it(`makes a CPU profile and a heap snapshot of the ${name} thread`, async () => {
      const thread = (await threads()).find((each) => each.name === name)?.id;
      const profile = await get(`/admin/pprof/profile?seconds=0.2&hz=1000&thread=${thread}`);
      assert.equal(profile.status, 200);
      const { nodes, samples } = JSON.parse(profile.body);
      assert.ok(nodes.length > 0 && samples.length > 0);
      const heap = await get(`/admin/pprof/heap?thread=${thread}`);
      assert.match(String(heap.headers['content-disposition']), /turnout\.heapsnapshot/);
      assert.ok(JSON.parse(heap.body).snapshot.node_count > 1000);
    });
  }

  it('is one at a time, of a thread that exists, within limits', async () => {
    const slow = get('/admin/pprof/profile?seconds=0.5');
    // Whichever comes second is refused; the first goes on.
    const other = await get('/admin/pprof/profile?seconds=0.5');
    assert.deepEqual([(await slow).status, other.status].sort(), [200, 409]);
    const unknown = await get('/admin/pprof/heap?thread=9999');
    assert.equal(unknown.status, 404);
    assert.match(unknown.body, /There is no thread 9999\. Known: 0, \d+/);
    for (const bad of ['seconds=0', 'seconds=x', 'seconds=301', 'hz=-1', 'hz=']) {
      assert.equal((await get(`/admin/pprof/profile?${bad}`)).status, 400, bad);
    }
  });
});
