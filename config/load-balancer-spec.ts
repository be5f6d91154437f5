/** `client.loadBalancer` and `client.failureAccrual`: who gets a request, and who gets none for a while. */
import { backoff } from './backoff-spec.ts';
import {
  bool,
  type Decoder,
  decimal,
  int,
  kinds,
  map,
  ofKind,
  optional,
  required,
  withDefault,
} from './decode.ts';
import type { AccrualSpec, LoadBalancerSpec } from './spec.ts';

const common = { enableProbation: withDefault(bool, false) };
const effort = { ...common, maxEffort: withDefault(int(1), 5) };
const LOAD_MAX = 1e9;

export const loadBalancer = kinds<LoadBalancerSpec>('load balancer', {
  p2c: map(ofKind(effort), (keys) => ({ kind: 'p2c', ...keys })),
  ewma: map(ofKind({ ...effort, decayTimeMs: withDefault(int(1), 10_000) }), (keys) => ({
    kind: 'ewma',
    ...keys,
  })),
  aperture: map(
    ofKind(
      {
        ...effort,
        smoothWindowMs: withDefault(int(1), 5000),
        lowLoad: withDefault(decimal(0, LOAD_MAX), 0.5),
        highLoad: withDefault(decimal(0, LOAD_MAX), 2),
        minAperture: withDefault(int(1), 1),
      },
      (value, { lowLoad = 0, highLoad = LOAD_MAX }, path, { diagnostics }) => {
        if (lowLoad < highLoad) return;
        const text = `'lowLoad' (${lowLoad}) must be below 'highLoad' (${highLoad})`;
        diagnostics.error('range', value.at, path, text);
      },
    ),
    (keys) => ({ kind: 'aperture', ...keys }),
  ),
  heap: map(ofKind(common), (keys) => ({ kind: 'heap', ...keys })),
  roundRobin: map(ofKind(effort), (keys) => ({ kind: 'roundRobin', ...keys })),
});

const pause = { backoff: optional(backoff) };
const successRate = required(decimal(0, 1));

export const failureAccrual: Decoder<AccrualSpec> = kinds<AccrualSpec>('failure accrual', {
  'io.l5d.consecutiveFailures': map(ofKind({ ...pause, failures: required(int(1)) }), (keys) => ({
    kind: 'io.l5d.consecutiveFailures',
    ...keys,
  })),
  'io.l5d.successRate': map(ofKind({ ...pause, successRate, requests: required(int(1)) }), (keys) => ({
    kind: 'io.l5d.successRate',
    ...keys,
  })),
  'io.l5d.successRateWindowed': map(
    ofKind({ ...pause, successRate, window: required(int(1)) }),
    ({ window, ...keys }) => ({ kind: 'io.l5d.successRateWindowed', windowMs: window * 1000, ...keys }),
  ),
  none: map(ofKind(pause), () => ({ kind: 'none' })),
});
