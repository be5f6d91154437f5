/** What an attempt tells of the health of its endpoint. */
import type { Failure } from '../../src/base/failure.ts';
import type { ResponseClass } from '../classify/http.ts';
import type { Exchange } from '../exchange.ts';
import type { Endpoint } from './endpoint.ts';

const OURS: ReadonlySet<string> = new Set([
  'too-many-waiters',
  'no-descriptors',
  'binding-timeout',
  'marked-down',
]);

/** Tells the endpoint's accrual how the attempt went. */
export function judge(
  endpoint: Endpoint | undefined,
  exchange: Exchange,
  outcome: ResponseClass,
  nowMs: number,
): void {
  const accrual = endpoint?.accrual;
  if (accrual === undefined) return;
  if (outcome === 'success') accrual.success(exchange.attemptStartedMs, nowMs);
  else if (outcome === 'ignorable') accrual.ignored(exchange.probe);
  else accrual.failure(exchange.probe, nowMs);
}

/**
 * A limit of ours refused it, or an idle connection was closed just as it was used again.
 */
export function saysNothing({ staleSession }: Exchange, { kind }: Failure): boolean {
  return staleSession || OURS.has(kind);
}
