import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flatJson } from '../../src/telemetry/json.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { watchProcess } from '../../src/telemetry/process.ts';
import { HandClock } from '../support/hand-clock.ts';
import { Rig } from '../support/rig.ts';
import { OK, ScriptedBackend } from '../support/scripted-backend.ts';
import { until } from '../support/until.ts';
import { processNames, routerNames } from './linkerd-names.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
const LIMITS = { noDelay: true, readTimeoutMs: 60_000, writeTimeoutMs: 60_000 };

async function rigOver(backend: ScriptedBackend) {
  return Rig.over([backend], {
    router: { originator: true, streamAfterBytes: 0 },
    server: {
      maxConcurrentRequests: 10,
      lifeTimeMs: 600_000,
      socketOptions: { ...LIMITS, reusePort: false },
    },
    client: { socketOptions: LIMITS },
  });
}

describe('Metrics', () => {
  it('have every name of linkerd 1.7.5 after requests of every kind', async () => {
    const backend = await ScriptedBackend.start(({ target, connection }) => {
      if (target === '/chunked') return CHUNKED;
      if (target === '/500') return 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n';
      if (target === '/reset') connection.reset();
      return target === '/reset' ? undefined : OK;
    });
    const rig = await rigOver(backend);
    const caller = await rig.connect();
    const ask = async (head: string, body = '') => {
      caller.send(
        `${head}\r\nHost: web\r\n${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`,
      );
      return (await caller.answer()).status;
    };
    const now = BigInt(Math.round(rig.clock.wallMs())) * 1_000_000n;
    const deadline = `l5d-ctx-deadline: ${now - 7_000_000n} ${now + 60_000_000_000n}`;
    assert.equal(
      await ask(`POST /chunked HTTP/1.1\r\nl5d-dtab: /a => /b ; /c => /d\r\n${deadline}`, 'hello'),
      200,
    );
    assert.equal(await ask('GET /500 HTTP/1.1'), 500);
    assert.equal(await ask('POST /reset HTTP/1.1', 'x'), 502);
    const other = await rig.connect();
    other.reset();
    await until(() => rig.serverStat('closes') === 1, 'the end of a caller');
    // Nobody listens on port 1.
    rig.addresses('web', [{ port: 1 }]);
    assert.equal(await ask('GET / HTTP/1.1'), 502);
    const have = rig.stats.names;
    for (const name of routerNames) {
      const pattern = RegExp(`^${name.replace(/[^\w/*]/g, '\\$&').replaceAll('*', '[^/]+')}$`);
      assert.ok(
        have.some((each) => pattern.test(each)),
        `${name} is missing`,
      );
    }
    await caller.close();
    await rig.close();
    await backend.close();
  });

  it('of the runtime have the names that dashboards read', async () => {
    const clock = new HandClock();
    const tree = new MetricsTree(clock);
    const watched = await watchProcess(tree, clock);
    const json = JSON.parse([...flatJson(tree.root)].join(''));
    for (const name of processNames) assert.equal(typeof json[name], 'number', name);
    watched.close();
    tree.close();
  });

  it('tell how large bodies and local dtabs are, at the server and at the client', async () => {
    const backend = await ScriptedBackend.start();
    const rig = await rigOver(backend);
    const caller = await rig.connect();
    caller.send('POST / HTTP/1.1\r\nHost: web\r\nl5d-dtab: /a=>/b;/c=>/d\r\nContent-Length: 5\r\n\r\nhello');
    assert.equal((await caller.answer()).body, 'ok');
    for (const side of ['server/test', 'client/#/test/web']) {
      assert.deepEqual(rig.stats.samples(`rt/http/${side}/request_payload_bytes`), [5], side);
      assert.deepEqual(rig.stats.samples(`rt/http/${side}/response_payload_bytes`), [2], side);
      assert.deepEqual(rig.stats.samples(`rt/http/${side}/dtab/size`), [2], side);
    }
    await rig.close();
    await backend.close();
  });

  it('count a stream while it is open and how long it was', async () => {
    const backend = await ScriptedBackend.start(() => undefined);
    const rig = await rigOver(backend);
    const caller = await rig.connect();
    const streams = (way: string, name: string) => [
      rig.serverStat(`stream/${way}/${name}`),
      rig.clientStat(`stream/${way}/${name}`),
    ];
    caller.send('POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n');
    await until(() => backend.connections.length === 1, 'the request');
    assert.deepEqual(streams('request', 'pending'), [1, 1]);
    rig.clock.advance(30);
    caller.send('2\r\nhi\r\n0\r\n\r\n');
    await backend.untilRequests(1);
    backend.requests[0]?.connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    await caller.untilText('a\r\n');
    assert.deepEqual(streams('response', 'pending'), [1, 1]);
    rig.clock.advance(50);
    backend.requests[0]?.connection.write('0\r\n\r\n');
    await caller.answer();
    for (const way of ['request', 'response']) {
      assert.deepEqual(streams(way, 'opened'), [1, 1], way);
      assert.deepEqual(streams(way, 'closed'), [1, 1], way);
      assert.deepEqual(streams(way, 'pending'), [0, 0], way);
    }
    for (const side of ['server/test', 'client/#/test/web']) {
      const took = (way: string) => rig.stats.samples(`rt/http/${side}/stream/${way}/duration_ms`);
      assert.ok((took('request')[0] ?? 0) >= 20 && (took('request')[0] ?? 99) <= 40, `${took('request')}`);
      assert.ok((took('response')[0] ?? 0) >= 40 && (took('response')[0] ?? 99) <= 60, `${took('response')}`);
    }
    await rig.close();
    await backend.close();
  });

  it('tell what a connection carried, how long, and by what it failed', async () => {
    const backend = await ScriptedBackend.start();
    const rig = await rigOver(backend);
    const caller = await rig.connect();
    const request = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
    caller.send(request);
    await caller.answer();
    const { received } = caller;
    rig.clock.advance(100);
    caller.reset();
    await until(() => rig.serverStat('closes') === 1, 'the end of the caller');
    assert.deepEqual(rig.stats.samples('rt/http/server/test/connection_received_bytes'), [request.length]);
    assert.deepEqual(rig.stats.samples('rt/http/server/test/connection_sent_bytes'), [received]);
    assert.equal(rig.serverStat('exn/ECONNRESET'), 1);
    assert.equal(rig.serverStat('socket_unwritable_ms'), 0);
    assert.ok(rig.serverStat('socket_writable_ms') >= 90);
    await rig.close();
    await backend.close();
  });

  it('say why connections of callers were closed, and how many requests are being served', async () => {
    const backend = await ScriptedBackend.start(() => undefined);
    const rig = await Rig.over([backend], {
      server: { maxConcurrentRequests: 5, idleTimeMs: 1000, lifeTimeMs: 5000 },
    });
    const idle = await rig.connect();
    await until(() => rig.serverStat('connects') === 1, 'a caller');
    const busy = await rig.connect();
    busy.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    await backend.untilRequests(1);
    assert.equal(rig.serverStat('request_concurrency'), 1);
    rig.clock.advance(6000);
    backend.requests[0]?.connection.write(OK);
    await busy.untilEnded();
    assert.equal(rig.serverStat('lifetime'), 1);
    assert.equal(rig.serverStat('request_concurrency'), 0);
    await idle.close();
    await rig.close();
    await backend.close();
  });
});
