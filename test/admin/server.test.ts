import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import forge from 'node-forge';
import { AdminFailure, startAdmin } from '../../src/admin/server.ts';
import type { ValueMetric } from '../../src/telemetry/metric.ts';
import { MetricsTree } from '../../src/telemetry/metrics-tree.ts';
import { Tap } from '../../src/telemetry/tap.ts';
import { HandClock } from '../support/hand-clock.ts';
import { parseExposition } from '../telemetry/exposition-parser.ts';
import { ask, plainSpec, sourcesFor, withAdmin } from './rig.ts';

const prometheus = {
  kind: 'io.l5d.prometheus',
  path: '/admin/metrics/prometheus',
  prefix: '',
  maxSeries: 10_000,
} as const;

/** A self-signed identity, as files. */
function writeIdentity(folder: string): { certPath: string; keyPath: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = '01';
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
  const name = [{ name: 'commonName', value: 'admin' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  const [certPath, keyPath] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  writeFileSync(certPath, forge.pki.certificateToPem(certificate));
  writeFileSync(keyPath, privateKey);
  return { certPath, keyPath };
}

describe('admin server', () => {
  it('answers pong to any method', async () => {
    await withAdmin({}, async ({ ask }) => {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
        const { status, body, headers } = await ask('/admin/ping', { method });
        assert.deepEqual([method, status, body], [method, 200, 'pong']);
        assert.match(String(headers['content-type']), /^text\/plain/);
      }
    });
  });

  it('answers HEAD like GET, without a body', async () => {
    await withAdmin({ telemetry: [prometheus] }, async ({ ask }) => {
      for (const path of ['/admin/ping', '/admin/metrics.json', '/config.json', prometheus.path]) {
        const [get, head] = [await ask(path), await ask(path, { method: 'HEAD' })];
        assert.deepEqual([head.status, head.body], [200, '']);
        assert.equal(head.headers['content-type'], get.headers['content-type']);
      }
    });
  });

  it('answers 404 to an unknown path and 405 to a method that a page does not have', async () => {
    await withAdmin({}, async ({ ask }) => {
      assert.equal((await ask('/nope')).status, 404);
      assert.equal((await ask('/admin/ping/')).status, 404);
      assert.equal((await ask('/admin/metrics/prometheus')).status, 404);
      const refused = await ask('/config.json', { method: 'POST', body: '{}' });
      assert.deepEqual([refused.status, refused.headers['allow']], [405, 'GET']);
    });
  });

  it('switches tracing for callers on loopback, and for no page of another site', async () => {
    const tap = new Tap(() => {});
    await withAdmin({ sources: { tap } }, async ({ ask }) => {
      assert.match((await ask('/admin/tracing')).body, /^Could not figure out .* Tracing is enabled\.\n$/);
      assert.match((await ask('/admin/tracing?enable=true&disable=true')).body, /^Could not figure out/);
      assert.equal((await ask('/admin/tracing?disable=true')).body, 'Disabling Finagle tracing\n');
      assert.equal(tap.tracing, false);
      for (const headers of [{ host: 'evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
        assert.equal((await ask('/admin/tracing?enable=true', { headers })).status, 403);
      }
      assert.equal(tap.tracing, false);
      assert.equal((await ask('/admin/tracing?enable=true')).body, 'Enabled Finagle tracing\n');
      assert.equal(tap.tracing, true);
    });
  });

  it('shows the metrics as InfluxDB lines with the telemeter only, for the host that was asked', async () => {
    await withAdmin({}, async ({ ask }) => assert.equal((await ask('/admin/metrics/influxdb')).status, 404));
    await withAdmin({ telemetry: [{ kind: 'io.l5d.influxdb' }] }, async ({ ask, metrics }) => {
      metrics.scope.counter('rt', 'http', 'service', 'svc/web', 'requests').add(3);
      const { headers, body } = await ask('/admin/metrics/influxdb', { headers: { host: 'me:1' } });
      assert.match(String(headers['content-type']), /^text\/plain/);
      assert.match(body, /^rt:service,host=me:1,rt=http,service=svc\/web requests=3$/m);
    });
  });

  it('lists its pages', async () => {
    await withAdmin({}, async ({ ask }) => {
      const { body } = await ask('/admin');
      const paths = body.trimEnd().split('\n');
      assert.deepEqual(paths, paths.toSorted());
      assert.ok(paths.includes('/admin/ping') && paths.includes('/delegator.json') && paths.includes('/'));
      const page = await ask('/');
      assert.match(String(page.headers['content-type']), /^text\/html/);
      assert.match(page.body, /<script type="module" src="files\/main\.js">/);
      assert.match((await ask('/admin/server_info')).body, /version: 0\.1\.0/);
    });
  });

  it('shows the metrics flat, pretty, as a tree and from a node on', async () => {
    await withAdmin({}, async ({ ask, metrics }) => {
      metrics.scope.counter('rt', 'http', 'x/y').add(3);
      const flat = JSON.parse((await ask('/admin/metrics.json')).body);
      assert.equal(flat['rt/http/x/y'], 3);
      assert.equal(flat['adminhttp/connections'], 1);
      assert.equal(JSON.parse((await ask('/metrics.json')).body)['rt/http/x/y'], 3);
      assert.match((await ask('/admin/metrics.json?pretty=true')).body, /\n {2}"rt\/http\/x\/y" : 3/);
      assert.equal(JSON.parse((await ask('/admin/metrics.json?tree=1')).body).rt.http['x/y'].counter, 3);
      assert.deepEqual(JSON.parse((await ask('/admin/metrics.json?q=rt/http')).body), { 'x/y': 3 });
      const missing = await ask('/admin/metrics.json?q=rt/x');
      assert.deepEqual([missing.status, missing.body], [404, '{"error":"No such subtree: rt/x"}']);
    });
  });

  it('serves Prometheus at the configured path', async () => {
    const telemetry = [{ ...prometheus, path: '/my/metrics', prefix: 'l5d_' }];
    await withAdmin({ telemetry }, async ({ ask, metrics }) => {
      metrics.scope.counter('rt', 'http', 'x').add(3);
      const { body, headers } = await ask('/my/metrics');
      assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
      const { samples } = parseExposition(body);
      assert.equal(samples.find(({ name }) => name === 'l5d_rt:x')?.value, 3);
      assert.ok(samples.some(({ name }) => name === 'process_start_time_seconds'));
    });
  });

  it('shows the config, the bound names and the state of clients', async () => {
    const sources = {
      boundNames: async () => ['/#/io.l5d.fs/web'],
      clientState: async () => ({ '/#/io.l5d.fs/web': { state: 'bound', addresses: ['10.0.0.1:80'] } }),
    };
    await withAdmin({ sources }, async ({ ask }) => {
      const config = await ask('/config.json');
      assert.equal(config.headers['content-type'], 'application/json;charset=UTF-8');
      assert.deepEqual(JSON.parse(config.body), { routers: [{ protocol: 'http' }] });
      assert.equal((await ask('/bound-names.json')).body, '["/#/io.l5d.fs/web"]');
      const state = JSON.parse((await ask('/client_state.json')).body);
      assert.deepEqual(state['/#/io.l5d.fs/web'].addresses, ['10.0.0.1:80']);
    });
  });

  it('says why it is not ready, and is alive meanwhile', async () => {
    let reasons = ['router http: port 4140 is not open yet'];
    await withAdmin({ sources: { unready: () => reasons } }, async ({ ask }) => {
      const unready = await ask('/readyz');
      assert.equal(unready.status, 503);
      assert.match(unready.body, /port 4140/);
      assert.equal((await ask('/livez')).status, 200);
      reasons = [];
      assert.deepEqual([(await ask('/readyz')).status, (await ask('/readyz')).body], [200, 'ok']);
    });
  });

  it('shuts down on POST only, after answering, with the grace asked for', async () => {
    const graces: number[] = [];
    await withAdmin({ sources: { shutdown: (graceMs) => void graces.push(graceMs) } }, async ({ ask }) => {
      const get = await ask('/admin/shutdown');
      assert.deepEqual([get.status, get.headers['allow'], get.body], [405, 'POST', '']);
      const bad = await ask('/admin/shutdown?grace=soon', { method: 'POST' });
      assert.equal(bad.status, 400);
      assert.equal(bad.body, "could not parse 'grace' parameter: soon is not a valid duration");
      assert.deepEqual(graces, []);
      assert.equal((await ask('/admin/shutdown', { method: 'POST' })).body, 'quitting\n');
      await ask('/admin/shutdown?grace=3.seconds', { method: 'POST' });
      assert.deepEqual(graces, [10_000, 3000]);
      const foreign = await ask('/admin/shutdown', {
        method: 'POST',
        headers: { 'sec-fetch-site': 'cross-site' },
      });
      assert.equal(foreign.status, 403);
    });
    assert.equal(graces.length, 2);
  });

  it('runs the identifiers on the request as received on a port of its own', async () => {
    const sources = {
      identify: ({ method, uri, headers }: { method: string; uri: string; headers: readonly string[] }) => ({
        http: { path: `/svc/${method}/${uri}/${headers[headers.indexOf('X-Mixed') + 1]}` },
      }),
    };
    await withAdmin({ sources, spec: { httpIdentifierPort: 0 } }, async ({ server }) => {
      const { body } = await ask(server.identifierPort!, '/?a=1', {
        method: 'PUT',
        headers: { 'X-Mixed': 'v' },
      });
      assert.deepEqual(JSON.parse(body), { http: { path: '/svc/PUT//?a=1/v' } });
    });
  });

  it('refuses a body over one megabyte', async () => {
    await withAdmin({}, async ({ ask }) => {
      const headers = { 'content-type': 'application/json' };
      const body = 'x'.repeat((1 << 20) + 1);
      assert.equal((await ask('/delegator.json', { method: 'POST', headers, body })).status, 413);
    });
  });

  it('contains a page that fails', async () => {
    const sources = { boundNames: () => Promise.reject(new Error('secret detail')) };
    await withAdmin({ sources }, async ({ ask }) => {
      const { status, body } = await ask('/bound-names.json');
      assert.equal(status, 500);
      assert.ok(!body.includes('secret'));
      assert.equal((await ask('/admin/ping')).status, 200);
    });
  });

  it('returns a failure that names the port and the key when the port is taken', async () => {
    await withAdmin({}, async ({ server, clock, metrics }) => {
      const again = await startAdmin({ ...plainSpec, port: server.port }, sourcesFor(clock, metrics, []));
      assert.ok(again instanceof AdminFailure);
      assert.match(again.message, new RegExp(`127\\.0\\.0\\.1:${server.port} is taken.*admin\\.port`));
    });
  });

  it('serves TLS, and says what is wrong with its files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turnout-admin-'));
    try {
      const tls = { ...writeIdentity(folder), requireClientAuth: false };
      await withAdmin({ spec: { tls } }, async ({ server }) => {
        const options = {
          port: server.port,
          host: '127.0.0.1',
          path: '/admin/ping',
          rejectUnauthorized: false,
        };
        const status = await new Promise((resolve, reject) => {
          const call = get({ ...options, agent: false }, (response) => {
            response.resume().on('end', () => resolve(response.statusCode));
          });
          call.on('error', reject);
        });
        assert.equal(status, 200);
      });
      const clock = new HandClock();
      const metrics = new MetricsTree(clock);
      const spec = { ...plainSpec, tls: { ...tls, certPath: join(folder, 'absent.pem') } };
      const failed = await startAdmin(spec, sourcesFor(clock, metrics, []));
      assert.ok(failed instanceof AdminFailure);
      assert.match(failed.message, /^admin\.tls: certPath: cannot read .*absent\.pem/);
      metrics.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('cuts connections that are still open when its time to close is over', async () => {
    const clock = new HandClock();
    const metrics = new MetricsTree(clock);
    const server = await startAdmin(plainSpec, sourcesFor(clock, metrics, []));
    assert.ok(!(server instanceof AdminFailure));
    const socket = connect(server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('GET /admin/ping HTTP/1.1\r\nHost: x\r\n');
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    const connections = metrics.find(['adminhttp', 'connections'])!.metric as ValueMetric;
    while (connections.value === 0) await new Promise(setImmediate);
    const closing = server.close(1000);
    clock.advance(1000);
    await Promise.all([closing, ended]);
    metrics.close();
    assert.equal(clock.pending, 0);
  });
});
