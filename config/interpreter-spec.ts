/** `interpreter` of a router: who binds names, by which dtab. */
import {
  bool,
  type Decoder,
  existing,
  ignored,
  kinds,
  map,
  ofKind,
  required,
  withDefault,
} from './decode.ts';
import { notBuiltDecoders } from './not-built.ts';
import type { InterpreterSpec } from './spec.ts';
import { transformers } from './transformer-spec.ts';

export const interpreterDefault: InterpreterSpec = { kind: 'default', transformers: [] };

const common = { experimental: ignored(bool), transformers: withDefault(transformers, []) };

export const interpreter: Decoder<InterpreterSpec> = kinds<InterpreterSpec>('interpreter', {
  default: map(ofKind(common), (keys) => ({ kind: 'default', transformers: keys.transformers })),
  'io.l5d.fs': map(ofKind({ ...common, dtabFile: required(existing('file')) }), (keys) => ({
    kind: 'io.l5d.fs',
    dtabFile: keys.dtabFile,
    transformers: keys.transformers,
  })),
  ...notBuiltDecoders('interpreter', common),
});
