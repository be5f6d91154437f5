import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ingresses } from '../../k8s/ingress-resources.ts';
import { objectOf } from '../../k8s/json-fields.ts';
import {
  endpointSlices,
  endpoints,
  type KubeObject,
  parseMeta,
  type Resource,
  services,
} from '../../k8s/resources.ts';
import { collectionPath, isDnsLabel, isLabelValue, named, selectionPath } from '../../k8s/selection.ts';

function parse<T extends KubeObject>(resource: Resource<T>, value: unknown): T {
  const object = objectOf(value);
  const meta = parseMeta(object);
  assert.ok(meta !== undefined);
  return resource.parse(meta, object);
}

const metadata = { name: 'web-abc', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } };

describe('A resource', () => {
  it('is read from an EndpointSlice, unknown conditions as the API says', () => {
    const slice = parse(endpointSlices, {
      metadata,
      addressType: 'IPv6',
      ports: [
        { name: 'http', port: 8080, protocol: 'TCP' },
        { name: '', port: null },
      ],
      endpoints: [
        { addresses: ['fd00::1', 'fd00::2'], nodeName: 'n1', zone: 'z' },
        { addresses: ['fd00::3'], conditions: { ready: false, serving: true, terminating: true } },
        { addresses: ['fd00::4'], conditions: { ready: false } },
      ],
    });
    assert.equal(slice.service, 'web');
    assert.equal(slice.addressType, 'IPv6');
    assert.deepEqual(slice.ports, [
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: '', port: undefined, protocol: 'TCP' },
    ]);
    assert.deepEqual(
      slice.endpoints.map(({ ready, serving, terminating }) => [ready, serving, terminating]),
      [
        [true, true, false],
        [false, true, true],
        [false, false, false],
      ],
    );
    assert.deepEqual(slice.endpoints[0]?.addresses, ['fd00::1', 'fd00::2']);
    assert.equal(slice.endpoints[0]?.nodeName, 'n1');
    assert.ok(Object.isFrozen(slice) && Object.isFrozen(slice.endpoints) && Object.isFrozen(slice.meta));
  });

  it('is read from Endpoints', () => {
    const { subsets } = parse(endpoints, {
      metadata,
      subsets: [
        { addresses: [{ ip: '10.0.0.1', nodeName: 'n' }, {}], notReadyAddresses: [{ ip: '10.0.0.2' }] },
      ],
    });
    assert.deepEqual(subsets, [
      {
        addresses: [{ ip: '10.0.0.1', nodeName: 'n' }],
        notReadyAddresses: [{ ip: '10.0.0.2', nodeName: undefined }],
        ports: [],
      },
    ]);
  });

  it('is read from a Service, with the port as its own target where nothing is said', () => {
    const service = parse(services, {
      metadata,
      spec: {
        clusterIP: 'None',
        ports: [{ port: 80 }, { name: 'h', port: 81, targetPort: 'web' }, { port: 0 }],
      },
      status: { loadBalancer: { ingress: [{ hostname: 'lb.example' }] } },
    });
    assert.deepEqual(service.ports, [
      { name: '', port: 80, protocol: 'TCP', targetPort: 80 },
      { name: 'h', port: 81, protocol: 'TCP', targetPort: 'web' },
    ]);
    assert.equal(service.clusterIP, 'None');
    assert.deepEqual(service.loadBalancer, [{ ip: undefined, hostname: 'lb.example' }]);
  });

  it('is read from an Ingress and its class', () => {
    const ingress = parse(ingresses, {
      metadata,
      spec: {
        ingressClassName: 'turnout',
        defaultBackend: { service: { name: 'rest', port: { number: 80 } } },
        rules: [
          {
            host: 'a.example',
            http: { paths: [{ path: '/x', pathType: 'Exact', backend: { resource: {} } }] },
          },
          { http: { paths: [{ backend: { service: { name: 's', port: { name: 'http' } } } }] } },
        ],
      },
    });
    assert.deepEqual(ingress.defaultBackend, { service: 'rest', port: 80 });
    assert.deepEqual(ingress.rules, [
      { host: 'a.example', paths: [{ path: '/x', pathType: 'Exact', backend: undefined }] },
      {
        host: undefined,
        paths: [
          { path: undefined, pathType: 'ImplementationSpecific', backend: { service: 's', port: 'http' } },
        ],
      },
    ]);
  });

  it('comes out of any JSON without a throw', () => {
    const field = fc.constantFrom(
      'metadata',
      'name',
      'labels',
      'spec',
      'ports',
      'endpoints',
      'rules',
      'subsets',
    );
    const anything = fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.dictionary(field, fc.jsonValue())));
    fc.assert(
      fc.property(anything, (value) => {
        const object = objectOf(value);
        const meta = parseMeta(object) ?? parseMeta({ metadata: { name: 'x' } });
        assert.ok(meta !== undefined);
        for (const resource of [endpointSlices, endpoints, services, ingresses]) {
          assert.equal(resource.parse(meta, object).meta, meta);
        }
      }),
    );
  });

  it('leaves out what kubectl notes for itself, and keeps labels with hostile keys', () => {
    const meta = parseMeta(
      objectOf(
        JSON.parse(`{"metadata": {"name": "x", "labels": {"__proto__": "a", "b": 1},
          "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "c": "d"}}}`),
      ),
    );
    assert.deepEqual(Object.entries(meta?.labels ?? {}), [['__proto__', 'a']]);
    assert.deepEqual(Object.entries(meta?.annotations ?? {}), [['c', 'd']]);
  });
});

describe('A selection', () => {
  it('is a collection with its selectors', () => {
    assert.equal(collectionPath({ resource: services }), '/api/v1/services');
    assert.equal(
      selectionPath({
        resource: endpointSlices,
        namespace: 'default',
        labelSelector: 'kubernetes.io/service-name=web',
      }),
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dweb',
    );
    assert.equal(
      selectionPath({ resource: services, namespace: 'a', fieldSelector: named('b') }),
      '/api/v1/namespaces/a/services?fieldSelector=metadata.name%3Db',
    );
  });

  it('cannot be led out of its namespace', () => {
    assert.equal(
      collectionPath({ resource: services, namespace: '../x?y' }),
      '/api/v1/namespaces/..%2Fx%3Fy/services',
    );
  });

  it('knows the names that can exist', () => {
    assert.ok(['a', 'a-b', '0', 'x'.repeat(63)].every(isDnsLabel));
    assert.ok(!['', '-a', 'a-', 'A', 'a.b', 'a,b', 'x'.repeat(64)].some(isDnsLabel));
    assert.ok(['', 'A_b.c-d', '1'].every(isLabelValue));
    assert.ok(!['a,b=c', '-a', 'a b', '/'].some(isLabelValue));
  });
});
