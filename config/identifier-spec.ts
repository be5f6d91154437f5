/**
 * `identifier` of a http router: how a request gets its name. One object, or a list that is tried in order.
 */
import {
  bool,
  type Decoder,
  int,
  kinds,
  map,
  nonEmpty,
  ofKind,
  oneOrMore,
  optional,
  port,
  required,
  withDefault,
} from './decode.ts';
import { kubeApi } from './kube-api.ts';
import { path } from './name-decoders.ts';
import { notBuiltDecoders } from './not-built.ts';
import { headerName } from './server-spec.ts';
import type { IdentifierSpec } from './spec.ts';

export const identifierDefault: readonly IdentifierSpec[] = [{ kind: 'io.l5d.header.token', header: 'Host' }];

export const ingress: Decoder<IdentifierSpec> = map(
  ofKind({
    host: optional(nonEmpty),
    port: optional(port),
    namespace: optional(nonEmpty),
    ingressClassAnnotation: withDefault(nonEmpty, 'linkerd'),
    ignoreDefaultBackends: withDefault(bool, false),
  }),
  ({ ingressClassAnnotation, host, port: number, ...keys }) => ({
    kind: 'io.l5d.ingress',
    ...keys,
    api: kubeApi(host, number),
    ingressClass: ingressClassAnnotation,
  }),
);

const identifier = kinds<IdentifierSpec>('identifier', {
  'io.l5d.header.token': map(ofKind({ header: withDefault(headerName, 'Host') }), ({ header }) => ({
    kind: 'io.l5d.header.token',
    header,
  })),
  'io.l5d.header': map(ofKind({ header: withDefault(headerName, 'l5d-name') }), ({ header }) => ({
    kind: 'io.l5d.header',
    header,
  })),
  'io.l5d.methodAndHost': map(ofKind({ httpUriInDst: withDefault(bool, false) }), ({ httpUriInDst }) => ({
    kind: 'io.l5d.methodAndHost',
    httpUriInDst,
  })),
  'io.l5d.path': map(
    ofKind({ segments: withDefault(int(1), 1), consume: withDefault(bool, false) }),
    ({ segments, consume }) => ({ kind: 'io.l5d.path', segments, consume }),
  ),
  'io.l5d.static': map(ofKind({ path: required(path) }), (keys) => ({
    kind: 'io.l5d.static',
    path: keys.path,
  })),
  'io.l5d.ingress': ingress,
  ...notBuiltDecoders('identifier', {}),
});

export const identifiers: Decoder<readonly IdentifierSpec[]> = oneOrMore(
  identifier,
  'a router needs at least one identifier',
);
