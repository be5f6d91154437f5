/**
 * The demo's folder: certificates, one address file and one file with the process id a service, and the
 * configuration. It is readable by its owner only and removed when the demo ends, whichever way.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Closable } from '../base/closable.ts';
import { CertificateAuthority } from '../certs.ts';
import type { DemoPorts } from './ports.ts';

const LIFETIME_MS = 31 * 24 * 3_600_000;

export type Workspace = Closable & {
  readonly folder: string;
  readonly configFile: string;
  readonly config: string;
  /** The application runs, as this process, at this port. */
  serves(name: string, pid: number, port: number): void;
};

export async function makeWorkspace(ports: DemoPorts, services: readonly string[]): Promise<Workspace> {
  // mkdtemp gives the folder mode 0700.
  const folder = mkdtempSync(join(tmpdir(), 'turnout-demo-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const close = (): void => {
    process.removeListener('exit', remove);
    remove();
  };
  try {
    await writeCertificates(folder, services);
    mkdirSync(join(folder, 'disco'));
    const config = demoConfig(folder, ports);
    const configFile = join(folder, 'turnout.yaml');
    writeFileSync(configFile, config);
    return {
      folder,
      configFile,
      config,
      serves(name, pid, port) {
        replaceFile(folder, `${name}.pid`, `${pid}\n`);
        replaceFile(folder, join('disco', name), `127.0.0.1 ${port}\n`);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function writeCertificates(folder: string, services: readonly string[]): Promise<void> {
  const lifetime = { notAfter: new Date(Date.now() + LIFETIME_MS) };
  const authority = await CertificateAuthority.create({ commonName: 'Turnout demo CA', ...lifetime });
  const incoming = await authority.issue({
    commonName: 'incoming',
    dnsNames: [...services, 'localhost'],
    ipAddresses: ['127.0.0.1'],
    ...lifetime,
  });
  writeFileSync(join(folder, 'ca.pem'), authority.certPem);
  writeFileSync(join(folder, 'incoming.pem'), incoming.certPem);
  writeFileSync(join(folder, 'incoming.key'), incoming.keyPem, { mode: 0o600 });
}

/** At once, so that whoever watches it never sees half of it. */
function replaceFile(folder: string, name: string, text: string): void {
  const next = join(folder, '.next');
  writeFileSync(next, text);
  renameSync(next, join(folder, name));
}

function demoConfig(folder: string, ports: DemoPorts): string {
  const path = (name: string): string => JSON.stringify(join(folder, name));
  return `# Written by \`turnout demo\`, and watched: what is saved here is checked and put in force.
admin: {ip: 127.0.0.1, port: ${ports.admin}}

namers:
- kind: io.l5d.fs
  rootDir: ${path('disco')}

routers:
# An application's call by name comes in here. The address of the service is found; the port is
# replaced by that of the incoming router on the same host, which must prove that it speaks for the service.
- protocol: http
  label: outgoing
  servers: [{ip: 127.0.0.1, port: ${ports.outgoing}}]
  dtab: |
    /srv  => /#/io.l5d.fs;
    /host => /srv;
    /svc  => /host;
  interpreter:
    kind: default
    transformers: [{kind: io.l5d.port, port: ${ports.incoming}}]
  client:
    kind: io.l5d.static
    configs:
    - prefix: /%/io.l5d.port/${ports.incoming}/#/io.l5d.fs/{service}
      tls: {commonName: "{service}", trustCertsBundle: ${path('ca.pem')}}

# Calls from other hosts come in here over TLS and go to the local application.
- protocol: http
  label: incoming
  servers:
  - ip: 127.0.0.1
    port: ${ports.incoming}
    tls: {certPath: ${path('incoming.pem')}, keyPath: ${path('incoming.key')}}
  dtab: |
    /srv  => /#/io.l5d.fs;
    /host => /srv;
    /svc  => /host;
    # /host/world => /srv/world-v2;
`;
}
