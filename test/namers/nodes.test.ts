/** The transformers that know nodes, and what they take from the environment. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import type { TransformerSpec } from '../../config/spec.ts';
import { type Addr, type Address, type Bound, leaf, type NameTree } from '../../dtab/names.ts';
import { KubeFailure } from '../../k8s/api.ts';
import { endpointSlices } from '../../k8s/resources.ts';
import { environmentProblems } from '../../namers/environment.ts';
import { HostResolver } from '../../namers/host-resolver.ts';
import { makeTransformers, transformAll } from '../../namers/transformers/make-transformers.ts';
import { failedActivity, ok, type State } from '../../src/base/activity.ts';
import { Failure } from '../../src/base/failure.ts';
import { Cell } from '../../src/base/var.ts';
import { endpoint, FakeKube, slice } from './fake-kube.ts';
import { ManualClock } from './manual-clock.ts';
import { onlyBound, path, recordingLog, settle, showAddr, showState, watching } from './watching.ts';

/** Addresses as `ip:port` or `ip:port@node`, weights as `*2`. */
function set(...lines: string[]): Addr {
  const addresses = lines.map((line): Address => {
    const [, host = '', port, weight, nodeName] = /^(.*):(\d+)(?:\*([\d.]+))?(?:@(.*))?$/.exec(line) ?? [];
    const meta = { ...(weight && { weight: Number(weight) }), ...(nodeName && { nodeName }) };
    return { host, port: Number(port), ...(Object.keys(meta).length > 0 && { meta }) };
  });
  return { type: 'bound', addresses, meta: {} };
}

function rig(spec: TransformerSpec, first: Addr, env: Record<string, string> = {}) {
  const api = new FakeKube();
  const resolver = new HostResolver({
    clock: new ManualClock(),
    log: recordingLog(),
    lookup: async (host) => (host === 'near' ? ['10.1.1.7'] : []),
  });
  const bindPath = () => failedActivity(new Failure('naming', 'unused'));
  const [transformer] = makeTransformers([spec], { resolver, bindPath, kube: () => api, env });
  const addr = new Cell<Addr>(first);
  let refreshed = 0;
  const web: Bound = {
    type: 'bound',
    id: path('/#/io.l5d.k8s/default/http/web'),
    addr,
    residual: path('/rest'),
    refresh: () => void refreshed++,
  };
  const trees = new Cell<State<NameTree<Bound>>>(ok(leaf(web)));
  const tree = watching(transformAll([transformer!], trees));
  const changed = watching(onlyBound(tree.latest).addr);
  return {
    api,
    addr,
    tree,
    changed,
    refreshed: () => refreshed,
    shows: (expected: string) => assert.equal(showAddr(changed.latest), expected),
    close() {
      changed.close();
      tree.close();
      assert.equal(api.watched.size, 0);
      assert.ok(!addr.observed);
    },
  };
}

const localNode = (hostNetwork: boolean): TransformerSpec => ({
  kind: 'io.l5d.k8s.localnode',
  prefix: '/io.l5d.k8s.localnode',
  hostNetwork,
});

