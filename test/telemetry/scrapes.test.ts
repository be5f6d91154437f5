import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRng } from '../../src/base/rng.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { prometheusText } from '../../src/telemetry/prometheus.ts';
import { SeriesBudget } from '../../src/telemetry/series-budget.ts';
import { SlabStats } from '../../src/threads/stat-slab.ts';
import { HandClock } from '../support/hand-clock.ts';
import { Rig } from '../support/rig.ts';
import { ScriptedBackend } from '../support/scripted-backend.ts';
import { parseExposition } from './exposition-parser.ts';

const NAMES = 8;
const SCRAPES = 60;
const SCRAPE_MS = 15_000;

describe('A series of scrapes', () => {
  it('never sees a counter go down, under load, while names are evicted and come back', async () => {
    const metrics = new MetricsTree(new HandClock());
    const source = metrics.addSource();
    const scope = new SlabStats((messages) => source.receive(messages));
    const backend = await ScriptedBackend.start();
    const bindingCache = { paths: 100, trees: 100, bounds: 100, clients: 100, idleTtlMs: 60_000 };
    const rig = await Rig.start({ scope, router: { bindingCache } });
    for (let i = 0; i < NAMES; i++) rig.bind(`s${i}`, [backend]);
    const caller = await rig.connect();
    const budget = new SeriesBudget(5);
    const numbers = seededRng(17);
    let before = new Map<string, number>();
    let evictions = 0;
    for (let scrape = 0; scrape < SCRAPES; scrape++) {
      // Half of the names at a time, so that the other half is idle for long enough.
      const half = Math.floor(scrape / 8) % 2;
      for (let i = 0; i < 20; i++) {
        const name = `s${half * (NAMES / 2) + numbers.below(NAMES / 2)}`;
        caller.send(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
        assert.equal((await caller.answer()).status, 200);
      }
      scope.flush();
      const { types, samples } = parseExposition([...prometheusText(metrics.root, '', budget)].join(''));
      const now = new Map<string, number>();
      for (const { name, labels, value } of samples) {
        const type = types.get(name) ?? types.get(name.replace(/_(count|sum)$/, ''));
        const grows = type === 'counter' || (type === 'summary' && /_(count|sum)$/.test(name));
        if (grows) now.set(`${name} ${JSON.stringify([...labels])}`, value);
      }
      for (const [series, value] of before) {
        const after = now.get(series);
        if (after === undefined) evictions++;
        else assert.ok(after >= value, `scrape ${scrape}: ${series} went from ${value} to ${after}`);
      }
      before = now;
      rig.clock.advance(SCRAPE_MS);
    }
    assert.ok(evictions > 0, 'nothing was evicted');
    const served = before.get('rt:server:requests [["rt","http"],["server","test"]]');
    assert.equal(served, SCRAPES * 20);
    await rig.close();
    await backend.close();
    metrics.close();
  });

  it('counts a name on while the same name with overrides is forgotten', async () => {
    const metrics = new MetricsTree(new HandClock());
    const source = metrics.addSource();
    const scope = new SlabStats((messages) => source.receive(messages));
    const backend = await ScriptedBackend.start();
    const bindingCache = { paths: 100, trees: 100, bounds: 100, clients: 100, idleTtlMs: 60_000 };
    const rig = await Rig.start({ scope, router: { bindingCache } });
    rig.bind('web', [backend]);
    const caller = await rig.connect();
    const ask = async (more = ''): Promise<void> => {
      caller.send(`GET / HTTP/1.1\r\nHost: web\r\n${more}\r\n`);
      assert.equal((await caller.answer()).status, 200);
    };
    await ask('l5d-dtab: /other => /thing\r\n');
    for (let i = 1; i <= 20; i++) {
      await ask();
      rig.clock.advance(SCRAPE_MS);
      scope.flush();
      const text = [...prometheusText(metrics.root, '', new SeriesBudget(5))].join('');
      const counted = parseExposition(text).samples.find(({ name }) => name === 'rt:service:requests');
      assert.equal(counted?.value, i + 1);
    }
    await rig.close();
    await backend.close();
    metrics.close();
  });
});
