import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLocalCaller } from '../../src/admin/local-caller.ts';
import type { AdminRequest } from '../../src/admin/page.ts';
import { type Log, silentLog } from '../../src/base/log.ts';
import { ask, withAdmin } from './rig.ts';

const from = (peer: string, host: string): AdminRequest => ({
  method: 'POST',
  peer,
  uri: '/',
  version: '1.1',
  query: new URLSearchParams(),
  contentType: '',
  rawHeaders: ['HOST', host],
  body: '',
});

describe('What changes something', () => {
  it('is for callers on loopback, and not for pages of a name that leads there', () => {
    for (const peer of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
      assert.ok(isLocalCaller(from(peer, 'localhost:9990')));
    }
    assert.ok(isLocalCaller(from('::1', '[::1]:9990')));
    assert.ok(!isLocalCaller(from('10.0.0.1', 'localhost')));
    assert.ok(!isLocalCaller(from('127.0.0.1', 'rebound.example:9990')));
  });

  it('is refused to a page of such a name, unless admin.security allows control', async () => {
    let stopped = 0;
    const sources = { shutdown: () => void stopped++ };
    const headers = { host: 'rebound.example' };
    const change = { method: 'POST', headers };
    await withAdmin({ sources }, async ({ ask }) => {
      assert.equal((await ask('/admin/shutdown', change)).status, 403);
      assert.equal((await ask('/logging.json?logger=root&level=DEBUG', change)).status, 403);
      for (const path of ['/admin/pprof/heap', '/admin/pprof/profile', '/admin/threads']) {
        assert.equal((await ask(path, { headers })).status, 403);
      }
      assert.equal(stopped, 0);
    });
    const security = {
      uiEnabled: true,
      controlEnabled: true,
      diagnosticsEnabled: true,
      pathWhitelist: [],
      pathBlacklist: [],
    };
    await withAdmin({ sources, spec: { security } }, async ({ ask }) => {
      assert.equal((await ask('/admin/shutdown', change)).body, 'quitting\n');
      assert.equal(stopped, 1);
    });
  });
});

describe('/logging.json', () => {
  const log: Log = { ...silentLog, level: 'INFO' };

  it('tells the level and changes it, by query or form, in any case', async () => {
    await withAdmin({ sources: { log } }, async ({ ask }) => {
      assert.equal((await ask('/logging.json')).body, '[{"logger":"root","level":"INFO"}]');
      const changed = await ask('/logging.json?logger=root&level=debug', { method: 'POST' });
      assert.deepEqual([changed.status, changed.body, log.level], [200, '', 'DEBUG']);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      await ask('/logging.json', { method: 'POST', headers, body: 'logger=root&level=ALL' });
      assert.equal(log.level, 'TRACE');
    });
  });

  it('takes what is unknown for no change, and what is missing for a mistake', async () => {
    await withAdmin({ sources: { log } }, async ({ ask }) => {
      const before = log.level;
      for (const query of ['logger=other&level=OFF', 'logger=root&level=loud']) {
        assert.equal((await ask(`/logging.json?${query}`, { method: 'POST' })).status, 200);
      }
      assert.equal((await ask('/logging.json?logger=root', { method: 'POST' })).status, 400);
      assert.equal((await ask('/logging.json', { method: 'DELETE' })).status, 405);
      assert.equal(log.level, before);
    });
  });

  it('has no logger where there is no choice', async () => {
    await withAdmin({}, async ({ server }) => {
      assert.equal((await ask(server.port, '/logging.json')).body, '[]');
    });
  });
});
