import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Path } from '../../dtab/path.ts';
import { KubeFailure } from '../../k8s/api.ts';
import { endpointSlices, endpoints, services } from '../../k8s/resources.ts';
import { ExternalNamer } from '../../namers/k8s/external.ts';
import { K8sNamer } from '../../namers/k8s/k8s-namer.ts';
import { endpoint, FakeKube, slice } from './fake-kube.ts';
import { onlyBound, path, showAddr, showState, type Watching, watching } from './watching.ts';

const PREFIX = path('/#/io.l5d.k8s');

type Names = ConstructorParameters<typeof K8sNamer>[2];

function rig(names: Names = {}) {
  const api = new FakeKube();
  const namer = new K8sNamer(PREFIX, api, names);
  const open: Watching<unknown>[] = [];
  const keep = <T>(one: Watching<T>): Watching<T> => {
    open.push(one);
    return one;
  };
  return {
    api,
    namer,
    /** The answer and its addresses, as text, at this moment. */
    answer(name: string): string {
      const tree = watching(namer.lookup(path(name)));
      const shown = showState(tree.latest);
      if (tree.latest.state === 'ok' && tree.latest.value.type === 'leaf') {
        const addr = watching(onlyBound(tree.latest).addr);
        tree.close();
        addr.close();
        return `${shown}: ${showAddr(addr.latest)}`;
      }
      tree.close();
      return shown;
    },
    watch: (name: string) => keep(watching(namer.lookup(path(name)))),
    addr: (tree: Watching<unknown>) =>
      keep(watching(onlyBound(tree.latest as Parameters<typeof onlyBound>[0]).addr)),
    close() {
      for (const one of open.splice(0)) one.close();
    },
  };
}

const web = (name: string, ...all: Parameters<typeof endpoint>[]) =>
  slice(
    name,
    'web',
    { http: 8080 },
    all.map((each) => endpoint(...each)),
  );

