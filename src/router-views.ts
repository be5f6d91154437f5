/** What the admin pages show of the routers' configuration. */
import { clientTlsOf } from '../config/client-tls.ts';
import { dtabOf } from '../config/name-decoders.ts';
import type { RouterSpec } from '../config/spec.ts';
import { readPath } from '../dtab/parse.ts';
import { showDentry } from '../dtab/show.ts';
import type { AdminSources, RouterSummary } from './admin/sources.ts';
import { Failure } from './base/failure.ts';

export function routerSummaries(routers: readonly RouterSpec[]): RouterSummary[] {
  return routers.map(({ label, dtab, servers, interpreter }) => ({
    label,
    interpreter: interpreter.kind,
    dtab: dtabOf(dtab).map((dentry) => ({
      dentry: showDentry(dentry),
      ...(dentry.position === undefined ? {} : { line: dentry.position.line }),
    })),
    servers: servers.map(({ ip, port, tls }) => ({ ip, port, tls: tls !== undefined })),
  }));
}

/** Patterns are compiled once for a configuration. */
export function clientTlsNames(routers: () => readonly RouterSpec[]): AdminSources['clientTls'] {
  const choices = new WeakMap<RouterSpec, ReturnType<typeof clientTlsOf>>();
  return (label, id) => {
    const router = routers().find((each) => each.label === label);
    if (router === undefined) return undefined;
    const choose = choices.get(router) ?? clientTlsOf(router.client);
    choices.set(router, choose);
    const choice = choose(readPath(id));
    if (choice instanceof Failure) return { error: choice.message };
    return choice.type === 'tls' ? { name: choice.serverName ?? '' } : undefined;
  };
}
