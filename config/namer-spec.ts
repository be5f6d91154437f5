/** `namers`: what turns the paths under `/#/<prefix>` into endpoints. */
import {
  bool,
  checked,
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
import { quote } from './errors.ts';
import { kubeApi } from './kube-api.ts';
import { path, pattern, templateProblem } from './name-decoders.ts';
import { notBuiltDecoders, requireExperimental } from './not-built.ts';
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

const kubeKeys = {
  host: optional(nonEmpty),
  port: optional(port),
  labelSelector: optional(checked(nonEmpty, labelKeyProblem)),
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
    ofKind({ ...common, ...kubeKeys, prefix: withDefault(path, '/io.l5d.k8s') }),
    ({ host, port: number, ...keys }) => ({ kind: 'io.l5d.k8s', api: kubeApi(host, number), ...keys }),
  ),
  'io.l5d.k8s.ns': map(
    ofKind({
      ...common,
      ...kubeKeys,
      prefix: withDefault(path, '/io.l5d.k8s.ns'),
      envVar: withDefault(nonEmpty, 'POD_NAMESPACE'),
    }),
    ({ host, port: number, ...keys }) => ({ kind: 'io.l5d.k8s.ns', api: kubeApi(host, number), ...keys }),
  ),
  'io.l5d.k8s.external': map(
    ofKind(
      { ...common, ...kubeKeys, prefix: withDefault(path, '/io.l5d.k8s.external') },
      (value, _keys, at, context) =>
        requireExperimental('"io.l5d.k8s.external"', 'namer', value, at, context),
    ),
    ({ host, port: number, ...keys }) => ({
      kind: 'io.l5d.k8s.external',
      api: kubeApi(host, number),
      ...keys,
    }),
  ),
  ...notBuiltDecoders('namer', { ...common, prefix: optional(path) }),
});

const LABEL_PREFIX = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\//;
const LABEL_NAME = /^[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;

/** A label's name as Kubernetes knows it: it becomes a part of a selector. */
function labelKeyProblem(key: string): string | undefined {
  return LABEL_NAME.test(key.replace(LABEL_PREFIX, ''))
    ? undefined
    : `expected the name of a label, such as "version", got ${quote(key)}`;
}
