/**
 * The TLS of one client, out of the `client` section. The last matching entry with a `tls` object decides
 * alone. Whatever is wrong is a Failure and never plain text instead: plain text is the answer only when no
 * entry asks for TLS, or the last one switches it off.
 */
import type { Path } from '../dtab/path.ts';
import { Failure } from '../src/base/failure.ts';
import { mergeConfigs, PathMatcher, substitute } from './path-matcher.ts';
import type { ClientParams, ClientTlsSpec, Section } from './spec.ts';

export type ClientTlsChoice =
  | { readonly type: 'plain' }
  | ({
      readonly type: 'tls';
      /** Absent only when nothing is validated. */
      readonly serverName?: string;
      readonly validate: boolean;
    } & Pick<ClientTlsSpec, 'trustCerts' | 'trustCertsBundle' | 'clientAuth' | 'protocols'>);

/** `id` is the bound id; the empty path for a client whose id is no path. */
export function clientTlsFor(section: Section<ClientParams>, id: Path): ClientTlsChoice | Failure {
  return clientTlsOf(section)(id);
}

/** The same for many clients: the patterns are compiled once. */
export function clientTlsOf(section: Section<ClientParams>): (id: Path) => ClientTlsChoice | Failure {
  const configs = section.flatMap(({ prefix, params }) =>
    params.tls === undefined ? [] : [{ prefix: new PathMatcher(prefix), params: { tls: params.tls } }],
  );
  return (id) => {
    const { params, variablesOf } = mergeConfigs<{ tls: ClientTlsSpec }>(configs, id);
    const tls = params.tls;
    if (tls === undefined || !tls.enabled) return { type: 'plain' };
    if (tls.refuse === true) {
      const names = configs
        .filter((config) => config.params.tls !== tls)
        .map((config) => config.prefix.pattern);
      return failure(`Unable to match ${id.show} with available names: ${names.join(',')}`);
    }
    return choose(tls, tls.commonName && substitute(variablesOf('tls'), tls.commonName));
  };
}

function choose(tls: ClientTlsSpec, serverName: string | undefined): ClientTlsChoice | Failure {
  const validate = !tls.disableValidation;
  if (validate && serverName === undefined) {
    return failure('tls is configured with validation but `commonName` is not set');
  }
  if (validate && tls.trustCerts !== undefined && tls.trustCertsBundle !== undefined) {
    return failure('tls is configured with both `trustCerts` and `trustCertsBundle`');
  }
  return {
    type: 'tls',
    ...(serverName === undefined ? {} : { serverName }),
    validate,
    ...(tls.trustCerts === undefined ? {} : { trustCerts: tls.trustCerts }),
    ...(tls.trustCertsBundle === undefined ? {} : { trustCertsBundle: tls.trustCertsBundle }),
    ...(tls.clientAuth === undefined ? {} : { clientAuth: tls.clientAuth }),
    ...(tls.protocols === undefined ? {} : { protocols: tls.protocols }),
  };
}

function failure(message: string): Failure {
  return new Failure('tls', message, true);
}
