/** How long a connection of a caller may last: `serverSession` of the configuration. */
import type { ServerSpec } from '../../config/spec.ts';

/** How long a caller that has just been active may take for one more request while the listener drains. */
export const LAST_REQUEST_MS = 1000;

/** When its life is over, whatever it does; Infinity for never. */
export function endsAtMs({ lifeTimeMs }: ServerSpec, openedMs: number): number {
  return lifeTimeMs === undefined ? Number.POSITIVE_INFINITY : openedMs + lifeTimeMs;
}

/** When it is closed if nothing comes from now on. */
export function idleEndsAtMs(spec: ServerSpec, openedMs: number, nowMs: number): number {
  return Math.min(nowMs + spec.idleTimeMs, Math.max(nowMs, endsAtMs(spec, openedMs)));
}
