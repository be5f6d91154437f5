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
/** How long sockets may take, on a machine however slow: the time limits under test are on the router's clock. */
const PATIENCE_MS = 60_000;
const BYTES_EACH_MAX = 65536;
const GOOD = 8;

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
  answers = 0;
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
      this.answers++;
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

/** Moves the router's clock, in steps between which sockets get their turn. */
async function pass(rig: Rig, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    rig.clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
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
    const good = Array.from({ length: GOOD }, () => new GoodCaller(rig.port));
    await until(() => good.every(({ answers }) => answers > 5), 'the good callers');
    const before = await memoryInUse();

    const script = fileURLToPath(new URL('slow-callers.ts', import.meta.url));
    const child = spawn(process.execPath, [script, `${rig.port}`, `${LORISES}`, `${READERS}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    context.after(() => {
      child.kill();
      server.close();
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const report = async (): Promise<number> => {
      said = '';
      child.stdin.write('?');
      await until(() => /cut \d+\n/.test(said), 'the report of the bad callers', PATIENCE_MS);
      return Number(/cut (\d+)/.exec(said)?.[1]);
    };
    const left = () => rig.server.connections;
    // The router's clock stands still until they are all there.
    await until(() => said.includes('ready'), 'the bad callers', PATIENCE_MS);
    await until(
      () => left() === LORISES + READERS + GOOD,
      () => `all bad callers, there are ${left() - GOOD}`,
      PATIENCE_MS,
    );
    const each = ((await memoryInUse()) - before) / (LORISES + READERS);

    await pass(rig, HEAD_MS - 100);
    assert.equal(await report(), 0, 'slow heads that were cut before their time');
    await pass(rig, 200);
    // A reader's time starts anew as long as its answer still fills the buffers on the way.
    await until(
      () => {
        rig.clock.advance(10);
        return left() <= GOOD;
      },
      () => `the end of ${left() - GOOD} bad callers`,
      PATIENCE_MS,
    );
    assert.equal(await report(), LORISES, 'slow heads that have been told to go');
    await Promise.all(good.map((caller) => caller.stop()));
    await ended(child);

    assert.deepEqual(
      good.flatMap(({ failures }) => failures),
      [],
      'failures of good callers',
    );
    assert.ok(each <= BYTES_EACH_MAX, `${Math.round(each)} bytes for each bad caller`);
    await rig.close();
    server.close();
    await noSocketsLeft();
  });
});
