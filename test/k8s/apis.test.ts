/** All API servers of a process. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { KubeApis } from '../../k8s/apis.ts';
import type { Closable } from '../../src/base/closable.ts';
import { silentLog } from '../../src/base/log.ts';
import { seededRng } from '../../src/base/rng.ts';
import { HandClock } from '../support/hand-clock.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { RecordedStats } from '../support/recorded-stats.ts';
import { until } from '../support/until.ts';
import { webSlices } from './rig.ts';

describe('The APIs of a process', () => {
  let api: KubeApiServer;
  let apis: KubeApis;
  let clock: HandClock;
  const gauges = new Map<string, () => number>();

  beforeEach(async () => {
    api = await KubeApiServer.start();
    clock = new HandClock();
    gauges.clear();
    apis = new KubeApis({
      auth: { env: {}, kubeconfig: undefined },
      userAgent: 'turnout/test',
      clock,
      rng: seededRng(1),
      log: silentLog,
      stats: new RecordedStats().root,
      gauge(segments, read): Closable {
        const name = segments.join('/');
        gauges.set(name, read);
        return { close: () => void gauges.delete(name) };
      },
    });
  });
  afterEach(async () => {
    apis.close();
    await api.close();
  });

  it('are one for each place, whoever asks', () => {
    assert.equal(apis.at({}), apis.at({ host: undefined }));
    assert.equal(apis.at({ host: 'localhost' }), apis.at({ port: 8001 }));
    assert.notEqual(apis.at({}), apis.at({ port: 8001 }));
    assert.notEqual(apis.at({ host: 'a' }), apis.at({ host: 'b' }));
  });

  it('tell how many watches there are, and how old the oldest knowledge is', async () => {
    const place = { host: '127.0.0.1', port: api.port };
    const name = `127.0.0.1:${api.port}`;
    const watch = apis
      .at(place)
      .watch(webSlices)
      .observe(() => {});
    await until(() => api.watches.length === 1 && apis.watches()[0]?.state === 'watching', 'the watch');
    assert.equal(gauges.get(`${name}/watches`)?.(), 1);
    assert.equal(gauges.get(`${name}/stale_ms`)?.(), 0);
    assert.equal(apis.watches()[0]?.server, name);
    await api.stop();
    await until(() => apis.watches()[0]?.state === 'waiting', 'the watch to break');
    clock.advance(90);
    assert.ok((gauges.get(`${name}/stale_ms`)?.() ?? 0) >= 90);
    watch.close();
    assert.equal(gauges.get(`${name}/watches`)?.(), 0);
  });

  it('leave nothing open when they are closed', async () => {
    apis
      .at({ host: '127.0.0.1', port: api.port })
      .watch(webSlices)
      .observe(() => {});
    await until(() => api.watches.length === 1, 'the watch');
    apis.close();
    await until(() => api.watches.length === 0, 'the end of the watch');
    assert.equal(gauges.size, 0);
  });
});