describe('io.l5d.k8s, by the name of a port', () => {
  it('is neg for a service that is not there, and binds it once it is', () => {
    const { api, watch, addr, close } = rig();
    const tree = watch('/default/http/web/rest');
    assert.equal(showState(tree.latest), 'neg');
    api.put(endpointSlices, web('web-1', ['10.0.0.1'], ['10.0.0.2']));
    assert.equal(showState(tree.latest), '/#/io.l5d.k8s/default/http/web + /rest');
    const addresses = addr(tree);
    assert.equal(showAddr(addresses.latest), '10.0.0.1:8080 10.0.0.2:8080');
    api.delete(endpointSlices, 'web-1');
    assert.equal(showState(tree.latest), 'neg');
    assert.equal(showAddr(addresses.latest), 'neg');
    close();
  });

  it('is neg for a name with too few segments, and for what no service can be called', () => {
    const { answer, api } = rig();
    for (const name of ['/', '/default', '/default/http', '/a,b/http/web', '/default/http/web=x']) {
      assert.equal(answer(name), 'neg', name);
    }
    assert.equal(api.watched.size, 0);
  });

  it('lower-cases what it looks up, and the id with it', () => {
    const { answer, api } = rig();
    api.put(endpointSlices, web('web-1', ['10.0.0.1']));
    assert.equal(answer('/Default/HTTP/Web/Rest'), '/#/io.l5d.k8s/default/http/web + /Rest: 10.0.0.1:8080');
  });

  it('is neg for a port that no slice has, and for one that is not TCP', () => {
    const { answer, api } = rig();
    const fields = web('web-1', ['10.0.0.1']);
    api.put(endpointSlices, {
      ...fields,
      ports: [
        { name: 'http', port: 8080 },
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: '', port: 9 },
      ],
    });
    assert.match(answer('/default/http/web'), /: 10\.0\.0\.1:8080$/);
    assert.equal(answer('/default/admin/web'), 'neg');
    assert.equal(answer('/default/dns/web'), 'neg');
  });

  it('is neg for a service that is scaled to zero, and an empty set while nobody is ready', () => {
    const { answer, api } = rig();
    api.put(endpointSlices, slice('web-1', 'web', undefined, undefined));
    assert.equal(answer('/default/http/web'), 'neg');
    api.put(endpointSlices, slice('web-1', 'web', {}, []));
    assert.equal(answer('/default/http/web'), 'neg');
    api.put(endpointSlices, web('web-1', ['10.0.0.1', { ready: false }]));
    assert.equal(answer('/default/http/web'), '/#/io.l5d.k8s/default/http/web + /: ');
  });

  it('merges all slices of a service, each with the ports of its own, and lists an endpoint once', () => {
    const { answer, api } = rig();
    api.put(endpointSlices, web('web-1', ['10.0.0.1'], ['10.0.0.2']));
    api.put(endpointSlices, slice('web-2', 'web', { http: 9090 }, [endpoint('10.0.0.3')]));
    api.put(endpointSlices, web('web-3', ['10.0.0.2', { ready: false }], ['10.0.0.1']));
    api.put(endpointSlices, slice('other', 'shop', { http: 8080 }, [endpoint('10.0.0.9')]));
    assert.match(answer('/default/http/web'), /: 10\.0\.0\.1:8080 10\.0\.0\.2:8080 10\.0\.0\.3:9090$/);
  });

  it('takes an endpoint without conditions as ready', () => {
    const { answer, api } = rig();
    api.put(endpointSlices, slice('web-1', 'web', { http: 1 }, [{ addresses: ['10.0.0.1'] }]));
    assert.match(answer('/default/http/web'), /: 10\.0\.0\.1:1$/);
  });

  it('uses pods that shut down and still serve only when no other is ready', () => {
    const { watch, addr, api, close } = rig();
    const leaving = { ready: false, serving: true, terminating: true };
    const gone = { ready: false, serving: false, terminating: true };
    api.put(endpointSlices, web('web-1', ['10.0.0.1'], ['10.0.0.2', leaving]));
    const addresses = addr(watch('/default/http/web'));
    assert.equal(showAddr(addresses.latest), '10.0.0.1:8080');
    api.put(endpointSlices, web('web-1', ['10.0.0.1', leaving], ['10.0.0.2', leaving]));
    assert.equal(showAddr(addresses.latest), '10.0.0.1:8080 10.0.0.2:8080');
    api.put(endpointSlices, web('web-1', ['10.0.0.1', gone], ['10.0.0.2', leaving]));
    assert.equal(showAddr(addresses.latest), '10.0.0.2:8080');
    const unready = { ready: false, serving: true, terminating: false };
    api.put(endpointSlices, web('web-1', ['10.0.0.1', unready]));
    assert.equal(showAddr(addresses.latest), '');
    close();
  });

  it('uses one address of a pod with two: that of IPv4, as long as IPv4 endpoints are listed', () => {
    const { answer, api } = rig();
    const v6 = (...all: Parameters<typeof endpoint>[]) => ({
      ...web('web-v6', ...all),
      addressType: 'IPv6',
    });
    api.put(endpointSlices, v6(['fd00::1'], ['fd00::2']));
    assert.match(answer('/default/http/web'), /: fd00::1:8080 fd00::2:8080$/);
    api.put(endpointSlices, slice('web-v4', 'web', undefined, undefined));
    assert.match(answer('/default/http/web'), /: fd00::1:8080 fd00::2:8080$/);
    api.put(endpointSlices, web('web-v4', ['10.0.0.1', { ready: false }], ['10.0.0.2']));
    assert.match(answer('/default/http/web'), /: 10\.0\.0\.2:8080$/);
  });

  it('keeps the node of an endpoint with its address', () => {
    const { watch, addr, api, close } = rig();
    api.put(endpointSlices, web('web-1', ['10.0.0.1', { node: 'n1' }], ['10.0.0.2']));
    const addresses = addr(watch('/default/http/web'));
    assert.deepEqual(addresses.latest, {
      type: 'bound',
      addresses: [
        { host: '10.0.0.1', port: 8080, meta: { nodeName: 'n1' } },
        { host: '10.0.0.2', port: 8080 },
      ],
      meta: {},
    });
    close();
  });

  it('says nothing when an update changes nothing for the port', () => {
    const { watch, addr, api, close } = rig();
    api.put(endpointSlices, web('web-1', ['10.0.0.1']));
    const tree = watch('/default/http/web');
    const addresses = addr(tree);
    api.put(endpointSlices, web('web-1', ['10.0.0.1']));
    assert.equal(addresses.seen.length, 1);
    assert.equal(tree.seen.length, 1);
    close();
  });
});

