/** 1,000 callers that send byte by byte and 200 that read nothing, beside good ones, who must not notice. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RawClient } from '../support/raw-client.ts';
import { noSocketsLeft, Rig } from '../support/rig.ts';
import { until } from '../support/until.ts';
import { memoryInUse } from './collect-garbage.ts';

const LORISES = 1000;
const READERS = 200;
const HEAD_MS = 8000;
const TAKING_MS = 5000;
/** Timers are coarse and two processes share the processor with the good load. */
const MARGIN_MS = 1500;
const BYTES_EACH_MAX = 65536;
const GOOD = 8;
/** The endpoint and the good callers live in the router's own process here. */
const P99_MS_MAX = 1000;

const BIG = Buffer.alloc(6 << 20, 'z');

function endpoint(): net.Server {
  return net.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes('/big')) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`);
        socket.write(BIG);
      } else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
}

/** A caller that asks again every few milliseconds. */
class GoodCaller {
  readonly latencies: number[] = [];
  readonly failures: string[] = [];
  #stopped = false;
  readonly done: Promise<void>;

  constructor(port: number) {
    this.done = this.#run(port);
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.done;
  }

  async #run(port: number): Promise<void> {
    const client = await RawClient.connect(port);
    while (!this.#stopped) {
      const from = performance.now();
      client.send('GET /good HTTP/1.1\r\nHost: web\r\n\r\n');
      const got = await client.answer().then(
        ({ status, body }) => `${status} ${body}`,
        (error: Error) => error.message,
      );
      const tookMs = performance.now() - from;
      this.latencies.push(tookMs);
      if (got !== '200 ok') this.failures.push(`${got} after ${Math.round(tookMs)} ms`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await client.close();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  await until(() => child.exitCode !== null, 'the end of the bad callers');
}

/** Resolves to the time until the condition holds. */
async function timeUntil(condition: () => boolean, what: () => string, ms: number): Promise<number> {
  const from = performance.now();
  await until(condition, what, ms);
  return performance.now() - from;
}

describe('Slow callers', () => {
  it(`${LORISES} who send slowly and ${READERS} who do not read harm nobody and are cut in time`, async (context) => {
    const server = endpoint();
    server.listen(0, '127.0.0.1');
    await until(() => server.listening, 'the endpoint');
    const rig = await Rig.start({
      server: {
        headTimeoutMs: HEAD_MS,
        bodyIdleTimeoutMs: TAKING_MS,
        socketOptions: { noDelay: true, reusePort: false, backlog: 2000 },
      },
    });
    rig.addresses('web', [{ port: (server.address() as net.AddressInfo).port }]);
    rig.tree('web', { type: 'leaf', value: rig.bound('web') });
    let lastMs = performance.now();
    const ticking = setInterval(() => {
      const nowMs = performance.now();
      rig.clock.advance(nowMs - lastMs);
      lastMs = nowMs;
    }, 10);
    const good = Array.from({ length: GOOD }, () => new GoodCaller(rig.port));
    await until(() => good.every(({ latencies }) => latencies.length > 5), 'the good callers');
    const before = await memoryInUse();

    const script = fileURLToPath(new URL('slow-callers.ts', import.meta.url));
    const child = spawn(process.execPath, [script, `${rig.port}`, `${LORISES}`, `${READERS}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    context.after(() => {
      child.kill();
      clearInterval(ticking);
      server.close();
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const from = performance.now();
    await until(() => said.includes('ready'), 'the bad callers', HEAD_MS);
    const all = () => rig.server.connections === LORISES + READERS + GOOD;
    await until(all, () => `all bad callers, there are ${rig.server.connections}`, TAKING_MS);
    const bad = rig.server.connections - GOOD;
    const each = ((await memoryInUse()) - before) / bad;
    if (process.env['VERBOSE'] === '1') console.log({ readyMs: performance.now() - from, bad, each });

    const left = () => rig.server.connections;
    const limit = Math.max(HEAD_MS, TAKING_MS) + 2000 + MARGIN_MS;
    await timeUntil(
      () => left() <= GOOD,
      () => `the end of ${left() - GOOD} bad callers`,
      limit,
    );
    const tookMs = performance.now() - from;
    child.stdin.write('?');
    await until(() => /cut \d+ \d+\n/.test(said), 'the report of the bad callers');
    const [cut = 0, longestMs = 0] = (/cut (\d+) (\d+)/.exec(said)?.slice(1) ?? []).map(Number);
    await Promise.all(good.map((caller) => caller.stop()));
    await ended(child);

    const latencies = good.flatMap((caller) => caller.latencies).sort((a, b) => a - b);
    const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0;
    assert.deepEqual(
      good.flatMap(({ failures }) => failures),
      [],
      'failures of good callers',
    );
    assert.ok(p99 < P99_MS_MAX, `p99 of the good callers is ${p99} ms`);
    assert.ok(each <= BYTES_EACH_MAX, `${Math.round(each)} bytes for each bad caller`);
    assert.ok(bad > 0.9 * (LORISES + READERS), `only ${bad} bad callers at one time`);
    assert.equal(cut, LORISES, 'bad callers that have been told to go');
    assert.ok(longestMs <= HEAD_MS + MARGIN_MS, `the last one was cut after ${longestMs} ms`);
    assert.ok(tookMs < limit + MARGIN_MS, `all gone after ${tookMs} ms`);
    if (process.env['VERBOSE'] === '1') console.log({ each, p99, longestMs, tookMs, good: latencies.length });
    clearInterval(ticking);
    await rig.close();
    server.close();
    await noSocketsLeft();
  });
});
