/** Every way in which the API server, or the way to it, can fail. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { plainAccess } from '../../k8s/auth.ts';
import { endpointSlices } from '../../k8s/resources.ts';
import type { Request } from '../support/kube-api/faults.ts';
import { settled, until } from '../support/until.ts';
import { Rig, type RigOptions, webSlices } from './rig.ts';

let rig: Rig;
let relay: Relay | undefined;
afterEach(async () => {
  await rig.closeAll();
  await relay?.close();
  relay = undefined;
});

async function watching(options?: RigOptions) {
  rig = await Rig.start(options);
  rig.putSlice('web-1', ['10.0.0.1']);
  const web = rig.see(webSlices);
  await until(
    () => web.now === '10.0.0.1' && rig.api.watches.length === 1,
    () => web.now,
  );
  return web;
}

/** At no moment after the first list was there anything but a set that is not empty. */
function assertNeverEmpty(web: Awaited<ReturnType<typeof watching>>): void {
  assert.ok(web.states.slice(1).every((state) => state.state === 'ok' && state.value.size > 0));
}

/** Questions about the watched collection. */
const attempts = (from: number): Request[] =>
  rig.api.requests.slice(from).filter(({ verb }) => verb === 'list' || verb === 'watch');

/** Changes something that is missed, and what it looks like then. */
function changeMeanwhile(): string {
  rig.putSlice('web-2', ['10.0.0.2']);
  rig.api.remove('endpointslices', 'default', 'web-1');
  return '10.0.0.2';
}

