/** What the configuration knows of Kubernetes: namers, transformers, the ingress identifier. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LinkerSpec } from '../../config/spec.ts';
import { load, routerText } from './harness.ts';

function spec(text: string): LinkerSpec {
  const loaded = load(text);
  assert.ok('spec' in loaded, 'errors' in loaded ? JSON.stringify(loaded.errors) : '');
  return loaded.spec;
}

function mistakes(text: string): string[] {
  const loaded = load(text);
  return 'errors' in loaded ? loaded.errors.map(({ path, message }) => `${path}: ${message}`) : [];
}

const withNamer = (namer: string): string => `namers: [${namer}]\n${routerText('')}`;
const withTransformer = (transformer: string): string =>
  routerText(`interpreter: {kind: default, transformers: [${transformer}]}`);
const withIdentifier = (identifier: string): string => routerText(`identifier: ${identifier}`);

describe('Namers of Kubernetes', () => {
  it('find the API by themselves, or where the config says', () => {
    const text = `namers:
- {kind: io.l5d.k8s}
- {kind: io.l5d.k8s, prefix: /other, host: api, port: 8002, labelSelector: app.kubernetes.io/version}
- {kind: io.l5d.k8s.ns}
- {kind: io.l5d.k8s.ns, envVar: NS, port: 80}
- {kind: io.l5d.k8s.external, experimental: true}
${routerText('')}`;
    const common = { transformers: [], legacyNames: false };
    assert.deepEqual(spec(text).namers, [
      { ...common, kind: 'io.l5d.k8s', prefix: '/io.l5d.k8s', api: {} },
      {
        ...common,
        kind: 'io.l5d.k8s',
        prefix: '/other',
        api: { host: 'api', port: 8002 },
        labelSelector: 'app.kubernetes.io/version',
      },
      { ...common, kind: 'io.l5d.k8s.ns', prefix: '/io.l5d.k8s.ns', api: {}, envVar: 'POD_NAMESPACE' },
      { ...common, kind: 'io.l5d.k8s.ns', prefix: '/io.l5d.k8s.ns', api: { port: 80 }, envVar: 'NS' },
      { ...common, kind: 'io.l5d.k8s.external', prefix: '/io.l5d.k8s.external', api: {} },
    ]);
  });

  it('refuse what is no label, and external unless the config says that it knows', () => {
    for (const label of ['a=b', '"a,b"', '"a b"', 'a/b/c', '-a']) {
      const [first] = mistakes(withNamer(`{kind: io.l5d.k8s, labelSelector: ${label}}`));
      assert.match(first ?? '', /^namers\[0\]\.labelSelector: expected the name of a label/, label);
    }
    const [first] = mistakes(withNamer('{kind: io.l5d.k8s.external}'));
    assert.match(first ?? '', /The "io\.l5d\.k8s\.external" namer is experimental/);
  });
});

describe('Transformers of Kubernetes', () => {
  const transformer = (text: string) => spec(withTransformer(text)).routers[0]?.interpreter.transformers[0];

  it('have the daemon set in their default prefix', () => {
    const text =
      '{kind: io.l5d.k8s.daemonset, namespace: mesh, service: l5d, port: 4141, k8sHost: a, k8sPort: 1}';
    assert.deepEqual(transformer(text), {
      kind: 'io.l5d.k8s.daemonset',
      prefix: '/io.l5d.k8s.daemonset/mesh/4141/l5d',
      namespace: 'mesh',
      service: 'l5d',
      port: '4141',
      hostNetwork: false,
      api: { host: 'a', port: 1 },
    });
    const own =
      '{kind: io.l5d.k8s.daemonset, prefix: /ds, namespace: a, service: b, port: c, hostNetwork: true}';
    const made = transformer(own);
    assert.ok(made?.kind === 'io.l5d.k8s.daemonset' && made.prefix === '/ds' && made.hostNetwork);
  });

  it('name what is missing', () => {
    assert.deepEqual(
      mistakes(withTransformer('{kind: io.l5d.k8s.daemonset}')).map((line) => line.replace(/^.*: /, '')),
      ['"namespace" property is required', '"service" property is required', '"port" property is required'],
    );
  });

  it('need no environment to be checked', () => {
    assert.deepEqual(transformer('{kind: io.l5d.k8s.localnode}'), {
      kind: 'io.l5d.k8s.localnode',
      prefix: '/io.l5d.k8s.localnode',
      hostNetwork: false,
    });
  });
});

describe('io.l5d.ingress', () => {
  it('is for all namespaces and the class linkerd unless something else is said', () => {
    const identifiers = (text: string) => spec(withIdentifier(text)).routers[0]?.identifiers;
    assert.deepEqual(identifiers('{kind: io.l5d.ingress}'), [
      { kind: 'io.l5d.ingress', api: {}, ingressClass: 'linkerd', ignoreDefaultBackends: false },
    ]);
    const all =
      '[{kind: io.l5d.ingress, host: h, port: 1, namespace: prod, ingressClassAnnotation: mine, ignoreDefaultBackends: true}]';
    assert.deepEqual(identifiers(all), [
      {
        kind: 'io.l5d.ingress',
        namespace: 'prod',
        api: { host: 'h', port: 1 },
        ingressClass: 'mine',
        ignoreDefaultBackends: true,
      },
    ]);
  });

  it('is known to a h2 router, which is refused for its protocol alone', () => {
    const text = 'routers: [{protocol: h2, identifier: {kind: io.l5d.ingress}, servers: [{port: 1}]}]';
    assert.deepEqual(
      mistakes(text).map((line) => line.replace(/ \(.*/, '')),
      ['routers[0].protocol: not supported yet: protocol "h2"'],
    );
  });
});
