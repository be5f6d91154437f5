import type { Exchange } from '../exchange.ts';

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * The endpoint closed an idle connection just as it was used again: nothing may have been done with the
 * request.
 */
export function mayBeResent({ staleSession, resent, replayable, head }: Exchange): boolean {
  return staleSession && !resent && replayable && IDEMPOTENT.has(head.method);
}
