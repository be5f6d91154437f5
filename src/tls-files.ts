/**
 * Every TLS file that a configuration names, read and checked as a start does. A file that is not there is a
 * warning: a configuration is often checked on a machine that has no business holding the keys. What is there
 * must be usable.
 */
import type { ClientTlsSpec, LinkerSpec, RouterSpec, ServerTlsSpec } from '../config/spec.ts';
import { type Loaded, loadClientTls, loadServerTls } from '../routers/tls/material.ts';

/** Lines that name the section and the file. */
export type TlsFileFindings = { readonly errors: readonly string[]; readonly warnings: readonly string[] };

export function checkTlsFiles(spec: LinkerSpec): TlsFileFindings {
  const errors: string[] = [];
  const warnings: string[] = [];
  const check = (path: string, loaded: Loaded<unknown>): void => {
    if (loaded.ok) return;
    for (const error of loaded.errors) {
      const line = `${spec.source}: ${path}.tls.${error}`;
      if (loaded.unreadable.includes(error)) warnings.push(`${line}; a start needs it`);
      else errors.push(line);
    }
  };
  const server = (path: string, tls: ServerTlsSpec | undefined): void => {
    if (tls !== undefined) check(path, loadServerTls(tls));
  };
  const client = (path: string, tls: ClientTlsSpec | undefined): void => {
    if (tls?.enabled === true && tls.refuse !== true) check(path, loadClientTls(tls));
  };
  server('admin', spec.admin.tls);
  spec.routers.forEach((router, r) => {
    router.servers.forEach((item, i) => {
      server(`routers[${r}].servers[${i}]`, item.tls);
    });
    router.client.forEach(({ params }, i) => {
      client(`routers[${r}].${clientPlace(router.client, i)}`, params.tls);
    });
  });
  return { errors, warnings };
}

/** Where entry `i` of a client section stands below its router. */
export function clientPlace(section: RouterSpec['client'], i: number): string {
  const isStatic = section.length > 1 || section[0]?.prefix !== '/';
  return isStatic ? `client.configs[${i}]` : 'client';
}
