import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { loadConfig } from '../../config/load.ts';
import { silentLog } from '../../src/base/log.ts';
import { CertificateAuthority } from '../../src/certs.ts';
import { start } from '../../src/start.ts';
import { type Files, SecretVolume } from '../support/secret-volume.ts';
import { until } from '../support/until.ts';

describe('The certificate of the admin server', () => {
  it('is replaced while it runs, and connections under the old one end within certDrainSecs', async () => {
    const authority = await CertificateAuthority.create({ commonName: 'authority' });
    const issue = async (): Promise<Files> => {
      const { certPem, keyPem } = await authority.issue({ commonName: 'admin' });
      return { 'cert.pem': certPem, 'key.pem': keyPem };
    };
    const volume = new SecretVolume(await issue());
    const files = `certPath: ${volume.path('cert.pem')}, keyPath: ${volume.path('key.pem')}`;
    const config = `
admin: {port: 0, tls: {${files}, certDrainSecs: 1}}
routers:
- {protocol: http, servers: [{port: 0}], dtab: /svc => /$/inet/127.1/1}
`;
    const started = await start(loadConfig(config, { source: 'test.yaml' }), { threads: 0, log: silentLog });
    assert.ok(started.ok, started.ok ? '' : started.errors.join('\n'));
    const { linker } = started;
    const open = () => connect({ port: linker.adminPort, host: '127.0.0.1', rejectUnauthorized: false });
    const old = open();
    let ended = false;
    old.on('error', () => {});
    old.on('close', () => {
      ended = true;
    });
    const next = await issue();
    volume.swap(next);
    const { serialNumber } = new X509Certificate(next['cert.pem'] ?? '');
    let presented: string | undefined;
    const look = (): void => {
      const socket = open();
      socket.on('error', () => {});
      socket.once('secureConnect', () => {
        presented = socket.getPeerX509Certificate()?.serialNumber;
        socket.destroy();
        if (presented !== serialNumber) setTimeout(look, 20);
      });
    };
    look();
    await until(() => presented === serialNumber, 'the new certificate', 20_000);
    await until(() => ended, 'the end of the old connection', 20_000);
    await linker.close(0);
    volume.remove();
  });
});
