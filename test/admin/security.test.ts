import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { pathFilter } from '../../src/admin/security.ts';
import { AdminFailure, startAdmin } from '../../src/admin/server.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { HandClock } from '../support/hand-clock.ts';
import { plainSpec, sourcesFor, withAdmin } from './rig.ts';

const open = {
  uiEnabled: true,
  controlEnabled: true,
  diagnosticsEnabled: true,
  pathWhitelist: [],
  pathBlacklist: [],
};

/** The status line of one request, sent as it stands. */
function raw(port: number, target: string, method = 'POST'): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
    });
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.on('close', () => resolve(text.split('\r\n')[0] ?? ''));
    socket.on('error', reject);
  });
}

describe('pathFilter', () => {
  it('allows everything without a security section', () => {
    assert.equal(pathFilter(undefined)('/admin/shutdown'), true);
  });

  it('switches categories off', () => {
    const noUi = pathFilter({ ...open, uiEnabled: false });
    for (const path of ['/', '/config.json', '/admin/metrics.json', '/delegator.json', '/files/js/x.js']) {
      assert.equal(noUi(path), false, path);
    }
    for (const path of ['/admin/metrics/prometheus', '/admin/shutdown', '/admin/ping'])
      assert.equal(noUi(path), true);
    const noControl = pathFilter({ ...open, controlEnabled: false });
    assert.deepEqual(['/admin/shutdown', '/logging.json', '/'].map(noControl), [false, false, true]);
    const noDiagnostics = pathFilter({ ...open, diagnosticsEnabled: false });
    assert.deepEqual(['/admin/ping', '/unknown', '/'].map(noDiagnostics), [false, false, true]);
  });

  it('opens what the whitelist matches and shuts what the blacklist matches, whole paths only', () => {
    const filter = pathFilter({
      ...open,
      diagnosticsEnabled: false,
      pathWhitelist: ['/admin/p.*', '/admin/threads|/admin/x'],
      pathBlacklist: ['/admin/pprof/.*', '/config'],
    });
    assert.equal(filter('/admin/ping'), true);
    assert.equal(filter('/admin/pprof/heap'), false);
    assert.equal(filter('/admin/threads'), true);
    assert.equal(filter('/admin/threads.json'), false);
    assert.equal(filter('/config.json'), true);
  });
});

describe('admin security', () => {
  it('answers 404 with an empty body to what is denied', async () => {
    const security = { ...open, controlEnabled: false };
    await withAdmin({ spec: { security } }, async ({ ask }) => {
      const { status, body } = await ask('/admin/shutdown', { method: 'POST' });
      assert.deepEqual([status, body], [404, '']);
      assert.equal((await ask('/admin/ping')).status, 200);
    });
  });

  it('is not gone around by another spelling of a path', async () => {
    let shutdowns = 0;
    const security = { ...open, controlEnabled: false };
    const sources = { shutdown: () => void shutdowns++ };
    await withAdmin({ spec: { security }, sources }, async ({ server }) => {
      const spellings = [
        '/admin/%73hutdown',
        '/admin%2Fshutdown',
        'http://x/admin/shutdown',
        '/admin/shutdown#x',
        '/admin/shutdown?x',
        '/admin/shutdown;x',
        '//admin/shutdown',
        '/admin/./shutdown',
        '/ADMIN/shutdown',
        '/admin/shutdown/',
      ];
      for (const target of spellings) assert.match(await raw(server.port, target), / 40[04] /, target);
    });
    assert.equal(shutdowns, 0);
  });

  it('reports a bad expression as a failure to start', async () => {
    const clock = new HandClock();
    const metrics = new MetricsTree(clock);
    const spec = { ...plainSpec, security: { ...open, pathBlacklist: ['('] } };
    const failed = await startAdmin(spec, sourcesFor(clock, metrics, []));
    assert.ok(failed instanceof AdminFailure && failed.message.startsWith('admin.security: '));
    metrics.close();
  });
});