const service = (...ports: object[]) => ({ metadata: { name: 'web' }, spec: { ports } });

describe('io.l5d.k8s, by the number of a port', () => {
  it('is neg for a service that is not there, and for a number that it does not have', () => {
    const { answer, api } = rig();
    assert.equal(answer('/default/80/web'), 'neg');
    api.put(services, service({ name: 'http', port: 81 }, { name: 'dns', port: 80, protocol: 'UDP' }));
    api.put(endpointSlices, web('web-1', ['10.0.0.1']));
    assert.equal(answer('/default/80/web'), 'neg');
  });

  it('finds the target, by number, by name, and where the only port has no name', () => {
    const { answer, api } = rig();
    api.put(endpointSlices, web('web-1', ['10.0.0.1']));
    api.put(services, service({ name: 'http', port: 80, targetPort: 8080 }));
    assert.equal(answer('/default/80/web'), '/#/io.l5d.k8s/default/80/web + /: 10.0.0.1:8080');
    // The pods call it "main", and not all of them have the same number there.
    api.put(services, service({ name: 'http', port: 80, targetPort: 'main' }));
    api.put(endpointSlices, slice('web-2', 'web', { http: 9090 }, [endpoint('10.0.0.2')]));
    assert.match(answer('/default/80/web'), /: 10\.0\.0\.1:8080 10\.0\.0\.2:9090$/);
    api.delete(endpointSlices, 'web-2');
    api.put(endpointSlices, slice('web-1', 'web', { '': 8080 }, [endpoint('10.0.0.1')]));
    api.put(services, service({ port: 80, targetPort: 'main' }));
    assert.match(answer('/default/80/web'), /: 10\.0\.0\.1:8080$/);
    assert.equal(answer('/default/http/web'), 'neg');
  });

  it('reads slices that were written by hand by the target', () => {
    const { answer, api } = rig();
    api.put(endpointSlices, slice('web-1', 'web', { main: 7000 }, [endpoint('10.0.0.1')]));
    api.put(services, service({ name: 'http', port: 80, targetPort: 'main' }));
    assert.match(answer('/default/80/web'), /: 10\.0\.0\.1:7000$/);
    api.put(services, service({ name: 'http', port: 80, targetPort: 7001 }));
    assert.match(answer('/default/80/web'), /: 10\.0\.0\.1:7001$/);
  });

  it('is an empty set for a target by number when there are no endpoints, and neg for one by name', () => {
    const { answer, api } = rig();
    api.put(services, service({ name: 'http', port: 80 }));
    assert.equal(answer('/default/80/web'), '/#/io.l5d.k8s/default/80/web + /: ');
    api.put(services, service({ name: 'http', port: 80, targetPort: 'main' }));
    assert.equal(answer('/default/80/web'), 'neg');
  });

  it('follows a service that gets another target', () => {
    const { watch, addr, api, close } = rig();
    api.put(endpointSlices, slice('web-1', 'web', { a: 1, b: 2 }, [endpoint('10.0.0.1')]));
    api.put(services, service({ name: 'a', port: 80 }));
    const tree = watch('/default/80/web');
    const addresses = addr(tree);
    api.put(services, service({ name: 'b', port: 80 }));
    assert.equal(showAddr(addresses.latest), '10.0.0.1:2');
    api.delete(services, 'web');
    assert.equal(showState(tree.latest), 'neg');
    close();
  });
});

