/**
 * io.l5d.localhost: only the endpoints on this machine. The addresses of all interfaces that are up are taken
 * once, at the start.
 *
 *     interpreter:
 *       kind: default
 *       transformers:
 *       - kind: io.l5d.localhost
 */
import { networkInterfaces } from 'node:os';
import type { Path } from '../../dtab/path.ts';
import { constant } from '../../src/base/var.ts';
import type { HostResolver } from '../host-resolver.ts';
import { keepHosts } from './keep-hosts.ts';
import { type Transformer, transformSets } from './transform.ts';
import type { Hosts } from './with-hosts.ts';

export function localhost(
  prefix: Path,
  resolver: HostResolver,
  addresses: readonly string[] = interfaceAddresses(),
): Transformer {
  return transformSets(prefix, keepHosts(constant<Hosts>({ state: 'ok', value: addresses }), resolver));
}

function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address));
}
