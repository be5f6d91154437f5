import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ingresses } from '../k8s/ingress-resources.ts';
import type { IngressRules } from '../routers/identify/ingress-rules.ts';
import { type IngressSpec, ingressTable } from '../src/ingress-table.ts';
import { FakeKube } from './namers/fake-kube.ts';
import { type RecordingLog, recordingLog, watching } from './namers/watching.ts';

const backend = (name: string, port: object = { name: 'http' }) => ({ service: { name, port } });
const rule = (host: string | undefined, ...paths: object[]) => ({ ...(host && { host }), http: { paths } });
const path = (text: string, name: string, pathType = 'Prefix') => ({
  path: text,
  pathType,
  backend: backend(name),
});

function rig(spec: Partial<IngressSpec> = {}) {
  const api = new FakeKube();
  const log: RecordingLog = recordingLog();
  const whole: IngressSpec = {
    kind: 'io.l5d.ingress',
    ingressClass: 'linkerd',
    ignoreDefaultBackends: false,
    api: {},
    ...spec,
  };
  const table = ingressTable(api, whole, log);
  return {
    api,
    log,
    put: (name: string, fields: object, metadata: object = {}) =>
      api.put(ingresses, { metadata: { name, ...metadata }, spec: fields }),
    rules(): IngressRules {
      const one = watching(table);
      one.close();
      assert.equal(api.watched.size, 0);
      assert.ok(one.latest.state === 'ok');
      return one.latest.value;
    },
  };
}

const backends = ({ routes }: IngressRules): string =>
  routes.map((route) => route.backend.join('/')).join(' ');

describe('The table of Ingress objects', () => {
  it('has a route for every path of every rule, with the port by name or number', () => {
    const { put, rules } = rig();
    put('a', {
      rules: [
        rule('Web.Example', path('/', 'web'), path('/api', 'api', 'Exact')),
        rule(undefined, { pathType: 'ImplementationSpecific', backend: backend('rest', { number: 80 }) }),
      ],
    });
    assert.deepEqual(rules(), {
      routes: [
        { host: 'web.example', type: 'prefix', path: '/', backend: ['default', 'http', 'web'] },
        { host: 'web.example', type: 'exact', path: '/api', backend: ['default', 'http', 'api'] },
        { host: '', type: 'prefix', path: '', backend: ['default', '80', 'rest'] },
      ],
    });
  });

  it('takes the ingresses of its class, by annotation before field, and those without a class', () => {
    const { put, rules } = rig();
    const annotations = (name: string) => ({ annotations: { 'kubernetes.io/ingress.class': name } });
    const to = (name: string) => ({ rules: [rule(undefined, path('/', name))] });
    put('a', to('none'));
    put('b', to('annotated'), annotations('linkerd'));
    put('c', { ...to('named'), ingressClassName: 'linkerd' });
    put('d', to('other'), annotations('nginx'));
    put('e', { ...to('other'), ingressClassName: 'nginx' });
    put('f', { ...to('both'), ingressClassName: 'nginx' }, annotations('linkerd'));
    put('g', { ...to('other'), ingressClassName: 'linkerd' }, annotations('nginx'));
    assert.equal(
      backends(rules()),
      'default/http/none default/http/annotated default/http/named default/http/both',
    );
  });

  it('has the class that the configuration says, and one namespace if it says so', () => {
    const { put, rules } = rig({ ingressClass: 'mine', namespace: 'prod' });
    const spec = { ingressClassName: 'mine', rules: [rule('web', path('/', 'web'))] };
    put('a', spec);
    put('a', spec, { namespace: 'prod' });
    put('b', { ...spec, ingressClassName: 'linkerd' }, { namespace: 'prod' });
    assert.equal(backends(rules()), 'prod/http/web');
  });

  it('uses the first default backend, in the order of the names, unless they are to be ignored', () => {
    for (const ignoreDefaultBackends of [false, true]) {
      const { put, rules } = rig({ ignoreDefaultBackends });
      put('b', { defaultBackend: backend('second') });
      put('a', { defaultBackend: backend('first', { number: 80 }) });
      assert.deepEqual(
        rules().defaultBackend,
        ignoreDefaultBackends ? undefined : ['default', '80', 'first'],
      );
    }
  });

  it('reads a path that is left to the implementation as a prefix, or as a pattern', () => {
    const { put, rules, log } = rig();
    const texts = ['/a', '/u.*', '/(a|b)'];
    put('a', { rules: [rule('web', ...texts.map((text) => path(text, 'web', 'ImplementationSpecific')))] });
    assert.deepEqual(
      rules().routes.map(({ type, path: text }) => [type, text]),
      [
        ['prefix', '/a'],
        ['pattern', '/u.*'],
      ],
    );
    rules();
    assert.equal(log.warnings.length, 1);
    assert.match(
      log.warnings[0] ?? '',
      /^ingress default\/a: the rule of web\/\(a\|b\) is left out: its path/,
    );
  });

  it('leaves out what is no port of a service, and says so', () => {
    const { put, rules, log } = rig();
    const resource = { resource: { kind: 'Bucket', name: 'x' } };
    put('a', {
      defaultBackend: resource,
      rules: [rule('web', { path: '/', pathType: 'Prefix', backend: resource }), {}],
    });
    assert.deepEqual(rules(), { routes: [] });
    assert.match(log.warnings.join(), /rule of web\/ is left out: its backend is not a port of a service/);
  });
});