describe('io.l5d.k8s with a label', () => {
  it('selects by its value, the last segment', () => {
    const { answer, api } = rig({ label: 'version' });
    const labelled = (name: string, version: string, address: string) =>
      slice(name, 'web', { http: 8080 }, [endpoint(address)], { labels: { version } });
    api.put(endpointSlices, labelled('web-1', 'v1', '10.0.0.1'));
    api.put(endpointSlices, labelled('web-2', 'v2', '10.0.0.2'));
    assert.equal(
      answer('/default/http/web/V2/rest'),
      '/#/io.l5d.k8s/default/http/web/v2 + /rest: 10.0.0.2:8080',
    );
    assert.equal(answer('/default/http/web/v3'), 'neg');
    assert.equal(answer('/default/http/web'), 'neg');
    assert.equal(answer('/default/http/web/v1,x'), 'neg');
  });

  it('selects the service by it too', () => {
    const { answer, api } = rig({ label: 'version' });
    api.put(services, {
      metadata: { name: 'web', labels: { version: 'v1' } },
      spec: { ports: [{ port: 80 }] },
    });
    assert.match(answer('/default/80/web/v1'), /web\/v1 \+ \/: $/);
    assert.equal(answer('/default/80/web/v2'), 'neg');
  });
});

describe('io.l5d.k8s.ns', () => {
  it('has the namespace of the pod, which is no part of the name', () => {
    const { answer, api } = rig({ namespace: 'prod' });
    const more = { namespace: 'prod' };
    api.put(endpointSlices, slice('web-1', 'web', { http: 8080 }, [endpoint('10.0.0.1')], more));
    assert.equal(answer('/http/web/rest'), '/#/io.l5d.k8s/http/web + /rest: 10.0.0.1:8080');
    assert.equal(answer('/http'), 'neg');
  });
});

describe('A Kubernetes namer', () => {
  it('watches no more than the service that is looked at, once, and ends with the last observer', () => {
    const { api, watch, addr, namer, close } = rig();
    api.put(endpointSlices, web('web-1', ['10.0.0.1']));
    const first = watch('/default/http/web');
    const again = watch('/default/http/web/rest');
    assert.equal(onlyBound(first.latest).addr, onlyBound(again.latest).addr);
    addr(first);
    assert.deepEqual(
      [...api.watched],
      [
        '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dweb',
      ],
    );
    watch('/default/http/none');
    assert.deepEqual(
      namer.names().map((name) => name.show),
      ['/default/http/web'],
    );
    close();
    assert.equal(api.watched.size, 0);
    assert.deepEqual(namer.names(), []);
  });

  it('is pending until the API has answered, and fails with what it said', () => {
    const { api, watch, close } = rig();
    api.fail(endpointSlices, 'pending');
    const tree = watch('/default/http/web');
    assert.equal(showState(tree.latest), 'pending');
    api.fail(endpoints, new KubeFailure('forbidden', 'no "list" for endpoints'));
    api.fail(endpointSlices, new KubeFailure('forbidden', 'no "list" for endpointslices'));
    assert.equal(showState(tree.latest), 'failed: no "list" for endpointslices');
    api.fail(endpointSlices, undefined);
    assert.equal(showState(tree.latest), 'neg');
    close();
  });

  it('falls back to Endpoints where the API has no slices', () => {
    const { api, answer } = rig();
    api.fail(endpointSlices, new KubeFailure('no-such-resource', 'no endpointslices'));
    assert.equal(answer('/default/http/web'), 'neg');
    const subset = {
      addresses: [{ ip: '10.0.0.1', nodeName: 'n1' }, { ip: '10.0.0.2' }],
      notReadyAddresses: [{ ip: '10.0.0.3' }],
      ports: [{ name: 'http', port: 8080 }],
    };
    const v6 = { addresses: [{ ip: 'fd00::1' }], ports: [{ name: 'grpc', port: 9 }] };
    api.put(endpoints, { metadata: { name: 'web' }, subsets: [subset, v6] });
    assert.match(answer('/default/http/web'), /: 10\.0\.0\.1:8080 10\.0\.0\.2:8080$/);
    assert.match(answer('/default/grpc/web'), /: fd00::1:9$/);
    api.put(endpoints, { metadata: { name: 'web' }, subsets: [{ ...subset, addresses: [] }] });
    assert.match(answer('/default/http/web'), /web \+ \/: $/);
    api.put(endpoints, { metadata: { name: 'web' } });
    assert.equal(answer('/default/http/web'), 'neg');
  });

  it('falls back to Endpoints where slices are forbidden, until they are allowed', () => {
    const { api, watch, addr, close } = rig();
    const ports = [{ name: 'http', port: 8080 }];
    api.put(endpoints, { metadata: { name: 'web' }, subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports }] });
    api.fail(endpointSlices, new KubeFailure('forbidden', 'no "list" for endpointslices'));
    const addresses = addr(watch('/default/http/web'));
    assert.equal(showAddr(addresses.latest), '10.0.0.1:8080');
    // The API is away, too: what is known stays.
    api.fail(endpointSlices, new KubeFailure('unreachable', 'connection refused'));
    assert.equal(showAddr(addresses.latest), '10.0.0.1:8080');
    api.put(endpointSlices, web('web-1', ['10.0.0.2']));
    api.fail(endpointSlices, undefined);
    assert.equal(showAddr(addresses.latest), '10.0.0.2:8080');
    assert.match([...api.watched].join(), /^[^,]*endpointslices[^,]*$/);
    close();
  });

  it('asks for another list of the service when an endpoint refuses a connection', () => {
    const { api, watch, close } = rig();
    api.put(endpointSlices, web('web-1', ['10.0.0.1']));
    const { refresh } = onlyBound(watch('/default/http/web').latest);
    refresh?.();
    assert.deepEqual(api.refreshed, [...api.watched]);
    close();
    refresh?.();
    assert.equal(api.refreshed.length, 1);
  });

  it('answers any path without throwing', () => {
    const { namer } = rig({ label: 'version' });
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary-ascii', minLength: 1 }), { maxLength: 6 }),
        (segments) => {
          watching(namer.lookup(new Path(segments))).close();
        },
      ),
    );
  });
});

