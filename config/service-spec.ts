/** `routers[].service`: parameters of the service names, global or by prefix of the name. */
import { backoff, budget } from './backoff-spec.ts';
import { limitMs } from './client-spec.ts';
import {
  type Decoder,
  ignored,
  kinds,
  list,
  map,
  object,
  ofKind,
  optional,
  required,
  string,
} from './decode.ts';
import { pattern } from './name-decoders.ts';
import type { ClassifierKind, Section, ServiceParams } from './spec.ts';

const classifierKinds = [
  'io.l5d.http.nonRetryable5XX',
  'io.l5d.http.retryableRead5XX',
  'io.l5d.http.retryableIdempotent5XX',
  'io.l5d.http.retryableAll5XX',
  'io.l5d.http.allSuccessful',
] as const satisfies readonly ClassifierKind[];

const responseClassifier = kinds(
  'response classifier',
  Object.fromEntries(classifierKinds.map((kind) => [kind, map(ofKind({}), () => ({ kind }))])),
);

/** What services of every protocol have. */
export const serviceKeys = {
  totalTimeoutMs: optional(limitMs),
  retries: optional(object({ budget: optional(budget), backoff: optional(backoff) })),
};

const keys = { ...serviceKeys, responseClassifier: optional(responseClassifier) };

type Keys = {
  readonly totalTimeoutMs?: number;
  readonly retries?: {
    readonly budget?: NonNullable<ServiceParams['retryBudget']>;
    readonly backoff?: NonNullable<ServiceParams['retryBackoff']>;
  };
  readonly responseClassifier?: { readonly kind: ClassifierKind };
};

/**
 * Backoff and budget are independent parameters: each keeps what an earlier entry says when it is absent.
 */
function flat({ retries, ...params }: Keys): ServiceParams {
  return {
    ...params,
    ...(retries?.budget === undefined ? {} : { retryBudget: retries.budget }),
    ...(retries?.backoff === undefined ? {} : { retryBackoff: retries.backoff }),
  };
}

const entry = map(object({ prefix: required(pattern), ...keys }), ({ prefix, ...params }) => ({
  prefix,
  params: flat(params),
}));

export const serviceSection: Decoder<Section<ServiceParams>> = kinds<Section<ServiceParams>>(
  'service',
  {
    'io.l5d.global': map(object({ kind: ignored(string), ...keys }), (params) => [
      { prefix: '/', params: flat(params) },
    ]),
    'io.l5d.static': map(ofKind({ configs: required(list(entry)) }), ({ configs }) => configs),
  },
  'io.l5d.global',
);
