/** The reflector against the test API server, over real sockets. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { services } from '../../k8s/resources.ts';
import { named } from '../../k8s/selection.ts';
import { settled, until } from '../support/until.ts';
import { Rig, type RigOptions, webSlices } from './rig.ts';

let rig: Rig;
afterEach(() => rig.closeAll());

async function start(options?: RigOptions): Promise<Rig> {
  rig = await Rig.start(options);
  rig.putSlice('web-1', ['10.0.0.1']);
  return rig;
}

/** Watches service web until its first slice is seen and the watch is open. */
async function watching(options?: RigOptions) {
  await start(options);
  const web = rig.see(webSlices);
  await until(
    () => web.now === '10.0.0.1' && rig.api.watches.length === 1,
    () => web.now,
  );
  return web;
}

describe('A watch', () => {
  it('shows what is there, what comes, changes and goes', async () => {
    const web = await watching();
    rig.putSlice('web-2', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.1 10.0.0.2',
      () => web.now,
    );
    rig.putSlice('web-1', ['10.0.0.3']);
    await until(
      () => web.now === '10.0.0.2 10.0.0.3',
      () => web.now,
    );
    rig.api.remove('endpointslices', 'default', 'web-2');
    await until(
      () => web.now === '10.0.0.3',
      () => web.now,
    );
    assert.deepEqual(web.states[0], { state: 'pending' });
    assert.equal(rig.api.asked('list').length, 1);
  });

  it('asks for what it is about and nothing else', async () => {
    const web = await watching();
    rig.putSlice('other-1', ['10.0.9.9'], 'other');
    rig.putSlice('web-2', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.1 10.0.0.2',
      () => web.now,
    );
    const [asked] = rig.api.asked('watch');
    const query = new URL(asked?.path ?? '', 'http://x').searchParams;
    assert.equal(query.get('labelSelector'), 'kubernetes.io/service-name=web');
    assert.equal(query.get('allowWatchBookmarks'), 'true');
    const seconds = Number(query.get('timeoutSeconds'));
    assert.ok(seconds >= 30 && seconds <= 45, `${seconds}`);
  });

  it('follows an object whose labels come to match, and to match no more', async () => {
    const web = await watching();
    rig.putSlice('x', ['10.0.0.7'], 'other');
    rig.putSlice('x', ['10.0.0.7'], 'web');
    await until(
      () => web.now === '10.0.0.1 10.0.0.7',
      () => web.now,
    );
    rig.putSlice('x', ['10.0.0.7'], 'other');
    await until(
      () => web.now === '10.0.0.1',
      () => web.now,
    );
  });

  it('is shared by all who ask the same, and ends with the last of them', async () => {
    const first = await watching();
    const second = rig.see({ ...webSlices });
    assert.equal(second.now, '10.0.0.1');
    await settled();
    assert.equal(rig.api.asked('watch').length, 1);
    first.close();
    await settled();
    assert.equal(rig.api.watches.length, 1);
    second.close();
    await until(() => rig.api.watches.length === 0, 'the watch to end');
    assert.deepEqual(rig.client.watches(), []);
    const third = rig.see(webSlices);
    assert.equal(third.now, 'pending');
    await until(
      () => third.now === '10.0.0.1',
      () => third.now,
    );
  });

  it('of one object by name shows it or nothing', async () => {
    await start();
    rig.api.put('services', { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } });
    const one = rig.see({ resource: services, namespace: 'default', fieldSelector: named('web') });
    const none = rig.see({ resource: services, namespace: 'default', fieldSelector: named('nil') });
    await until(
      () => one.now === 'web' && none.now === '',
      () => `${one.now} ${none.now}`,
    );
  });

  it('of a namespace that no name can have asks nobody', async () => {
    await start();
    const web = rig.see({ ...webSlices, namespace: '../kube-system' });
    assert.equal(web.now, '');
    assert.equal(rig.api.requests.length, 0);
  });

  it('goes on from its last version when the server ends it in time', async () => {
    const web = await watching();
    rig.putSlice('web-1', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.2',
      () => web.now,
    );
    await rig.advanceUntil(() => rig.api.asked('watch').length === 2, 46_000);
    rig.putSlice('web-1', ['10.0.0.3']);
    await until(
      () => web.now === '10.0.0.3',
      () => web.now,
    );
    assert.equal(rig.api.asked('list').length, 1);
  });

  it('goes on from the version of a bookmark', async () => {
    await watching();
    rig.putSlice('other-1', ['10.0.9.9'], 'other');
    rig.api.compact();
    rig.api.bookmark();
    await until(
      () => rig.client.watches()[0]?.resourceVersion === '1003',
      () => JSON.stringify(rig.client.watches()),
    );
    rig.clock.advance(25_000);
    rig.api.endWatches();
    await until(() => rig.api.asked('watch').length === 2, 'the second watch');
    assert.match(rig.api.asked('watch')[1]?.path ?? '', /resourceVersion=1003/);
    assert.equal(rig.api.asked('list').length, 1);
  });

  it('lists anew when a bookmark goes back in time: the server has been restored', async () => {
    const web = await watching();
    rig.api.bookmark(5);
    await until(() => rig.api.asked('list').length === 2, 'the second list');
    assert.equal(web.now, '10.0.0.1');
  });

  it('ignores changes that are told again', async () => {
    const web = await watching();
    rig.putSlice('web-2', ['10.0.0.2']);
    rig.putSlice('web-1', ['10.0.0.3']);
    rig.api.remove('endpointslices', 'default', 'web-2');
    await until(
      () => web.now === '10.0.0.3',
      () => web.now,
    );
    const before = web.states.length;
    rig.api.replay(4);
    rig.api.replay(3);
    rig.putSlice('web-3', ['10.0.0.4']);
    await until(
      () => web.now === '10.0.0.3 10.0.0.4',
      () => web.now,
    );
    assert.equal(web.states.length, before + 1);
  });
});

