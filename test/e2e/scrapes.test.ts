/** What a Prometheus that scrapes a process under load sees, while names are forgotten and come back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Exposition, parseExposition } from '../telemetry/exposition-parser.ts';
import { type Application, named, startApplication, startMesh } from './mesh.ts';

const NAMES = 6;
/** A name leaves one of the four nested caches after another, each up to twice the idle time later. */
const EVICTED_WITHIN_MS = 60_000;
const TOLD_WITHIN_MS = 10_000;
const SCRAPES_FIRST = 5;

/** The samples that may only grow, by name and labels. */
function growing({ types, samples }: Exposition): Map<string, number> {
  const all = new Map<string, number>();
  for (const { name, labels, value } of samples) {
    const base = types.get(name) ?? types.get(name.replace(/_(count|sum|bucket)$/, ''));
    const grows = base === 'counter' || (base !== 'gauge' && /_(count|sum|bucket)$/.test(name));
    if (grows) all.set(`${name} ${JSON.stringify([...labels])}`, value);
  }
  return all;
}

describe('The scrapes of a process under load', () => {
  it('are well-formed, and never see a counter go down while idle names are evicted', async () => {
    const applications: Application[] = [];
    const mesh = await startMesh({
      threads: 2,
      router: '  bindingCache: {idleTtlSecs: 1}\ntelemetry: [{kind: io.l5d.prometheus}]\n',
    });
    let half = 0;
    let sent = 0;
    let ended = false;
    const caller = async (): Promise<void> => {
      for (let i = 0; !ended; i++) {
        const name = `s${half * (NAMES / 2) + (i % (NAMES / 2))}`;
        sent++;
        const response = await fetch(`http://127.0.0.1:${mesh.port}/`, {
          headers: { 'l5d-dtab': `/svc/127.0.0.1:${mesh.port} => /svc/${name}` },
        });
        assert.equal(await response.text(), name);
      }
    };
    try {
      for (let i = 0; i < NAMES; i++) {
        const application = await startApplication(named(`s${i}`));
        applications.push(application);
        mesh.point(`s${i}`, application.port);
      }
      const scrape = async (): Promise<Exposition> => {
        const response = await fetch(`http://127.0.0.1:${mesh.admin}/admin/metrics/prometheus`);
        return parseExposition(await response.text());
      };
      const load = Promise.all([caller(), caller()]);
      let before = new Map<string, number>();
      let turns = 0;
      let turnedMs = performance.now();
      for (let count = 0; turns < 3; count++) {
        assert.ok(
          performance.now() < turnedMs + EVICTED_WITHIN_MS,
          `nothing was evicted in ${EVICTED_WITHIN_MS} ms`,
        );
        const shown = await scrape();
        const now = growing(shown);
        let evicted = 0;
        for (const [series, value] of before) {
          const after = now.get(series);
          if (after === undefined) evicted++;
          else assert.ok(after >= value, `${series} went from ${value} to ${after}`);
        }
        before = now;
        // The other half comes back as soon as it has been forgotten; at first it has to be used at all.
        if (evicted > 0 || count === SCRAPES_FIRST) {
          half = 1 - half;
          turns++;
          turnedMs = performance.now();
        }
      }
      ended = true;
      await load;
      const served = async (): Promise<number> =>
        [...growing(await scrape())]
          .filter(([series]) => series.startsWith('rt:server:requests '))
          .reduce((sum, [, value]) => sum + value, 0);
      // The data threads tell what they counted a little later.
      const endedMs = performance.now();
      while ((await served()) !== sent && performance.now() < endedMs + TOLD_WITHIN_MS);
      assert.equal(await served(), sent);
    } finally {
      ended = true;
      await mesh.stop();
      for (const application of applications) await application.close();
    }
  });
});
