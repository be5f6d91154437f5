/** Limits on connections of a listener with TLS: each counts from its accept to its end, handshake or not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { CertificateAuthority } from '../../src/certs.ts';
import { freePorts, type Program, startProgram } from '../cli/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-limits-'));
let program: Program | undefined;
after(async () => {
  program?.child.kill('SIGKILL');
  await program?.ended();
  rmSync(folder, { recursive: true });
});

/** However it ends. */
function closed(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('close', () => resolve());
  });
}

describe('maxConnections of a listener with TLS', () => {
  it('counts handshakes that fail or stall, and forgets each connection that ends', async () => {
    const authority = await CertificateAuthority.create({ commonName: 'limits' });
    const { certPem, keyPem } = await authority.issue({ commonName: 'web', dnsNames: ['web'] });
    writeFileSync(join(folder, 'cert.pem'), certPem);
    writeFileSync(join(folder, 'key.pem'), keyPem);
    const [port = 0, admin = 0] = await freePorts(2);
    const config = join(folder, 'linkerd.yaml');
    writeFileSync(
      config,
      `admin: {port: ${admin}}
routers:
- protocol: http
  dtab: /svc => /$/io.buoyant.http.status/200
  servers:
  - port: ${port}
    maxConnections: 2
    tls: {certPath: ${folder}/cert.pem, keyPath: ${folder}/key.pem}
`,
    );
    program = startProgram(['run', config, '--threads', '1']);
    await program.says('is running');

    /** Whether a handshake comes about; the connection is left open. */
    const handshake = (): Promise<tls.TLSSocket | undefined> =>
      new Promise((resolve) => {
        const socket = tls.connect({ host: '127.0.0.1', port, servername: 'web', ca: authority.certPem });
        socket.on('secureConnect', () => resolve(socket));
        socket.on('error', () => {});
        socket.on('close', () => resolve(undefined));
      });
    /** Until the router has seen the end of others. */
    const untilAccepted = async (): Promise<tls.TLSSocket> => {
      for (;;) {
        const socket = await handshake();
        if (socket !== undefined) return socket;
        await delay(5);
      }
    };
    for (let i = 0; i < 6; i++) {
      const broken = net.connect({ host: '127.0.0.1', port }, () => broken.end('no TLS at all\r\n\r\n'));
      broken.on('error', () => {});
      broken.resume();
      await closed(broken);
      const socket = await untilAccepted();
      socket.destroy();
      await closed(socket);
    }
    const first = await untilAccepted();
    const stalled = net.connect({ host: '127.0.0.1', port });
    stalled.on('error', () => {});
    await once(stalled, 'connect');
    assert.equal(await handshake(), undefined, 'one stalls in its handshake, one is open');
    stalled.destroy();
    const second = await untilAccepted();
    first.destroy();
    second.destroy();
  });
});
