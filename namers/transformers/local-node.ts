/**
 * io.l5d.k8s.localnode: only the endpoints on this node. Which node it is stands in the environment, by the
 * downward API: POD_IP, or NODE_NAME where the pod has the network of its host. It is a part of the id.
 *
 *     interpreter:
 *       kind: default
 *       transformers:
 *       - kind: io.l5d.k8s.localnode
 */
import { Path } from '../../dtab/path.ts';
import type { HostResolver } from '../host-resolver.ts';
import { keepMatching } from './keep-hosts.ts';
import { onSameNode, type Spot } from './same-node.ts';
import { type Transformer, transformSets } from './transform.ts';

/** `node` is the part of the id that names this node. */
export function localNode(prefix: Path, node: string, self: Spot, resolver: HostResolver): Transformer {
  return transformSets(prefix.concat(Path.of(node)), (source) =>
    keepMatching(source, ({ meta }, host) => onSameNode(self, { nodeName: meta?.nodeName, host }), resolver),
  );
}
