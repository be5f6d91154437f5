/**
 * `routers[].client`: parameters of the clients, global or by prefix of the client's id. `connectTimeoutMs`
 * and `bodyIdleTimeoutMs` are Turnout's own (linkerd fixes the one at 1 s and has no other limit).
 */
import { budget } from './backoff-spec.ts';
import {
  bool,
  type Decoder,
  ignored,
  int,
  kinds,
  list,
  map,
  object,
  ofKind,
  optional,
  required,
  string,
  withDefault,
} from './decode.ts';
import { failureAccrual, loadBalancer } from './load-balancer-spec.ts';
import { pattern } from './name-decoders.ts';
import { notBuiltKeys } from './not-built.ts';
import { clientSocket } from './socket-spec.ts';
import type { ClientParams, PoolSpec, Section } from './spec.ts';
import { clientTls } from './tls-spec.ts';

const MAX = 2_147_483_647;

const hostConnectionPool: Decoder<PoolSpec> = object({
  minSize: withDefault(int(0), 0),
  maxSize: withDefault(int(1), MAX),
  idleTimeMs: optional(map(int(), (ms) => Math.max(0, ms))),
  maxWaiters: withDefault(int(0), MAX),
});

export const session = object({ lifeTimeMs: optional(int(1)), idleTimeMs: optional(int(1)) });

/** Zero and less mean no limit, as in linkerd; 0 stays, because it lifts the limit of an earlier entry. */
export const limitMs: Decoder<number> = map(int(), (ms) => Math.max(0, ms));

/** What clients of every protocol have. */
export const clientKeys = {
  tls: optional(clientTls),
  loadBalancer: optional(loadBalancer),
  hostConnectionPool: optional(hostConnectionPool),
  clientSession: optional(session),
  failureAccrual: optional(failureAccrual),
  failFast: optional(bool),
  socketOptions: optional(clientSocket),
  requestAttemptTimeoutMs: optional(limitMs),
  requeueBudget: optional(budget),
  connectTimeoutMs: optional(int(1)),
  bodyIdleTimeoutMs: optional(int(1)),
};

const keys = { ...clientKeys, forwardClientCert: optional(bool), ...notBuiltKeys['http client'] };

const entry = map(object({ prefix: required(pattern), ...keys }), ({ prefix, ...params }) => ({
  prefix,
  params,
}));

export const clientSection: Decoder<Section<ClientParams>> = kinds<Section<ClientParams>>(
  'client',
  {
    'io.l5d.global': map(object({ kind: ignored(string), ...keys }), (params) => [{ prefix: '/', params }]),
    'io.l5d.static': map(ofKind({ configs: required(list(entry)) }), ({ configs }) => configs),
  },
  'io.l5d.global',
);