describe('io.l5d.k8s.external', () => {
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'https', port: 443, targetPort: 'http' },
  ];
  const balanced = (...ingress: object[]) => ({
    metadata: { name: 'web' },
    spec: { type: 'LoadBalancer', ports },
    status: { loadBalancer: { ingress } },
  });

  function answer(api: FakeKube, name: string): string {
    const namer = new ExternalNamer(path('/#/io.l5d.k8s.external'), api);
    const tree = watching(namer.lookup(path(name)));
    const shown = showState(tree.latest);
    const addr = shown === 'neg' ? undefined : watching(onlyBound(tree.latest).addr);
    tree.close();
    addr?.close();
    assert.equal(api.watched.size, 0);
    return addr === undefined ? shown : `${shown}: ${showAddr(addr.latest)}`;
  }

  it('is neg until the service has a load balancer', () => {
    const api = new FakeKube();
    assert.equal(answer(api, '/default/http/web'), 'neg');
    api.put(services, balanced());
    assert.equal(answer(api, '/default/http/web'), 'neg');
    api.put(services, balanced({ ip: '192.0.2.1' }));
    assert.match(answer(api, '/default/http/web'), /: 192\.0\.2\.1:80$/);
  });

  it('takes the last entry, by host name before address, and leaves the id as it was asked for', () => {
    const api = new FakeKube();
    api.put(services, balanced({ ip: '192.0.2.1' }, { ip: '192.0.2.2', hostname: 'lb.example.com' }));
    assert.equal(
      answer(api, '/Default/http/Web/rest'),
      '/#/io.l5d.k8s.external/Default/http/Web + /rest: lb.example.com:80',
    );
  });

  it('finds a port by name and by number', () => {
    const api = new FakeKube();
    api.put(services, balanced({ ip: '192.0.2.1' }));
    assert.match(answer(api, '/default/https/web'), /:443$/);
    assert.match(answer(api, '/default/80/web'), /:80$/);
    assert.match(answer(api, '/default/443/web'), /:80$/);
    assert.equal(answer(api, '/default/admin/web'), 'neg');
  });
});
