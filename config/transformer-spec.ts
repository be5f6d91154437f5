/** `transformers` of a namer or an interpreter. `prefix` is what stands in the bound id after `/%`. */
import {
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
import { path } from './name-decoders.ts';
import { notBuiltDecoders } from './not-built.ts';
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
  ...notBuiltDecoders('transformer', { prefix: optional(path) }),
});

export const transformers: Decoder<readonly TransformerSpec[]> = list(transformer);
