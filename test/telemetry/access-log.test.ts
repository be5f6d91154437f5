import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import type { AccessLogSpec } from '../../config/spec.ts';
import type { Interest } from '../../routers/tap/interest.ts';
import { silentLog } from '../../src/base/log.ts';
import { type AccessLog, openAccessLog } from '../../src/telemetry/access-log.ts';
import { nextRollMs, rollPolicy } from '../../src/telemetry/roll-policy.ts';
import { Tap } from '../../src/telemetry/tap.ts';
import { RecordedStats } from '../support/recorded-stats.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-access-'));
after(() => rmSync(folder, { recursive: true }));

const noon = new Date(2026, 10, 25, 12, 0, 0).getTime();
const story = {
  time: new Date(noon - 30).toISOString(),
  router: 'http',
  host: 'web',
  peer: '127.0.0.1:5000',
  method: 'GET',
  target: '/a?b',
  version: '1.1',
  status: 200,
  length: '12',
  attempts: [
    { status: 503, atMs: 0, ms: 10 },
    { failure: 'connect', atMs: 10, ms: 1 },
    { status: 200, atMs: 20, ms: 10 },
  ],
};

class Rig {
  readonly stats = new RecordedStats();
  readonly errors: string[] = [];
  wallMs = noon;
  told: readonly Interest[] = [];
  readonly tap = new Tap((interests) => {
    this.told = interests;
  });
  readonly log: AccessLog;

  constructor(spec: Partial<AccessLogSpec> & { path: string }, stdout?: NodeJS.WriteStream) {
    const whole = { format: 'common', rollPolicy: 'never', append: true, keep: -1, ...spec } as const;
    this.log = openAccessLog('http', whole, {
      tap: this.tap,
      clock: { wallMs: () => this.wallMs },
      log: { ...silentLog, error: (message) => this.errors.push(message) },
      stats: this.stats.root.scope('rt', 'http'),
      ...(stdout === undefined ? {} : { stdout }),
    });
  }

  /** Who keeps the lines that were told. */
  keepers = 0;

  tell(fields: object = {}): void {
    const lines = Buffer.from(`${JSON.stringify({ ...story, ...fields })}\n`);
    const loan = { keep: () => void this.keepers++, release: () => void this.keepers-- };
    this.tap.receive({ lines, masks: [1] }, loan);
  }
}

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('The access log', () => {
  it('in the common form has a line for each upstream response', async () => {
    const rig = new Rig({ path: join(folder, 'common.log') });
    assert.deepEqual(rig.told[0]?.where, [{ field: 'router', op: '=', value: 'http' }]);
    rig.tell({ referer: 'http://a/', userAgent: 'curl "x"\n' });
    await rig.log.close();
    const time = /\[25\/Nov\/2026:(11:59:59|12:00:00) [+-]\d{4}\]/;
    const [first, second, ...rest] = read('common.log').split('\n');
    assert.deepEqual(rest, ['']);
    assert.match(first ?? '', time);
    assert.match(first ?? '', /^web 127\.0\.0\.1 - - \[/);
    assert.ok(first?.endsWith('"GET /a?b HTTP/1.1" 503 - "http://a/" "curl \\"x\\"\\x0a"'), first);
    assert.match(second ?? '', / 200 12 "http:\/\/a\/"/);
    assert.deepEqual(rig.told, []);
  });

  it('as JSON has the story of each request as it was told', async () => {
    const rig = new Rig({ path: join(folder, 'json.log'), format: 'json' });
    rig.tell();
    rig.tell({ status: 404 });
    assert.equal(rig.keepers, 1);
    await rig.log.close();
    assert.equal(rig.keepers, 0);
    const statuses = read('json.log')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).status);
    assert.deepEqual(statuses, [200, 404]);
  });

  it('goes on where it was, or begins anew', async () => {
    writeFileSync(join(folder, 'old.log'), 'before\n');
    const kept = new Rig({ path: join(folder, 'old.log') });
    kept.tell();
    await kept.log.close();
    assert.match(read('old.log'), /^before\nweb /);
    const anew = new Rig({ path: join(folder, 'old.log'), append: false });
    anew.tell();
    await anew.log.close();
    assert.match(read('old.log'), /^web /);
  });

  it('is rolled by size, and keeps as many files as it is told', async () => {
    const rig = new Rig({ path: join(folder, 'sized.log'), rollPolicy: '100.bytes', keep: 2 });
    for (let i = 0; i < 5; i++) {
      rig.tell();
      rig.wallMs += 1000;
      await until(() => read('sized.log').includes('web '));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await rig.log.close();
    const rolled = readdirSync(folder).filter((name) => name.startsWith('sized-'));
    assert.ok(rolled.length <= 2 && rolled.length > 0, rolled.join());
    for (const name of rolled) assert.match(name, /^sized-\d{8}-\d{6}(-\d+)?\.log$/);
  });

  it('drops and counts what cannot be written, and says so once', async () => {
    const rig = new Rig({ path: join(folder, 'absent', 'a.log') });
    rig.tell();
    await rig.log.close();
    rig.tell();
    assert.equal(rig.errors.length, 1);
    assert.equal(rig.stats.value('rt/http/access_log/dropped'), 2);
  });

  it('drops and counts what standard output does not take', () => {
    const written: (() => void)[] = [];
    const pipe = {
      writableLength: 0,
      write: (_lines: Buffer, done: () => void) => written.push(done),
    };
    const rig = new Rig({ path: 'stdout', format: 'json' }, pipe as unknown as NodeJS.WriteStream);
    rig.tell();
    pipe.writableLength = 5 * 1024 * 1024;
    rig.tell();
    assert.equal(written.length, 1);
    assert.equal(rig.keepers, 1);
    written[0]?.();
    assert.equal(rig.keepers, 0);
    assert.equal(rig.stats.value('rt/http/access_log/dropped'), 1);
  });
});

