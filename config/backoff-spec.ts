/** Pauses between tries, and the budgets that limit how often there may be a try. */
import {
  bad,
  type Decoder,
  decimal,
  ignored,
  int,
  kinds,
  map,
  object,
  ofKind,
  optional,
  string,
  withDefault,
} from './decode.ts';
import type { BackoffSpec, BudgetSpec } from './spec.ts';
import { get } from './value.ts';

const constant = map(
  ofKind({ ms: withDefault(int(0), 0) }),
  ({ ms }): BackoffSpec => ({ kind: 'constant', ms }),
);

const jitteredKeys = object(
  { kind: ignored(string), minMs: optional(int(1)), maxMs: optional(int(1)) },
  (value, { minMs, maxMs }, path, { diagnostics }) => {
    for (const key of ['minMs', 'maxMs'] as const) {
      if (get(value, key) === undefined) {
        diagnostics.error('missing', value.at, path, `'${key}' must be specified`);
      }
    }
    if (minMs !== undefined && maxMs !== undefined && minMs > maxMs) {
      diagnostics.error('range', value.at, path, `'minMs' (${minMs}) is above 'maxMs' (${maxMs})`);
    }
  },
);

const jittered: Decoder<BackoffSpec> = (value, path, context) => {
  const decoded = jitteredKeys(value, path, context);
  if (decoded === bad || decoded.minMs === undefined || decoded.maxMs === undefined) return bad;
  return { kind: 'jittered', minMs: decoded.minMs, maxMs: decoded.maxMs };
};

export const backoff = kinds<BackoffSpec>('backoff', { constant, jittered });

export const budgetDefaults: BudgetSpec = { ttlMs: 10_000, minRetriesPerSec: 10, percentCanRetry: 0.2 };

export const budget = map(
  object({
    ttlSecs: withDefault(int(1, 60), 10),
    minRetriesPerSec: withDefault(int(0), budgetDefaults.minRetriesPerSec),
    percentCanRetry: withDefault(decimal(0, 1000), budgetDefaults.percentCanRetry),
  }),
  ({ ttlSecs, ...rest }): BudgetSpec => ({ ttlMs: ttlSecs * 1000, ...rest }),
);
