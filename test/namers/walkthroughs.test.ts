/** Configurations like those of linkerd's Kubernetes walkthroughs: where the names of their routers lead. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import { dtabOf } from '../../config/name-decoders.ts';
import { readPath } from '../../dtab/parse.ts';
import { endpointSlices } from '../../k8s/resources.ts';
import { makeInterpreter, makeNamers } from '../../namers/index.ts';
import { systemClock } from '../../src/base/clock.ts';
import { noStats } from '../../src/base/stats.ts';
import { endpoint, FakeKube, slice } from './fake-kube.ts';
import { onlyBound, recordingLog, showAddr, showState, watching } from './watching.ts';

const OUTGOING = `
  interpreter:
    kind: default
    transformers: [{kind: io.l5d.k8s.daemonset, namespace: default, port: incoming, service: l5d}]
  servers: [{port: 4140}]`;
const INCOMING = `
  interpreter: {kind: default, transformers: [{kind: io.l5d.k8s.localnode}]}
  servers: [{port: 4141}]`;
const DS = '/%/io.l5d.k8s.daemonset/default/incoming/l5d';
const LOCAL = '/%/io.l5d.k8s.localnode/10.1.1.9';

/** Two nodes with a router and a pod of each service on each. */
function cluster(): FakeKube {
  const kube = new FakeKube();
  const both = (host: number) => [
    endpoint(`10.1.1.${host}`, { ready: true, node: 'n1' }),
    endpoint(`10.1.2.${host}`, { ready: true, node: 'n2' }),
  ];
  kube.put(endpointSlices, slice('l5d-1', 'l5d', { incoming: 4141 }, both(9)));
  for (const [i, name] of ['hello', 'api', 'world-v1', 'world-v2'].entries()) {
    kube.put(endpointSlices, slice(`${name}-1`, name, { http: 7777 }, both(20 + i)));
  }
  return kube;
}

/** Where each name of the router at `index` leads, with its addresses. */
function follow(text: string, index: number, names: readonly string[]): string[] {
  const loaded = loadConfig(text, { source: 'linkerd.yml' });
  assert.ok('spec' in loaded, JSON.stringify(loaded));
  const kube = cluster();
  const env = { POD_IP: '10.1.1.9', NODE_NAME: 'n1' };
  const deps = { clock: systemClock, log: recordingLog(), stats: noStats, kube: () => kube, env };
  const { namers, routers } = loaded.spec;
  const router = routers[index];
  assert.ok(router !== undefined);
  const interpreter = makeInterpreter(router.interpreter, makeNamers(namers, deps), deps);
  return names.map((name) => {
    const tree = watching(interpreter.bind(dtabOf(router.dtab), readPath(name)));
    const shown = showState(tree.latest);
    const addr = shown === 'neg' ? undefined : watching(onlyBound(tree.latest).addr);
    const addresses = addr === undefined ? '' : ` ${showAddr(addr.latest)}`;
    tree.close();
    addr?.close();
    assert.equal(kube.watched.size, 0);
    return shown + addresses;
  });
}

describe('The mesh of the first walkthrough', () => {
  const dtab = `|
    /srv        => /#/io.l5d.k8s/default/http;
    /host       => /srv;
    /svc        => /host;
    /host/world => /srv/world-v1;`;
  const text = `namers:
- {kind: io.l5d.k8s, host: localhost, port: 8001}
routers:
- protocol: http
  label: outgoing
  dtab: ${dtab}${OUTGOING}
- protocol: http
  label: incoming
  dtab: ${dtab}${INCOMING}
`;

  it('leads from the outgoing router to the routers of all nodes', () => {
    assert.deepEqual(follow(text, 0, ['/svc/hello', '/svc/world', '/svc/none']), [
      `${DS}/#/io.l5d.k8s/default/http/hello + / 10.1.1.9:4141 10.1.2.9:4141`,
      `${DS}/#/io.l5d.k8s/default/http/world-v1 + / 10.1.1.9:4141 10.1.2.9:4141`,
      'neg',
    ]);
  });

  it('leads from the incoming router to the pods of its own node', () => {
    assert.deepEqual(follow(text, 1, ['/svc/hello', '/svc/world']), [
      `${LOCAL}/#/io.l5d.k8s/default/http/hello + / 10.1.1.20:7777`,
      `${LOCAL}/#/io.l5d.k8s/default/http/world-v1 + / 10.1.1.22:7777`,
    ]);
  });
});

