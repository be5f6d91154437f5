import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { Agent, request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { loadConfig } from '../../config/load.ts';
import type { LogFields } from '../../src/base/log.ts';
import { CertificateAuthority } from '../../src/certs.ts';
import type { Linker } from '../../src/linker.ts';
import { start } from '../../src/start.ts';
import { freePorts } from '../cli/program.ts';
import { type Files, SecretVolume } from '../support/secret-volume.ts';
import { until } from '../support/until.ts';
import { type Application, named, startApplication } from './mesh.ts';

const DRAIN_MS = 1000;

/** What one pod mounts: an identity, and the authorities that it trusts. */
async function material(authority: CertificateAuthority, trusted = [authority]): Promise<Files> {
  const issued = await authority.issue({ commonName: 'web', dnsNames: ['web'] });
  return {
    'cert.pem': issued.certPem,
    'key.pem': issued.keyPem,
    'ca.pem': trusted.map((each) => each.certPem).join(''),
  };
}

const config = (own: SecretVolume, caller: SecretVolume, application: number, port: number): string => `
admin: {port: 0}
routers:
- protocol: http
  label: incoming
  dtab: /svc => /$/inet/127.1/${application}
  servers:
  - port: ${port}
    tls:
      certPath: ${own.path('cert.pem')}
      keyPath: ${own.path('key.pem')}
      caCertPath: ${own.path('ca.pem')}
      requireClientAuth: true
      certDrainSecs: ${DRAIN_MS / 1000}
- protocol: http
  label: outgoing
  servers: [{port: 0}]
  dtab: /svc => /$/inet/127.1/${port}
  client:
    tls:
      commonName: web
      trustCertsBundle: ${caller.path('ca.pem')}
      clientAuth: {certPath: ${caller.path('cert.pem')}, keyPath: ${caller.path('key.pem')}}
      certDrainSecs: ${DRAIN_MS / 1000}
`;

type Line = { readonly message: string; readonly fields: LogFields };

describe('certificates that are replaced under load', () => {
  let application: Application;
  let authority: CertificateAuthority;
  let own: SecretVolume;
  let caller: SecretVolume;
  let first: Files;
  let linker: Linker;
  const lines: Line[] = [];

  before(async () => {
    application = await startApplication(named('web'));
    authority = await CertificateAuthority.create({ commonName: 'first' });
    first = await material(authority);
    own = new SecretVolume(first);
    caller = new SecretVolume(await material(authority));
    const note = (message: string, fields: LogFields = {}) => void lines.push({ message, fields });
    const log = { debugEnabled: false, debug() {}, info: note, warn: note, error: note };
    const [between = 0] = await freePorts(1);
    const loaded = loadConfig(config(own, caller, application.port, between), { source: 'test.yaml' });
    const started = await start(loaded, { threads: 2, log });
    assert.ok(started.ok, started.ok ? '' : started.errors.join('\n'));
    linker = started.linker;
  });
  let stopLoad = (): void => {};
  after(async () => {
    stopLoad();
    await linker.close(0);
    await application.close();
    own.remove();
    caller.remove();
  });

  const incoming = (): number => linker.ports[0]?.[0] ?? 0;
  const outgoing = (): number => linker.ports[1]?.[0] ?? 0;

  const call = (agent: Agent | false, method: string): Promise<number | string> =>
    new Promise((resolve) => {
      const headers = { host: 'web' };
      const options = { host: '127.0.0.1', port: outgoing(), method, agent, headers };
      const sent = request(options, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(response.statusCode === 200 ? 200 : text));
      });
      sent.on('error', (error) => resolve(error.message));
      sent.end();
    });

  /** A connection as the other router makes them; resolves when its handshake is complete. */
  const dial = (files: Files): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port: incoming(),
        servername: 'web',
        rejectUnauthorized: false,
        cert: files['cert.pem'],
        key: files['key.pem'],
      });
      socket.once('secureConnect', () => resolve(socket));
      socket.on('error', reject);
      socket.on('data', () => {});
      socket.on('end', () => socket.destroy());
    });

  async function presented(files: Files): Promise<string | undefined> {
    const socket = await dial(files);
    const serial = socket.getPeerX509Certificate()?.serialNumber;
    socket.destroy();
    return serial;
  }

  async function changesTo(files: Files): Promise<number> {
    const { serialNumber } = new X509Certificate(files['cert.pem'] ?? '');
    const begun = performance.now();
    // Both data threads have to present it.
    for (let seen = 0; seen < 6; ) {
      seen = (await presented(first)) === serialNumber ? seen + 1 : 0;
      assert.ok(performance.now() - begun < 20_000, 'the new certificate is not presented');
      await delay(10);
    }
    return performance.now() - begun;
  }

  const metrics = async (): Promise<Record<string, number>> => {
    const answer = await fetch(`http://127.0.0.1:${linker.adminPort}/admin/metrics.json`);
    return (await answer.json()) as Record<string, number>;
  };

  /** Callers that keep their connections and callers that do not, until stopped; answers what went wrong. */
  function load(): () => Promise<{ calls: number; failures: (number | string)[] }> {
    const failures: (number | string)[] = [];
    let calls = 0;
    let stopped = false;
    stopLoad = () => {
      stopped = true;
    };
    const agent = new Agent({ keepAlive: true });
    const caller = async (own: Agent | false, method: string): Promise<void> => {
      while (!stopped) {
        const answer = await call(own, method);
        calls++;
        if (answer !== 200) failures.push(answer);
        await delay(5);
      }
    };
    const running = [
      caller(agent, 'GET'),
      caller(agent, 'GET'),
      caller(agent, 'POST'),
      caller(agent, 'POST'),
      caller(false, 'GET'),
      caller(false, 'POST'),
    ];
    return async () => {
      stopped = true;
      await Promise.all(running);
      agent.destroy();
      return { calls, failures };
    };
  }

  for (const how of ['swap', 'rename'] as const) {
    it(`serves every request during ten rotations by ${how}, and presents each new certificate`, async () => {
      const stop = load();
      const times: number[] = [];
      for (let rotation = 0; rotation < 10; rotation++) {
        const next = await material(authority);
        own[how](next);
        caller[how](await material(authority));
        times.push(await changesTo(next));
      }
      const { calls, failures } = await stop();
      assert.deepEqual(failures, []);
      assert.ok(calls > 50, `only ${calls} calls`);
      // The median, because a busy machine may hold up one or the other.
      const [, , , , median = 0] = times.toSorted((a, b) => a - b);
      assert.ok(median < 2000, `presented after ${times.map(Math.round).join(', ')} ms`);
    });
  }

  it('lets connections under the old certificate go within certDrainSecs, idle or not', async () => {
    const idle = await dial(first);
    let closed = 0;
    idle.once('close', () => {
      closed = performance.now();
    });
    const next = await material(authority);
    const begun = performance.now();
    own.swap(next);
    await changesTo(next);
    await until(() => closed > 0, 'the close of the old connection', 10_000);
    assert.ok(closed - begun < DRAIN_MS + 2000, `closed after ${closed - begun} ms`);
  });

  it('keeps what it has when files do not belong together, are cut short or are gone, and says so once', async () => {
    const known = await presented(first);
    const good = await material(authority);
    const others = await material(authority);
    const cases: [Files, RegExp][] = [
      [{ ...good, 'key.pem': others['key.pem'] ?? '' }, /does not belong to/],
      [{ ...good, 'key.pem': (good['key.pem'] ?? '').slice(0, 60) }, /no private key/],
      [
        { ...good, 'ca.pem': `${good['ca.pem']}-----BEGIN CERTIFICATE-----\nMIIB` },
        /certificate 2 .* cut short/,
      ],
      [{ 'cert.pem': good['cert.pem'] ?? '', 'key.pem': good['key.pem'] ?? '' }, /no such file/],
    ];
    for (const [files, why] of cases) {
      const before = (await metrics())['tls/reload_failures'] ?? 0;
      const said = lines.length;
      own.swap(files);
      const refused = () => lines.slice(said).filter(({ message }) => message.includes('are refused'));
      await until(() => refused().length > 0, 'the refusal', 10_000);
      assert.match(String(refused()[0]?.fields['why']), why);
      assert.equal((await metrics())['tls/reload_failures'], before + 1);
      assert.equal(await presented(first), known);
      assert.equal(await call(false, 'GET'), 200);
      assert.equal(refused().length, 1);
    }
    own.swap(good);
    await changesTo(good);
  });

  it('changes the authority without a failed request when both trust both for a while', async () => {
    const second = await CertificateAuthority.create({ commonName: 'second' });
    const stop = load();
    const both = [authority, second];
    for (const [issuer, trusted] of [
      [authority, both],
      [second, both],
      [second, [second]],
    ] as const) {
      for (const volume of [caller, own]) {
        const next = await material(issuer, [...trusted]);
        volume.swap(next);
        if (volume === own) await changesTo(next);
        else await delay(500);
      }
    }
    const { failures } = await stop();
    assert.deepEqual(failures, []);
    // The first authority has been removed from the bundle: what it had issued is refused.
    const socket = await dial(first);
    await new Promise((resolve) => socket.once('close', resolve));
    const key = `rt/incoming/server/127.0.0.1/${incoming()}/tls/refused/unknown_ca`;
    await until(() => lines.some(({ message }) => message === 'a TLS peer was refused'), 'the line');
    assert.ok(((await metrics())[key] ?? 0) > 0);
  });
});
