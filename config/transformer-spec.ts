/** `transformers` of a namer or an interpreter. `prefix` is what stands in the bound id after `/%`. */
import { Path } from '../dtab/path.ts';
import {
  bool,
  type Decoder,
  kinds,
  list,
  map,
  nonEmpty,
  ofKind,
  optional,
  port,
  required,
  withDefault,
} from './decode.ts';
import { kubeApi } from './kube-api.ts';
import { path } from './name-decoders.ts';
import type { TransformerSpec } from './spec.ts';

const prefix = (kind: string) => withDefault(path, `/${kind}`);

const transformer = kinds<TransformerSpec>('transformer', {
  'io.l5d.localhost': map(ofKind({ prefix: prefix('io.l5d.localhost') }), (keys) => ({
    kind: 'io.l5d.localhost',
    prefix: keys.prefix,
  })),
  'io.l5d.specificHost': map(
    ofKind({ prefix: prefix('io.l5d.specificHost'), host: required(nonEmpty) }),
    (keys) => ({ kind: 'io.l5d.specificHost', prefix: keys.prefix, host: keys.host }),
  ),
  // The port is part of the default prefix only: two ports without a prefix give two ids.
  'io.l5d.port': map(ofKind({ prefix: optional(path), port: required(port) }), (keys) => ({
    kind: 'io.l5d.port',
    prefix: keys.prefix ?? `/io.l5d.port/${keys.port}`,
    port: keys.port,
  })),
  'io.l5d.const': map(ofKind({ prefix: prefix('io.l5d.const'), path: required(path) }), (keys) => ({
    kind: 'io.l5d.const',
    prefix: keys.prefix,
    path: keys.path,
  })),
  'io.l5d.replace': map(ofKind({ prefix: prefix('io.l5d.replace'), path: required(path) }), (keys) => ({
    kind: 'io.l5d.replace',
    prefix: keys.prefix,
    path: keys.path,
  })),
  // As for a port: two daemon sets without a prefix give two ids.
  'io.l5d.k8s.daemonset': map(
    ofKind({
      prefix: optional(path),
      namespace: required(nonEmpty, '"namespace" property is required'),
      service: required(nonEmpty, '"service" property is required'),
      port: required(nonEmpty, '"port" property is required'),
      k8sHost: optional(nonEmpty),
      k8sPort: optional(port),
      hostNetwork: withDefault(bool, false),
    }),
    ({ k8sHost, k8sPort, ...keys }) => ({
      kind: 'io.l5d.k8s.daemonset',
      ...keys,
      prefix: keys.prefix ?? Path.of('io.l5d.k8s.daemonset', keys.namespace, keys.port, keys.service).show,
      api: kubeApi(k8sHost, k8sPort),
    }),
  ),
  'io.l5d.k8s.localnode': map(
    ofKind({ prefix: prefix('io.l5d.k8s.localnode'), hostNetwork: withDefault(bool, false) }),
    (keys) => ({ kind: 'io.l5d.k8s.localnode', ...keys }),
  ),
});

export const transformers: Decoder<readonly TransformerSpec[]> = list(transformer);
