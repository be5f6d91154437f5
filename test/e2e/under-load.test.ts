import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { eventually, startLoad } from './load.ts';
import { type Application, type Mesh, named, startApplication, startMesh } from './mesh.ts';

describe('a router process under load', () => {
  const open: (() => Promise<unknown>)[] = [];
  after(async () => {
    for (const close of open.reverse()) await close();
  });
  const mesh = async (): Promise<Mesh> => {
    const started = await startMesh();
    open.push(() => started.stop());
    return started;
  };
  const application = async (name: string, port = 0): Promise<Application> => {
    const started = await startApplication(named(name), port);
    open.push(() => started.close());
    return started;
  };

  it('follows an edit of an address file within a second, and no request fails', async () => {
    const [router, blue, green] = [await mesh(), await application('blue'), await application('green')];
    router.point('web', blue.port);
    const load = startLoad(router.port, 'web', 300);
    await eventually('blue answers', () => load.tally.last === 'blue', 10_000);
    router.point('web', green.port);
    await eventually('green answers', () => load.tally.last === 'green', 1000);
    const { answers } = await load.stop();
    assert.deepEqual([...answers.keys()].sort(), ['blue', 'green']);
  });

  it('keeps answering while one of two upstreams is killed and started again', async () => {
    const [router, steady, killed] = [
      await mesh(),
      await application('a'),
      await startApplication(named('b')),
    ];
    router.point('web', steady.port, killed.port);
    const load = startLoad(router.port, 'web', 300);
    const answered = (name: string): number => load.tally.answers.get(name) ?? 0;
    await eventually('both answer', () => answered('a') > 10 && answered('b') > 10, 10_000);
    await killed.close();
    const before = answered('a');
    await eventually('the other goes on', () => answered('a') > before + 100, 10_000);
    const seen = answered('b');
    await application('b', killed.port);
    // Five failures have taken it out; the first probe comes 5 s later.
    await eventually('the restarted one is used', () => answered('b') > seen + 10, 20_000);
    const { answers } = await load.stop();
    assert.deepEqual([...answers.keys()].sort(), ['a', 'b']);
    const metrics = await router.metrics();
    assert.ok(
      (metrics['rt/http/client/#/io.l5d.fs/web/retries/requeues'] ?? 0) > 0,
      'requests were requeued',
    );
    assert.equal(metrics[`rt/http/server/127.0.0.1/${router.port}/failures`], 0);
  });
});
