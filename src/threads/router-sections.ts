/** The `client` and `service` sections of a router, compiled once: what they say of one name. */
import { clientTlsOf } from '../../config/client-tls.ts';
import { mergeConfigs, PathMatcher, type PatternedParams } from '../../config/path-matcher.ts';
import type { ClientParams, RouterSpec, Section, ServiceParams } from '../../config/spec.ts';
import type { Path } from '../../dtab/path.ts';
import type { ClientMaterial } from '../../routers/tls/client-material.ts';
import { ClientTls } from '../../routers/tls/client-tls.ts';
import { Refusals } from '../../routers/tls/refusals.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import type { LimitedLog } from '../base/limited-log.ts';
import type { Scope } from '../base/stats.ts';

/** Of each entry of the client section, in order. */
export type ClientMaterials = readonly (ClientMaterial | undefined)[];

export type RouterSections = {
  readonly clientParams: (id: Path) => ClientParams;
  readonly serviceParams: (name: Path) => ServiceParams;
  readonly clientTls: (id: Path, stats: Scope) => ClientTls | Failure | undefined;
  readonly clientIdentity: (id: Path) => unknown;
};

export function routerSections(
  { label, client, service }: RouterSpec,
  materials: ClientMaterials,
  log: LimitedLog,
  clock: Clock,
): RouterSections {
  const clients = compile(client);
  const services = compile(service);
  const choose = clientTlsOf(client);
  const clientParams = (id: Path): ClientParams => mergeConfigs(clients, id).params;
  // The entry that decides is the one whose `tls` object is in force.
  const material = (id: Path): ClientMaterial | undefined => {
    const { tls } = clientParams(id);
    return materials[client.findIndex(({ params }) => params.tls === tls)];
  };
  return {
    clientParams,
    serviceParams: (name) => mergeConfigs(services, name).params,
    clientTls(id, stats) {
      const choice = choose(id);
      if (choice instanceof Failure) return choice;
      if (choice.type === 'plain') return undefined;
      const files = material(id);
      assert(files !== undefined, 'TLS is on, and its files were read at the start');
      const refusals = new Refusals(stats, `${label} ${id.show}`, log);
      return new ClientTls(files, choice.serverName, { stats, refusals, clock });
    },
    clientIdentity(id) {
      const choice = choose(id);
      const tls = choice instanceof Failure ? choice.message : choice;
      return [clientParams(id), tls, material(id)?.material];
    },
  };
}

function compile<P>(section: Section<P>): PatternedParams<P>[] {
  return section.map(({ prefix, params }) => ({ prefix: new PathMatcher(prefix), params }));
}