describe('A version that is gone', () => {
  for (const goneAs of ['event', 'status'] as const) {
    it(`is one list more when the server tells so by ${goneAs}`, async () => {
      const web = await watching({ server: { goneAs } });
      rig.api.cutWatches();
      await until(() => rig.api.watches.length === 0, 'the cut');
      rig.putSlice('web-2', ['10.0.0.2']);
      rig.api.compact();
      await rig.advanceUntil(() => web.now === '10.0.0.1 10.0.0.2' && rig.api.watches.length === 1, 1000);
      assert.equal(rig.api.asked('list').length, 2);
    });
  }

  it('in the middle of a watch is one list more, and nothing is lost from sight', async () => {
    const web = await watching();
    rig.api.expire();
    await until(() => rig.api.asked('list').length === 2 && rig.api.watches.length === 1, 'the second list');
    rig.putSlice('web-2', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.1 10.0.0.2',
      () => web.now,
    );
    assert.ok(web.states.slice(1).every((state) => state.state === 'ok' && state.value.size > 0));
  });

  it('again and again is asked for with longer and longer waits', async () => {
    await watching();
    rig.api.fault({ type: 'status', code: 410 }, { verb: 'watch' });
    rig.api.cutWatches();
    await rig.advance(20_000);
    assert.ok(rig.api.asked('list').length <= 12, `${rig.api.asked('list').length} lists`);
  });
});