describe('While the API server is away', () => {
  it('what is known is kept, and what was missed is seen soon after it is back', async () => {
    const web = await watching();
    await rig.api.stop();
    await rig.advance(20_000);
    assert.equal(web.now, '10.0.0.1');
    const [report] = rig.client.watches();
    assert.ok(
      (report?.staleMs ?? 0) >= 19_000 && report?.problem?.includes('ECONNREFUSED'),
      JSON.stringify(report),
    );
    const after = changeMeanwhile();
    rig.api.compact();
    await rig.api.restart();
    const tookMs = await rig.advanceUntil(() => web.now === after, 10_000);
    assert.ok(tookMs <= 5000, `${tookMs} ms`);
    await until(() => rig.api.watches.length === 1, 'the next watch');
    assertNeverEmpty(web);
    assert.equal(rig.client.watches()[0]?.staleMs, 0);
    assert.equal(rig.client.watches()[0]?.drift, 0);
  });

  it('it is told once, and once when it is back, however many watch', async () => {
    await watching();
    for (let i = 0; i < 20; i++) {
      rig.see({ ...webSlices, labelSelector: `kubernetes.io/service-name=s${i}` });
    }
    await until(() => rig.api.watches.length === 21, 'all watches');
    await rig.api.stop();
    await rig.advance(20_000);
    await rig.api.restart();
    await rig.advanceUntil(() => rig.api.watches.length === 21, 6000);
    assert.equal(rig.logged.filter((line) => line.includes('does not answer')).length, 1);
    assert.equal(rig.logged.filter((line) => line.includes('answers again')).length, 1);
    assert.equal(rig.logged.length, 2, rig.logged.join('\n'));
  });

  it('a name that nobody has seen fails at once', async () => {
    await watching();
    await rig.api.stop();
    await rig.advance(3000);
    const other = rig.see({ ...webSlices, labelSelector: 'kubernetes.io/service-name=other' });
    await until(
      () => other.now.startsWith('failed'),
      () => other.now,
    );
    assert.match(other.now, /the Kubernetes API at http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  });
});

describe('A server that fails', () => {
  /** How long it may take until it is followed again; 5 s unless something else is known. */
  const slow: Readonly<Record<string, number>> = {
    // Nobody knows that it is nonsense everywhere.
    'sends nonsense': 21_000,
    // Time limits of what has begun.
    'never ends an error': 6000,
    'never begins a body': 55_000,
  };
  const faults = {
    'answers 500': { type: 'status', code: 500 },
    'answers 503': { type: 'status', code: 503, retryAfterSeconds: 1 },
    'answers 429': { type: 'status', code: 429 },
    'answers 401': { type: 'status', code: 401 },
    'never answers': { type: 'hang' },
    'never ends an error': { type: 'stall', code: 503 },
    'never begins a body': { type: 'stall', code: 200 },
    'cuts connections': { type: 'reset' },
    'sends nonsense': { type: 'body', text: 'nonsense' },
  } as const;
  for (const [what, fault] of Object.entries(faults)) {
    it(`and ${what} for 20 s is asked seldom, and followed soon after`, async () => {
      const web = await watching();
      const from = rig.api.requests.length;
      const failing = rig.api.fault(fault);
      rig.api.cutWatches();
      await rig.advance(10_000);
      const half = attempts(from).length;
      await rig.advance(10_000);
      const whole = attempts(from).length;
      assert.ok(whole <= 12, `${whole} attempts in 20 s`);
      assert.ok(whole - half <= 2, `${whole - half} attempts in the last 10 s`);
      assert.equal(web.now, '10.0.0.1');
      const after = changeMeanwhile();
      failing.close();
      await rig.advanceUntil(() => web.now === after, slow[what] ?? 5000);
      assertNeverEmpty(web);
    });
  }

  it('at the end is asked not more than once in 10 s', async () => {
    await watching();
    rig.api.fault({ type: 'status', code: 500 }, { path: /endpointslices/ });
    rig.api.cutWatches();
    await rig.advance(40_000);
    const from = rig.api.requests.length;
    await rig.advance(60_000);
    assert.ok(attempts(from).length <= 6, `${attempts(from).length} attempts in 60 s`);
  });

  it('by leaving half an event loses nothing', async () => {
    const web = await watching();
    rig.api.fault({ type: 'half-event' }, { times: 3 });
    for (let i = 0; i < 6; i++) {
      rig.putSlice('web-2', [`10.0.1.${i}`]);
      await rig.advance(300);
    }
    await rig.advanceUntil(() => web.now === '10.0.0.1 10.0.1.5', 5000);
    assertNeverEmpty(web);
  });

  it('by cutting an event at any byte loses nothing', async () => {
    const web = await watching();
    const probe = JSON.stringify({
      type: 'MODIFIED',
      object: rig.api.get('endpointslices', 'default', 'web-1'),
    });
    const step = Math.ceil(probe.length / 25);
    for (let bytes = 0; bytes <= probe.length + 1; bytes += step) {
      rig.api.fault({ type: 'half-event', bytes }, { times: 1 });
      rig.putSlice('web-1', [`10.0.2.${bytes & 255}`]);
      await rig.advanceUntil(
        () => web.now === `10.0.2.${bytes & 255}` && rig.api.watches.length === 1,
        60_000,
      );
    }
    assertNeverEmpty(web);
  });

  it('by leaving half a list is asked again, and half a list is not believed', async () => {
    const web = await watching();
    rig.putSlice('web-2', ['10.0.0.2']);
    const text = '{"metadata":{"resourceVersion":"2000"},"items":[{"metadata":{"name":"half"';
    rig.api.fault({ type: 'body', text }, { verb: 'list', times: 1 });
    rig.api.expire();
    await rig.advanceUntil(() => web.now === '10.0.0.1 10.0.0.2' && rig.api.watches.length === 1, 5000);
    assertNeverEmpty(web);
  });

  it('by telling half a collection without an end of the list keeps what was known', async () => {
    const web = await watching();
    rig.api.fault({ type: 'body', text: '{"items":[]}' }, { verb: 'list' });
    rig.api.expire();
    await rig.advance(5000);
    assert.equal(web.now, '10.0.0.1');
  });
});

describe('A connection that falls silent', () => {
  it('is noticed within a minute, because a watch has an end that does not come', async () => {
    const web = await watching();
    const silence = rig.api.fault({ type: 'silence' });
    rig.putSlice('web-1', ['10.0.0.2']);
    await settled();
    silence.close();
    const tookMs = await rig.advanceUntil(() => web.now === '10.0.0.2', 60_000);
    assert.ok(tookMs <= 50_500, `${tookMs} ms`);
    assertNeverEmpty(web);
  });

  it('is noticed as soon with hundreds of watches, each of which lasts longer', async () => {
    const web = await watching();
    for (let i = 0; i < 200; i++) {
      rig.see({ ...webSlices, labelSelector: `kubernetes.io/service-name=s${i}` });
    }
    await until(() => rig.api.watches.length === 201, 'all watches', 10_000);
    // The first were begun when there were few.
    await rig.advance(60_000);
    const before = rig.api.asked('watch').length;
    await rig.advance(60_000);
    const renewed = rig.api.asked('watch').length - before;
    assert.ok(renewed > 60 && renewed < 200, `${renewed} watches begun in a minute`);
    const silence = rig.api.fault({ type: 'silence' });
    for (const name of ['web-1', 'web-2']) rig.putSlice(name, ['10.0.0.2']);
    rig.api.bookmark();
    silence.close();
    const from = rig.api.requests.length;
    await rig.advanceUntil(() => web.now === '10.0.0.2 10.0.0.2', 60_000);
    assert.ok(rig.api.requests.length - from < 1000, `${rig.api.requests.length - from} requests`);
  });

  it('before it has accepted a watch is noticed as soon, also with hundreds of watches', async () => {
    await watching();
    for (let i = 0; i < 400; i++) {
      rig.see({ ...webSlices, labelSelector: `kubernetes.io/service-name=s${i}` });
    }
    await until(() => rig.api.watches.length === 401, 'all watches', 10_000);
    rig.api.fault({ type: 'hang' }, { verb: 'watch', path: /service-name%3Dlate/, times: 8 });
    const late = Array.from({ length: 8 }, (_, i) => {
      const labelSelector = `kubernetes.io/service-name=late${i}`;
      return rig.see({ ...webSlices, labelSelector });
    });
    await until(() => rig.api.asked('watch').length >= 409, 'the last watches', 10_000);
    const from = rig.api.asked('watch').length;
    await rig.advanceUntil(() => {
      const again = rig.api.asked('watch').slice(from);
      return late.every((_, i) => again.some(({ path }) => path.includes(`late${i}`)));
    }, 60_000);
  });

  it('somewhere on the way is noticed too, and its age is told', async () => {
    rig = await Rig.start({
      access: async (api) => {
        relay ??= await Relay.start(api.port);
        return plainAccess('127.0.0.1', relay.port);
      },
    });
    rig.putSlice('web-1', ['10.0.0.1']);
    const web = rig.see(webSlices);
    await until(
      () => web.now === '10.0.0.1' && rig.api.watches.length === 1,
      () => web.now,
    );
    relay?.freeze();
    rig.putSlice('web-1', ['10.0.0.2']);
    const tookMs = await rig.advanceUntil(() => web.now === '10.0.0.2', 60_000);
    assert.ok(tookMs <= 55_000, `${tookMs} ms`);
  });
});

describe('Bytes of every kind', () => {
  it('cut into pieces of one are read as well', async () => {
    rig = await Rig.start();
    rig.api.fault({ type: 'split', bytes: 1 }, { path: /endpointslices/ });
    rig.api.put('endpointslices', {
      metadata: {
        name: 'web-1',
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': 'web' },
        annotations: { note: 'ü 🦊 "{[]}" \\' },
      },
      endpoints: [{ addresses: ['10.0.0.1'] }],
    });
    const web = rig.see(webSlices);
    await until(
      () => web.now === '10.0.0.1' && rig.api.watches.length === 1,
      () => web.now,
    );
    const state = web.states.at(-1);
    const [slice] = state?.state === 'ok' ? [...state.value.values()] : [];
    assert.equal(slice?.meta.annotations['note'], 'ü 🦊 "{[]}" \\');
    rig.putSlice('web-2', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.1 10.0.0.2',
      () => web.now,
    );
  });

  it('that are compressed are read as they come, watches too', async () => {
    rig = await Rig.start();
    rig.api.fault({ type: 'gzip' });
    rig.putSlice('web-1', ['10.0.0.1']);
    const web = rig.see(webSlices);
    await until(
      () => web.now === '10.0.0.1' && rig.api.watches.length === 1,
      () => web.now,
    );
    rig.putSlice('web-2', ['10.0.0.2']);
    await until(
      () => web.now === '10.0.0.1 10.0.0.2',
      () => web.now,
    );
  });
});

describe('Access that is denied', () => {
  it('for an unknown caller is told with the same, and that the credentials are not accepted', async () => {
    rig = await Rig.start({ server: { tokens: ['secret'] } });
    const web = rig.see({ resource: endpointSlices });
    await until(
      () => web.now.startsWith('failed'),
      () => web.now,
    );
    for (const part of [
      'answers 401 to list endpointslices in all namespaces (/apis/discovery.k8s.io/v1/endpointslices)',
      'the token or certificate is not accepted',
      'in a ClusterRole: rules: [{apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"],',
    ]) {
      assert.ok(web.now.includes(part), `${part} in ${web.now}`);
    }
  });

  it('is told once, with the verb, the resource, the namespace and the rule that allows it', async () => {
    rig = await Rig.start();
    rig.putSlice('web-1', ['10.0.0.1']);
    const denied = rig.api.fault({ type: 'status', code: 403 }, { path: /endpointslices/ });
    const web = rig.see(webSlices);
    rig.see({ ...webSlices, labelSelector: 'kubernetes.io/service-name=other' });
    await until(
      () => web.now.startsWith('failed'),
      () => web.now,
    );
    await rig.advance(60_000);
    assert.equal(rig.logged.length, 1, rig.logged.join('\n'));
    const [told = ''] = rig.logged.map((line) => line.replaceAll('\\"', '"'));
    for (const part of [
      'answers 403 to list endpointslices in namespace default (/apis/discovery.k8s.io/v1/',
      'User "system:serviceaccount:default:turnout" cannot list resource "endpointslices"',
      'in a ClusterRole, or a Role in namespace default',
      'rules: [{apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"]}]',
    ]) {
      assert.ok(told.includes(part), `${part} in ${told}`);
    }
    assert.ok(attempts(0).length <= 2 * 8, `${attempts(0).length} attempts of two watches in a minute`);
    denied.close();
    await rig.advanceUntil(() => web.now === '10.0.0.1', 31_000);
  });
});

/** TCP in between. Frozen connections stay open and carry nothing; new ones work. */
class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async start(port: number): Promise<Relay> {
    const made = new Relay(port);
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => this.#sockets.delete(socket));
      }
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
