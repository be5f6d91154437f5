import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import type { Interest } from '../../routers/tap/interest.ts';
import { Tap } from '../../src/telemetry/tap.ts';
import { until } from '../support/until.ts';
import { type Rig, withAdmin } from './rig.ts';

type Live = { readonly text: () => string; readonly response: IncomingMessage; close(): void };

function open({ server }: Rig, path: string, accept = 'text/event-stream'): Promise<Live> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.port, path, headers: { accept }, agent: false };
    const asked = get(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', () => {});
      resolve({ text: () => text, response, close: () => void asked.destroy() });
    });
    asked.once('error', reject);
  });
}

const story = (path: string): string => `{"path":"${path}"}\n`;

describe('The live overview', () => {
  it('tells all rows, and then those that changed, with their rates', async () => {
    await withAdmin({}, async (rig) => {
      const timers = rig.clock.pending;
      const requests = rig.metrics.scope.counter('rt', 'http', 'service', 'svc/web', 'requests');
      const success = rig.metrics.scope.counter('rt', 'http', 'service', 'svc/web', 'success');
      const failures = rig.metrics.scope.counter('rt', 'http', 'service', 'svc/web', 'failures');
      const live = await open(rig, '/admin/overview');
      await until(() => live.text().includes('svc/web'), 'the first sample');
      const events = (): { full: boolean; rows: { kind: string; rps: number; success: number }[] }[] =>
        [...live.text().matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? ''));
      assert.equal(events()[0]?.full, true);
      requests.add(10);
      success.add(9);
      failures.add(1);
      rig.clock.advance(1000);
      await until(() => events().length === 2, 'the second sample');
      const row = events()[1]?.rows.find(({ kind }) => kind === 'service');
      assert.deepEqual([events()[1]?.full, row?.rps, row?.success], [false, 10, 0.9]);
      live.close();
      await until(() => rig.clock.pending === timers, 'the end of sampling');
    });
  });

  it('tells which share of the connections has TLS, of servers and of clients', async () => {
    await withAdmin({}, async (rig) => {
      const connections = (kind: string, name: string, all: number, secure: number): void => {
        const scope = rig.metrics.scope.scope('rt', 'http', kind, name);
        scope.counter('requests');
        scope.gauge('connections').set(all);
        scope.gauge('tls', 'connections').set(secure);
      };
      connections('server', '127.0.0.1/4140', 4, 1);
      connections('client', 'plain', 2, 0);
      connections('client', 'secure', 2, 2);
      connections('client', 'unused', 0, 0);
      const live = await open(rig, '/admin/overview');
      await until(() => live.text().includes('unused'), 'the first sample');
      const [, data = ''] = /^data: (.*)$/m.exec(live.text()) ?? [];
      const { rows } = JSON.parse(data) as { rows: { name: string; tls: number | null }[] };
      const shares = rows.map(({ name, tls }) => [name.replace(/^\//, ''), tls]);
      assert.deepEqual(
        new Map(shares as [string, number | null][]),
        new Map<string, number | null>([
          ['http', 0.25],
          ['127.0.0.1/4140', 0.25],
          ['plain', 0],
          ['secure', 1],
          ['unused', null],
        ]),
      );
      live.close();
    });
  });

  it('is sampled once for all who look, and not at all when nobody does', async () => {
    let samples = 0;
    const sources = {
      unready: () => {
        samples++;
        return [];
      },
    };
    await withAdmin({ sources }, async (rig) => {
      const timers = rig.clock.pending;
      const lives = await Promise.all(Array.from({ length: 100 }, () => open(rig, '/admin/overview')));
      await until(() => lives.every((live) => live.text().includes('"full":true')), 'all first events');
      samples = 0;
      rig.clock.advance(1000);
      await until(() => lives.every((live) => live.text().includes('"full":false')), 'all second events');
      // What it shows of the process is read with each sample.
      assert.equal(samples, 1);
      for (const live of lives) live.close();
      await until(() => rig.clock.pending === timers, 'the end of sampling');
    });
  });
});

describe('The live tap', () => {
  it('shares one listener among those who ask the same, and lets it go with the last', async () => {
    let interests: readonly Interest[] = [];
    const told: (readonly Interest[])[] = [];
    const tap = new Tap((wanted) => {
      interests = wanted;
      told.push(wanted);
    });
    await withAdmin({ sources: { tap } }, async (rig) => {
      const path = '/admin/tap?where=status%3E%3D500';
      const lives = await Promise.all(Array.from({ length: 100 }, () => open(rig, path)));
      const lines = await open(rig, '/admin/tap', '*/*');
      assert.deepEqual(
        interests.map(({ where }) => where),
        [[{ field: 'status', op: '>=', value: 500 }], []],
      );
      assert.equal(told.length, 2);
      tap.receive({ lines: Buffer.from(story('/svc/a') + story('/svc/b')), masks: [0b11, 0b10] });
      await until(() => lines.text().includes('/svc/b'), 'the lines');
      assert.equal(lines.text().trim(), (story('/svc/a') + story('/svc/b')).trim());
      await until(() => lives.every((live) => live.text().includes('event: request')), 'the events');
      assert.ok(lives.every((live) => !live.text().includes('/svc/b')));
      for (const live of [...lives, lines]) live.close();
      await until(() => interests.length === 0, 'the end of listening');
    });
  });

  it('tells a page at most 200 requests a second, and how many more there were', async () => {
    const tap = new Tap(() => {});
    await withAdmin({ sources: { tap } }, async (rig) => {
      const live = await open(rig, '/admin/tap');
      tap.receive({ lines: Buffer.from(story('/svc/a').repeat(500)), masks: Array(500).fill(1) });
      await until(() => live.text().includes('event: skipped\ndata: 300'), 'the rest');
      assert.equal(live.text().split('event: request').length - 1, 200);
      live.close();
    });
  });

  it('says what is wrong with its conditions', async () => {
    await withAdmin({}, async ({ ask }) => {
      const { status, body } = await ask('/admin/tap?where=colour%3Dred');
      assert.equal(status, 400);
      assert.match(body, /^where: unknown field "colour"/);
      assert.equal((await ask('/admin/tap?rate=2')).status, 400);
    });
  });

  it('ends when the server is closed, whoever listens', async () => {
    let live: Live | undefined;
    await withAdmin({}, async (rig) => {
      live = await open(rig, '/admin/tap', '*/*');
    });
    await until(() => live?.response.complete === true, 'the end of the answer');
  });
});

describe('Descriptions of requests', () => {
  it('are identified with their headers, in order', async () => {
    const sources = { identify: (head: object) => ({ http: { path: JSON.stringify(head) } }) };
    await withAdmin({ sources }, async ({ ask }) => {
      const query = 'method=POST&target=/a&host=web&header=X-A:%201&header=bad';
      const { http } = JSON.parse((await ask(`/identify.json?${query}`)).body);
      assert.deepEqual(JSON.parse(http.path), {
        method: 'POST',
        uri: '/a',
        version: '1.1',
        headers: ['Host', 'web', 'X-A', '1'],
      });
    });
  });
});

describe('The state of clients', () => {
  it('is asked of the data threads once a second, however many look', async () => {
    let asked = 0;
    const sources = {
      clientState: async () => {
        asked++;
        return { '/a': { state: 'bound', addresses: [] }, '/b': { state: 'Neg', addresses: [] } };
      },
    };
    await withAdmin({ sources }, async ({ ask, clock }) => {
      const answers = await Promise.all(Array.from({ length: 100 }, () => ask('/client_state.json?id=/b')));
      assert.ok(answers.every(({ body }) => body === '{"/b":{"state":"Neg","addresses":[]}}'));
      assert.equal(asked, 1);
      clock.advance(1001);
      await ask('/client_state.json');
      assert.equal(asked, 2);
    });
  });
});

describe('The state of a namer', () => {
  it('is what it lists and what is in use of it', async () => {
    const bound = { state: 'bound', addresses: ['10.0.0.1:80'] };
    const sources = {
      namers: ['/io.l5d.fs', '/io.l5d.fs', '/other'],
      boundNames: async () => ['/#/io.l5d.fs/web', '/#/other/web'],
      clientState: async () => ({ '/%/t/#/io.l5d.fs/web': bound, '/#/other/web': bound }),
    };
    await withAdmin({ sources }, async ({ ask }) => {
      assert.deepEqual(JSON.parse((await ask('/namer_state/io.l5d.fs.json')).body), {
        names: ['/#/io.l5d.fs/web'],
        bound: { '/%/t/#/io.l5d.fs/web': bound },
      });
      assert.equal((await ask('/namer_state/unknown.json')).status, 404);
    });
  });
});
