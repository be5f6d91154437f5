/**
 * The demo's folder: certificates, one address file a service, and the configuration. It is readable by its
 * owner only and removed when the demo ends, whichever way.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Closable } from '../base/closable.ts';
import { CertificateAuthority } from '../certs.ts';
import type { Application } from './applications.ts';
import type { DemoPorts } from './ports.ts';

const LIFETIME_MS = 7 * 24 * 3_600_000;

export type Workspace = Closable & {
  readonly folder: string;
  readonly configFile: string;
  readonly config: string;
};

export async function makeWorkspace(
  ports: DemoPorts,
  applications: readonly Application[],
): Promise<Workspace> {
  // mkdtemp gives the folder mode 0700.
  const folder = mkdtempSync(join(tmpdir(), 'turnout-demo-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const close = (): void => {
    process.removeListener('exit', remove);
    remove();
  };
  try {
    await writeCertificates(folder, applications);
    writeServices(folder, applications);
    const config = demoConfig(folder, ports);
    const configFile = join(folder, 'turnout.yaml');
    writeFileSync(configFile, config);
    return { folder, configFile, config, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function writeCertificates(folder: string, applications: readonly Application[]): Promise<void> {
  const lifetime = { notAfter: new Date(Date.now() + LIFETIME_MS) };
  const authority = await CertificateAuthority.create({ commonName: 'Turnout demo CA', ...lifetime });
  const incoming = await authority.issue({
    commonName: 'incoming',
    dnsNames: [...applications.map((application) => application.name), 'localhost'],
    ipAddresses: ['127.0.0.1'],
    ...lifetime,
  });
  writeFileSync(join(folder, 'ca.pem'), authority.certPem);
  writeFileSync(join(folder, 'incoming.pem'), incoming.certPem);
  writeFileSync(join(folder, 'incoming.key'), incoming.keyPem, { mode: 0o600 });
}

/** The files that the io.l5d.fs namer watches: edit one while the demo runs. */
function writeServices(folder: string, applications: readonly Application[]): void {
  mkdirSync(join(folder, 'disco'));
  for (const { name, port } of applications) {
    writeFileSync(join(folder, 'disco', name), `127.0.0.1 ${port}\n`);
  }
}

function demoConfig(folder: string, ports: DemoPorts): string {
  const path = (name: string): string => JSON.stringify(join(folder, name));
  return `# Written by \`turnout demo\`.
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
`;
}
