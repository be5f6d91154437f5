/** `namers`: what turns the paths under `/#/<prefix>` into endpoints. */
import {
  bool,
  type Decoder,
  existing,
  ignored,
  kinds,
  map,
  nonEmpty,
  ofKind,
  optional,
  port,
  required,
  withDefault,
} from './decode.ts';
import { path, pattern, templateProblem } from './name-decoders.ts';
import { notBuiltDecoders } from './not-built.ts';
import { PathMatcher } from './path-matcher.ts';
import type { NamerSpec } from './spec.ts';
import { transformers } from './transformer-spec.ts';
import { get } from './value.ts';

const common = {
  experimental: ignored(bool),
  transformers: withDefault(transformers, []),
  // Turnout's own key: names without `/#` resolve too. The rewriting of old configs sets it.
  legacyNames: withDefault(bool, false),
};

export const namer: Decoder<NamerSpec> = kinds<NamerSpec>('namer', {
  'io.l5d.fs': map(
    ofKind({
      ...common,
      prefix: withDefault(path, '/io.l5d.fs'),
      rootDir: required(existing('directory')),
    }),
    (keys) => ({ kind: 'io.l5d.fs', ...keys }),
  ),
  'io.l5d.rewrite': map(
    ofKind(
      {
        ...common,
        prefix: required(path, "the 'prefix' property is required for the io.l5d.rewrite namer"),
        pattern: required(pattern),
        name: required(nonEmpty),
      },
      (value, { pattern: match, name }, at, { diagnostics }) => {
        if (match === undefined || name === undefined) return;
        const problem = templateProblem(name, new PathMatcher(match).names);
        const place = get(value, 'name') ?? value;
        if (problem !== undefined) diagnostics.error('conflict', place.at, `${at}.name`, problem);
      },
    ),
    (keys) => ({ kind: 'io.l5d.rewrite', ...keys }),
  ),
  'io.l5d.k8s': map(
    ofKind({
      ...common,
      prefix: withDefault(path, '/io.l5d.k8s'),
      host: optional(nonEmpty),
      port: optional(port),
      labelSelector: optional(nonEmpty),
    }),
    (keys) => ({ kind: 'io.l5d.k8s', ...keys }),
  ),
  ...notBuiltDecoders('namer', { ...common, prefix: optional(path) }),
});