describe('io.l5d.k8s.localnode', () => {
  it('keeps the endpoints on the node of its name, whatever their network is', () => {
    const pods = set('10.1.1.2:80*3@n1', '10.1.1.3:80@n2', '10.9.9.9:80@n1', 'fd00::1:80@n1');
    const { tree, shows, close } = rig(localNode(true), pods, { NODE_NAME: 'n1' });
    assert.equal(showState(tree.latest), '/%/io.l5d.k8s.localnode/n1/#/io.l5d.k8s/default/http/web + /rest');
    shows('10.1.1.2:80*3 10.9.9.9:80 fd00::1:80');
    close();
  });

  it('goes by the /24 of the pod only where one of the two names is not known', async () => {
    const env = { POD_IP: '10.1.1.9' };
    const pods = set('10.1.1.2:80@n2', '10.1.2.2:80', '10.1.1.3:80', 'fd00::1:80', 'near:80', 'far:80');
    const { tree, shows, changed, close } = rig(localNode(false), pods, env);
    assert.match(showState(tree.latest), /^\/%\/io\.l5d\.k8s\.localnode\/10\.1\.1\.9\/#/);
    await settle();
    shows('10.1.1.2:80 10.1.1.3:80 10.1.1.7:80');
    assert.ok(changed.latest.type === 'bound');
    close();
    const named = rig(localNode(false), pods, { ...env, NODE_NAME: 'n1' });
    await settle();
    named.shows('10.1.1.3:80 10.1.1.7:80');
    named.close();
  });

  it('is neg with nothing left, and passes on what is no set of endpoints', () => {
    const { addr, shows, close } = rig(localNode(true), set('10.1.1.2:80@n2'), { NODE_NAME: 'n1' });
    shows('neg');
    addr.set({ type: 'pending' });
    shows('pending');
    addr.set({ type: 'failed', failure: new Failure('naming', 'no') });
    shows('failed: no');
    close();
  });
});

const daemonSet: TransformerSpec = {
  kind: 'io.l5d.k8s.daemonset',
  prefix: '/io.l5d.k8s.daemonset/mesh/incoming/l5d',
  namespace: 'mesh',
  service: 'l5d',
  port: 'incoming',
  hostNetwork: false,
  api: {},
};

const gateways = (...all: Parameters<typeof endpoint>[]) =>
  slice(
    'l5d-1',
    'l5d',
    { incoming: 4141 },
    all.map((each) => endpoint(...each)),
    { namespace: 'mesh' },
  );

describe('io.l5d.k8s.daemonset', () => {
  it('replaces each endpoint by the gateway on its node, once a node', () => {
    const pods = set('10.1.1.2:80@n1', '10.1.1.3:80@n1', '10.1.1.4:80@n2', '10.1.1.5:80@n3');
    const { api, tree, shows, close } = rig(daemonSet, pods);
    shows('neg');
    api.put(
      endpointSlices,
      gateways(
        ['10.1.1.100', { node: 'n1' }],
        ['10.1.1.101', { node: 'n2' }],
        ['10.1.1.102', { node: 'n4' }],
      ),
    );
    assert.equal(
      showState(tree.latest),
      '/%/io.l5d.k8s.daemonset/mesh/incoming/l5d/#/io.l5d.k8s/default/http/web + /rest',
    );
    shows('10.1.1.100:4141 10.1.1.101:4141');
    close();
  });

  it('follows both sides', () => {
    const { api, addr, shows, close } = rig(daemonSet, set('10.1.1.2:80@n1'));
    api.put(endpointSlices, gateways(['10.1.1.100', { node: 'n1' }], ['10.1.2.100', { node: 'n2' }]));
    shows('10.1.1.100:4141');
    addr.set(set('10.1.2.2:80@n2'));
    shows('10.1.2.100:4141');
    api.put(endpointSlices, gateways(['10.1.1.100', { node: 'n1' }]));
    shows('neg');
    addr.set({ type: 'neg' });
    shows('neg');
    close();
  });

  it('goes by the /24 where one of the two names is not known', () => {
    const { api, addr, shows, close } = rig(daemonSet, set('10.1.1.2:80', '10.1.2.2:80'));
    api.put(endpointSlices, gateways(['10.1.1.100', { node: 'n1' }], ['10.1.3.100', { node: 'n3' }]));
    shows('10.1.1.100:4141');
    addr.set(set('10.1.1.2:80@n3'));
    shows('10.1.3.100:4141');
    api.put(endpointSlices, gateways(['10.1.1.100'], ['10.1.3.100', { node: 'n3' }]));
    shows('10.1.3.100:4141 10.1.1.100:4141');
    addr.set(set('fd00::1:80'));
    shows('neg');
    close();
  });

  it('uses a gateway that shuts down as long as its node has no other', () => {
    const leaving = { ready: false, serving: true, terminating: true };
    const { api, shows, close } = rig(daemonSet, set('10.1.1.2:80@n1', '10.1.2.2:80@n2'));
    api.put(
      endpointSlices,
      gateways(['10.1.1.100', { ...leaving, node: 'n1' }], ['10.1.2.100', { node: 'n2' }]),
    );
    shows('10.1.1.100:4141 10.1.2.100:4141');
    api.put(
      endpointSlices,
      gateways(
        ['10.1.1.100', { ...leaving, node: 'n1' }],
        ['10.1.1.101', { node: 'n1' }],
        ['10.1.2.100', { node: 'n2' }],
      ),
    );
    shows('10.1.1.101:4141 10.1.2.100:4141');
    close();
  });

  it('waits for the gateways, and says why they cannot be had', () => {
    const { api, addr, shows, close } = rig(daemonSet, set('10.1.1.2:80@n1'));
    api.fail(endpointSlices, 'pending');
    shows('pending');
    addr.set({ type: 'neg' });
    shows('neg');
    addr.set(set('10.1.1.2:80@n1'));
    api.fail(endpointSlices, new KubeFailure('refused', 'no "list"'));
    shows('failed: no "list"');
    close();
  });

  it('has both sides looked at again when a gateway refuses a connection', () => {
    const { api, tree, refreshed, close } = rig(daemonSet, set('10.1.1.2:80@n1'));
    onlyBound(tree.latest).refresh?.();
    assert.equal(refreshed(), 1);
    assert.deepEqual(api.refreshed, [...api.watched]);
    close();
  });

  it('chooses for 2,000 endpoints among 500 gateways in a few milliseconds', () => {
    const { api, addr, changed, close } = rig(daemonSet, set());
    const nodes = Array.from({ length: 500 }, (_, i) => `n${i}`);
    api.put(
      endpointSlices,
      gateways(...nodes.map((node, i): [string, object] => [`10.2.${i >> 8}.${i & 255}`, { node }])),
    );
    const pods = set(...Array.from({ length: 2000 }, (_, i) => `10.1.${i >> 8}.${i & 255}:80@n${i % 500}`));
    const startedMs = performance.now();
    for (let i = 0; i < 10; i++) {
      addr.set({ type: 'neg' });
      addr.set(pods);
    }
    assert.ok((performance.now() - startedMs) / 10 < 50);
    assert.ok(changed.latest.type === 'bound' && changed.latest.addresses.length === 500);
    close();
  });
});

describe('The environment', () => {
  const text = `namers:
- {kind: io.l5d.k8s.ns, envVar: NS}
- {kind: io.l5d.k8s, prefix: /x, transformers: [{kind: io.l5d.k8s.localnode}]}
routers:
- protocol: http
  interpreter: {kind: default, transformers: [{kind: io.l5d.k8s.localnode, hostNetwork: true}]}
  servers: [{port: 4140}]
`;
  const problems = (env: Record<string, string>): readonly string[] => {
    const loaded = loadConfig(text, { source: 'linkerd.yml' });
    assert.ok('spec' in loaded);
    return environmentProblems(loaded.spec, env);
  };

  it('has what namers and transformers need, or a start is refused with what to do', () => {
    assert.deepEqual(problems({ NS: 'default', POD_IP: '10.0.0.1', NODE_NAME: 'n1' }), []);
    const missing = problems({ NS: '' });
    assert.deepEqual(
      missing.map((line) => line.replace(/ is not set; .*/, '')),
      [
        'linkerd.yml namers[0] (io.l5d.k8s.ns): the environment variable NS',
        'linkerd.yml namers[1].transformers[0] (io.l5d.k8s.localnode): the environment variable POD_IP',
        'linkerd.yml routers[0].interpreter.transformers[0] (io.l5d.k8s.localnode): the environment variable NODE_NAME',
      ],
    );
    assert.match(missing[1] ?? '', /downward API: env: .*name: POD_IP.*fieldPath: status\.podIP/);
    assert.match(
      problems({ NS: 'a', POD_IP: 'here', NODE_NAME: 'b' }).join(),
      /POD_IP is no IP address: "here"/,
    );
  });
});
