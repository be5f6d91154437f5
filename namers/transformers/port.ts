/**
 * io.l5d.port: every endpoint at another port, such as that of the router on its machine. Endpoints that
 * become equal are one, with the metadata of the first. The default prefix bears the number: two ports are
 * two ids.
 *
 *     transformers:
 *     - kind: io.l5d.port
 *       port: 4141
 */
import type { Address } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import { mapBound, type Transformer, transformSets } from './transform.ts';

export function port(prefix: Path, number: number): Transformer {
  return transformSets(prefix, (source) =>
    mapBound(source, (addr) => {
      const moved = new Map<string, Address>();
      for (const address of addr.addresses) {
        if (!moved.has(address.host)) moved.set(address.host, { ...address, port: number });
      }
      return { ...addr, addresses: [...moved.values()] };
    }),
  );
}
