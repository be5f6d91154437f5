/** Every `tls` section of a configuration that names files, with where it stands and what reads it. */
import type { ClientTlsSpec, LinkerSpec, RouterSpec, ServerTlsSpec } from '../config/spec.ts';
import { type Loaded, loadClientTls, loadServerTls } from '../routers/tls/material.ts';
import type { ClientTlsMaterial, ServerTlsMaterial } from '../routers/tls/tls-material.ts';

type ServerAt =
  | { readonly side: 'admin' }
  | { readonly side: 'server'; readonly router: number; readonly server: number };
type ClientAt = { readonly side: 'client'; readonly router: number; readonly entry: number };

/** The material of a section, with whose it is. */
export type TlsUpdate =
  | (ServerAt & { readonly material: ServerTlsMaterial })
  | (ClientAt & { readonly material: ClientTlsMaterial });

export type TlsSection = {
  /** `routers[0].servers[1].tls` */
  readonly place: string;
  readonly at: ServerAt | ClientAt;
  readonly files: readonly string[];
  readonly load: () => Loaded<TlsUpdate>;
};

export function tlsSections(spec: LinkerSpec): readonly TlsSection[] {
  const sections: TlsSection[] = [];
  const server = (where: string, at: ServerAt, tls: ServerTlsSpec): void => {
    const files = [tls.certPath, tls.keyPath, tls.intermediateCertsPath, tls.caCertPath].filter(isGiven);
    const load = () => withMaterial(loadServerTls(tls), (material) => ({ ...at, material }));
    sections.push({ place: `${where}.tls`, at, files, load });
  };
  if (spec.admin.tls !== undefined) server('admin', { side: 'admin' }, spec.admin.tls);
  for (const [i, { servers, client }] of spec.routers.entries()) {
    for (const [j, { tls }] of servers.entries()) {
      if (tls === undefined) continue;
      server(`routers[${i}].servers[${j}]`, { side: 'server', router: i, server: j }, tls);
    }
    for (const [k, { params }] of client.entries()) {
      const { tls } = params;
      if (tls === undefined || !namesFiles(tls)) continue;
      const at: ClientAt = { side: 'client', router: i, entry: k };
      const load = () => withMaterial(loadClientTls(tls), (material) => ({ ...at, material }));
      const place = `routers[${i}].${clientPlace(client, k)}.tls`;
      sections.push({ place, at, files: clientFiles(tls), load });
    }
  }
  return sections;
}

function withMaterial<M>(loaded: Loaded<M>, update: (material: M) => TlsUpdate): Loaded<TlsUpdate> {
  return loaded.ok ? { ...loaded, value: update(loaded.value) } : loaded;
}

/** True of a `tls` object of a client that makes connections with TLS. */
export function namesFiles(tls: ClientTlsSpec | undefined): boolean {
  return tls?.enabled === true && tls.refuse !== true;
}

function clientFiles({ trustCerts, trustCertsBundle, clientAuth }: ClientTlsSpec): string[] {
  const identity = [clientAuth?.certPath, clientAuth?.keyPath, clientAuth?.intermediateCertsPath];
  return [...(trustCerts ?? []), trustCertsBundle, ...identity].filter(isGiven);
}

/** Where entry `i` of a client section stands below its router. */
export function clientPlace(section: RouterSpec['client'], i: number): string {
  const isStatic = section.length > 1 || section[0]?.prefix !== '/';
  return isStatic ? `client.configs[${i}]` : 'client';
}

const isGiven = (path: string | undefined): path is string => path !== undefined;
