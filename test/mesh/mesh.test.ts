/** The classic walkthrough on three nodes: what docs/kubernetes.md tells a reader to try. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Cluster } from './cluster.ts';
import { isTls } from './relay.ts';

const curl = async (...words: string[]): Promise<string> =>
  (await promisify(execFile)('curl', ['-s', '--max-time', '10', ...words])).stdout;

describe('Three nodes', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start();
  });
  after(() => cluster.close());

  const bytes = (): number[] => cluster.nodes.map(({ relay }) => relay.bytes);

  it('answer hello, which asks world, from any of them', async () => {
    for (const { ip, outgoing } of cluster.nodes) {
      const proxy = `http://${ip}:${outgoing}`;
      const text = await curl('--proxy', proxy, 'http://hello');
      assert.match(text, /^Hello \(127\.1\.[123]\.1\) world \(127\.1\.[123]\.2\)!!$/);
    }
  });

  it('share the load over all pods', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => cluster.call('n1', 'world')));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(new Set(answers.map(({ body }) => body)).size, 3);
  });

  it('show nothing but TLS between each other', async () => {
    await cluster.call('n2', 'hello');
    const wire = cluster.nodes.flatMap(({ relay }) => relay.connections);
    assert.ok(wire.length > 3);
    for (const { sent, received } of wire) {
      assert.ok(isTls(sent) && isTls(received));
      for (const each of [sent, received]) assert.doesNotMatch(each.toString('latin1'), /HTTP\/1|world \(/);
    }
  });

  it('let one request go elsewhere, all the way through', async () => {
    const override = '/host/world => /srv/world-v2';
    const { status, body } = await cluster.call('n1', 'hello', override);
    assert.equal(status, 200);
    assert.match(body, /^Hello \(.*\) earth \(127\.1\.[123]\.3\)!!$/);
    assert.match((await cluster.call('n1', 'hello')).body, / world \(/);
  });

  it('reach the admin server of a node by its incoming router', async () => {
    for (const { ip, incoming } of cluster.nodes) {
      const dtab = 'l5d-dtab: /svc=>/#/io.l5d.k8s/default/admin/l5d;';
      assert.equal(await curl('-kH', dtab, `https://${ip}:${incoming}/admin/ping`), 'pong');
    }
  });

  it('show each other on the page Fleet, and open each other', async () => {
    for (const { ip, admin } of cluster.nodes) {
      const nodes = JSON.parse(await curl(`http://${ip}:${admin}/fleet.json`)) as {
        name: string;
        node?: { name: string };
      }[];
      assert.deepEqual(
        nodes.map(({ name, node }) => [name, node?.name]),
        [
          ['n1', 'n1'],
          ['n2', 'n2'],
          ['n3', 'n3'],
        ],
      );
      const other = JSON.parse(await curl(`http://${ip}:${admin}/node/n2/node.json`)) as { name: string };
      assert.equal(other.name, 'n2');
    }
  });

  it('keep what goes to a local pod on its node', async () => {
    for (const node of ['n1', 'n3']) cluster.api.remove('endpointslices', 'default', `world-v2-${node}`);
    const local = '/host/world => /srv/world-v2';
    let tries = 0;
    for (let calls = 0; calls < 5; calls++) {
      const { body } = await cluster.call('n2', 'world', local);
      // Until the router has heard of it.
      if (body !== 'earth (127.1.2.3)') calls = -1;
      assert.ok(tries++ < 1000);
    }
    const earlier = bytes();
    for (let i = 0; i < 10; i++) {
      assert.equal((await cluster.call('n2', 'world', local)).body, 'earth (127.1.2.3)');
    }
    const grown = bytes().map((count, i) => count > (earlier[i] ?? 0));
    assert.deepEqual(grown, [false, true, false]);
  });

  it('do not take in a node name that is not theirs: localnode sends nothing to other nodes', async () => {
    const { ip, incoming } = cluster.node('n1');
    const answer = await curl('-kH', 'Host: world-v2', `https://${ip}:${incoming}/`);
    assert.match(answer, /Unable to route request/);
  });
});

describe('A node whose certificate another CA has signed', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start({ clientAuth: true, perName: true, strangers: ['n3'] });
  });
  after(() => cluster.close());

  const only = (service: string, node: string): void => {
    for (const { name } of cluster.nodes) {
      if (name !== node) cluster.api.remove('endpointslices', 'default', `${service}-${name}`);
    }
  };

  it('gets no traffic', async () => {
    only('world-v2', 'n3');
    const { status, body } = await cluster.call('n1', 'world-v2');
    assert.equal(status, 502);
    assert.match(body, /certificate/);
    for (const { sent } of cluster.node('n3').relay.connections) {
      assert.ok(isTls(sent));
    }
  });

  it('can send none', async () => {
    only('world-v1', 'n2');
    assert.equal((await cluster.call('n1', 'world')).status, 200);
    const { status, body } = await cluster.call('n3', 'world');
    assert.equal(status, 502);
    assert.doesNotMatch(body, /world \(/);
  });
});
