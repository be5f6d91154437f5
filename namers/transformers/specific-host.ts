/**
 * io.l5d.specificHost: only the endpoints on one host, given by address or by name; a name is resolved while
 * somebody looks, like the host of `/$/inet`.
 *
 *     transformers:
 *     - kind: io.l5d.specificHost
 *       host: 10.0.0.7
 */
import type { Path } from '../../dtab/path.ts';
import type { HostResolver } from '../host-resolver.ts';
import { keepHosts } from './keep-hosts.ts';
import { type Transformer, transformSets } from './transform.ts';
import { hostsOf } from './with-hosts.ts';

export function specificHost(prefix: Path, host: string, resolver: HostResolver): Transformer {
  return transformSets(prefix, keepHosts(hostsOf(host, resolver), resolver));
}