describe('The walkthrough of egress', () => {
  const text = `namers:
- kind: io.l5d.k8s
  prefix: /io.l5d.k8s.ds
  transformers: [{kind: io.l5d.k8s.daemonset, namespace: default, port: incoming, service: l5d}]
- {kind: io.l5d.k8s}
routers:
- protocol: http
  dtab: |
    /ph        => /$/io.buoyant.rinet ;
    /srv       => /ph/80 ;
    /srv       => /$/io.buoyant.porthostPfx/ph ;
    /srv       => /#/io.l5d.k8s.ds/default/http ;
    /svc       => /srv ;
    /svc/world => /srv/world-v1 ;
  servers: [{port: 4140}]
`;

  it('leads to the cluster first, then to the outside, by the port of the name or 80', () => {
    assert.deepEqual(follow(text, 0, ['/svc/hello', '/svc/world', '/svc/127.0.0.1:8443', '/svc/127.0.0.1']), [
      `${DS}/#/io.l5d.k8s.ds/default/http/hello + / 10.1.1.9:4141 10.1.2.9:4141`,
      `${DS}/#/io.l5d.k8s.ds/default/http/world-v1 + / 10.1.1.9:4141 10.1.2.9:4141`,
      '/$/io.buoyant.rinet/8443/127.0.0.1 + / 127.0.0.1:8443',
      '/$/io.buoyant.rinet/80/127.0.0.1 + / 127.0.0.1:80',
    ]);
  });
});

describe('The walkthrough of ingress by domains', () => {
  const text = `namers:
- {kind: io.l5d.k8s}
routers:
- protocol: http
  label: ingress
  dtab: |
    /srv                    => /#/io.l5d.k8s/default/http ;
    /domain/world/hello/www => /srv/hello ;
    /domain/world/hello/api => /srv/api ;
    /host                   => /$/io.buoyant.http.domainToPathPfx/domain ;
    /svc                    => /host ;${OUTGOING}
`;

  it('leads from a domain to its service, and nowhere else', () => {
    assert.deepEqual(follow(text, 0, ['/svc/www.hello.world', '/svc/api.hello.world', '/svc/hello']), [
      `${DS}/#/io.l5d.k8s/default/http/hello + / 10.1.1.9:4141 10.1.2.9:4141`,
      `${DS}/#/io.l5d.k8s/default/http/api + / 10.1.1.9:4141 10.1.2.9:4141`,
      'neg',
    ]);
  });
});

describe('The service mesh with namespaces', () => {
  const text = `namers:
- kind: io.l5d.k8s
- kind: io.l5d.k8s
  prefix: /io.l5d.k8s.http
  transformers: [{kind: io.l5d.k8s.daemonset, namespace: default, port: incoming, service: l5d}]
- {kind: io.l5d.rewrite, prefix: /portNsSvcToK8s, pattern: "/{port}/{ns}/{svc}", name: "/k8s/{ns}/{port}/{svc}"}
routers:
- protocol: http
  dtab: |
    /ph  => /$/io.buoyant.rinet ;
    /svc => /ph/80 ;
    /svc => /$/io.buoyant.porthostPfx/ph ;
    /k8s => /#/io.l5d.k8s.http ;
    /portNsSvc => /#/portNsSvcToK8s ;
    /host => /portNsSvc/http/default ;
    /host => /portNsSvc/http ;
    /svc => /$/io.buoyant.http.domainToPathPfx/host ;
  servers: [{port: 4140}]
- protocol: http
  label: ingress
  identifier: {kind: io.l5d.ingress}
  dtab: /svc => /#/io.l5d.k8s
  servers: [{port: 8080, clearContext: true}]
`;

  it('finds a service by its name, with and without its namespace, and the outside', () => {
    const gateways = '10.1.1.9:4141 10.1.2.9:4141';
    assert.deepEqual(follow(text, 0, ['/svc/hello', '/svc/hello.default', '/svc/127.0.0.1:81']), [
      `${DS}/#/io.l5d.k8s.http/default/http/hello + / ${gateways}`,
      `${DS}/#/io.l5d.k8s.http/default/http/hello + / ${gateways}`,
      '/$/io.buoyant.rinet/81/127.0.0.1 + / 127.0.0.1:81',
    ]);
  });

  it('leads from what an Ingress names straight to the pods', () => {
    assert.deepEqual(follow(text, 1, ['/svc/default/http/world-v2']), [
      '/#/io.l5d.k8s/default/http/world-v2 + / 10.1.1.23:7777 10.1.2.23:7777',
    ]);
  });
});

describe('A walkthrough of 2016', () => {
  const text = `namers:
- {kind: io.l5d.experimental.k8s, prefix: /ns, host: localhost, port: 8001}
routers:
- protocol: http
  baseDtab: |
    /srv => /ns/default/http ;
    /http/1.1/GET => /srv ;
  servers: [{port: 4140}]
`;

  it('finds its names without /#', () => {
    assert.deepEqual(follow(text, 0, ['/http/1.1/GET/hello', '/#/ns/default/http/hello']), [
      '/#/ns/default/http/hello + / 10.1.1.20:7777 10.1.2.20:7777',
      '/#/ns/default/http/hello + / 10.1.1.20:7777 10.1.2.20:7777',
    ]);
  });
});