describe('A roll policy', () => {
  const next = (text: string): string => new Date(nextRollMs(rollPolicy(text), noon)).toString().slice(0, 21);

  it('of time rolls at the next full hour, midnight, or midnight before its day', () => {
    assert.equal(next('hourly'), 'Wed Nov 25 2026 13:00');
    assert.equal(next('Daily'), 'Thu Nov 26 2026 00:00');
    assert.equal(next('weekly(1)'), 'Sun Nov 29 2026 00:00');
    assert.equal(next('weekly(4)'), 'Wed Dec 02 2026 00:00');
    assert.equal(nextRollMs(rollPolicy('never'), noon), Number.POSITIVE_INFINITY);
  });

  it('of size counts in units of 1024', () => {
    assert.deepEqual(rollPolicy('3.megabytes'), { type: 'size', bytes: 3 * 1024 * 1024 });
    assert.deepEqual(rollPolicy('1.kilobyte'), { type: 'size', bytes: 1024 });
  });
});

describe('The keys of an access log', () => {
  const load = (keys: string) =>
    loadConfig(`routers: [{protocol: http, servers: [{port: 0}], ${keys}}]`, { source: 'test' });

  it('become one object, with JSON as the form of standard output', () => {
    const loaded = load('httpAccessLog: stdout, httpAccessLogRotateCount: 3');
    assert.ok('spec' in loaded);
    assert.deepEqual(loaded.spec.routers[0]?.accessLog, {
      path: 'stdout',
      format: 'json',
      rollPolicy: 'never',
      append: true,
      keep: 3,
    });
  });

  it('refuse a policy that there is not', () => {
    const loaded = load('httpAccessLogRollPolicy: sometimes');
    assert.ok('errors' in loaded && /3\.megabytes/.test(loaded.errors[0]?.message ?? ''));
  });
});

async function until(done: () => boolean): Promise<void> {
  while (!isDone(done)) await new Promise((resolve) => setImmediate(resolve));
}

function isDone(done: () => boolean): boolean {
  try {
    return done();
  } catch {
    return false;
  }
}