describe('A list', () => {
  it('is read page by page, as of one moment', async () => {
    await start();
    for (let i = 0; i < 1200; i++) rig.putSlice(`s-${i}`, [`10.1.${i >> 8}.${i & 255}`]);
    const web = rig.see(webSlices);
    await until(
      () => web.now !== 'pending',
      () => web.now,
    );
    assert.equal(web.now.split(' ').length, 1201);
    const pages = rig.api.asked('list').map(({ path }) => new URL(path, 'http://x').searchParams);
    assert.deepEqual(
      pages.map((query) => query.get('limit')),
      ['500', '500', '500'],
    );
    assert.deepEqual(
      pages.map((query) => query.has('continue')),
      [false, true, true],
    );
  });

  it('that expires between two pages is read anew', async () => {
    await start();
    for (let i = 0; i < 600; i++) rig.putSlice(`s-${i}`, [`10.1.${i >> 8}.${i & 255}`]);
    rig.api.fault({ type: 'status', code: 410 }, { path: /continue=/, times: 1 });
    const web = rig.see(webSlices);
    await until(
      () => web.now !== 'pending',
      () => web.now,
    );
    assert.equal(web.now.split(' ').length, 601);
  });

  it('is consistent with the watch that follows: a change between the two is not lost', async () => {
    await start();
    const hang = rig.api.fault({ type: 'hang' }, { verb: 'watch', times: 1 });
    const web = rig.see(webSlices);
    await until(() => rig.api.asked('watch').length === 1, 'the watch');
    hang.close();
    rig.putSlice('web-2', ['10.0.0.2']);
    await rig.advanceUntil(() => web.now === '10.0.0.1 10.0.0.2', 60_000);
  });

  it('that fails the first time is a failure, and recovers by itself', async () => {
    await start();
    const fault = rig.api.fault({ type: 'status', code: 500 });
    const web = rig.see(webSlices);
    await until(
      () => web.now.startsWith('failed'),
      () => web.now,
    );
    assert.match(web.now, /answers 500 to list .*endpointslices.*etcdserver: request timed out/);
    await rig.advance(3000);
    fault.close();
    await rig.advanceUntil(() => web.now === '10.0.0.1', 10_000);
    assert.ok(!web.states.slice(2).some(({ state }) => state === 'pending'));
  });

  it('of something that the server does not have is a failure of its own', async () => {
    await start({ server: { without: ['endpointslices'] } });
    const web = rig.see(webSlices);
    await until(
      () => web.now.startsWith('failed'),
      () => web.now,
    );
    const state = web.states.at(-1);
    assert.ok(state?.state === 'failed' && 'reason' in state.failure);
    assert.equal(state.failure.reason, 'no-such-resource');
  });

  it('that is not the Kubernetes API is a failure that says so', async () => {
    await start();
    const fault = rig.api.fault({ type: 'body', text: '<html><body>Welcome</body></html>' });
    const web = rig.see(webSlices);
    await until(
      () => web.now.startsWith('failed'),
      () => web.now,
    );
    assert.match(web.now, /not what the Kubernetes API sends, near '<html>/);
    fault.close();
    await rig.advanceUntil(() => web.now === '10.0.0.1', 10_000);
  });
});

describe('What the watch has missed', () => {
  it('is found by the next list and counted, and the watch is begun anew', async () => {
    const web = await watching({ timing: { relistMs: 10_000 } });
    const drop = rig.api.fault({ type: 'drop' });
    rig.putSlice('web-2', ['10.0.0.2']);
    rig.api.remove('endpointslices', 'default', 'web-1');
    await settled();
    drop.close();
    await rig.advanceUntil(() => web.now === '10.0.0.2', 13_000);
    assert.equal(rig.client.watches()[0]?.drift, 2);
    assert.equal(rig.stats.value('drift'), 2);
    assert.match(rig.logged.join('\n'), /missed changes.*"missed":2/);
    await until(() => rig.api.watches.length === 1, 'the next watch');
    rig.putSlice('web-3', ['10.0.0.3']);
    await until(
      () => web.now === '10.0.0.2 10.0.0.3',
      () => web.now,
    );
  });

  it('is found soon when somebody asks, but not more often than every 5 s', async () => {
    const web = await watching();
    const drop = rig.api.fault({ type: 'drop' });
    rig.putSlice('web-1', ['10.0.0.2']);
    await settled();
    drop.close();
    for (let i = 0; i < 100; i++) rig.client.refresh(webSlices);
    await rig.advanceUntil(() => web.now === '10.0.0.2', 2000);
    assert.equal(rig.api.asked('list').length, 2);
    for (let i = 0; i < 60; i++) {
      rig.client.refresh(webSlices);
      await rig.advance(200);
    }
    assert.ok(rig.api.asked('list').length <= 5, `${rig.api.asked('list').length} lists`);
  });

  it('because its server went back in time is found as well', async () => {
    const web = await watching();
    rig.api.rewind(5);
    rig.putSlice('web-2', ['10.0.0.2']);
    await rig.advanceUntil(() => web.now === '10.0.0.1 10.0.0.2', 7000);
    await until(() => rig.api.watches.length === 1, 'the next watch');
    rig.putSlice('web-3', ['10.0.0.3']);
    await until(
      () => web.now === '10.0.0.1 10.0.0.2 10.0.0.3',
      () => web.now,
    );
  });

  it('is nothing when the watch is only a little later than the list', async () => {
    const web = await watching();
    rig.client.refresh(webSlices);
    rig.clock.advance(1);
    for (let i = 0; i < 50; i++) {
      rig.putSlice('web-1', [`10.0.1.${i}`]);
      rig.putSlice(`more-${i}`, [`10.0.2.${i}`]);
      rig.api.remove('endpointslices', 'default', `more-${i - 10}`);
      await settled(1);
    }
    await rig.advance(2000);
    assert.equal(rig.api.asked('list').length, 2);
    assert.equal(rig.client.watches()[0]?.drift, 0);
    assert.match(web.now, /10\.0\.1\.49/);
  });
});
