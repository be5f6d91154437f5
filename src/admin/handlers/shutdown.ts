/** `POST /admin/shutdown`: answers, then begins the graceful end of the process. */
import { isLocalCaller } from '../local-caller.ts';
import { type AdminAnswer, type Page, text } from '../page.ts';
import type { AdminSources } from '../sources.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  nanosecond: 1e-6,
  microsecond: 1e-3,
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const TERM = /\s*([+-]?)\s*(\d{1,15})\.([a-z]+?)s?(?=$|[\s+-])/iy;
/** The longest time that a timer can wait. */
const GRACE_MS_MAX = 2 ** 31 - 1;

/** `10.seconds`, `1.minute+30.seconds`; undefined when it is not a duration, or a negative one. */
export function parseGrace(value: string): number | undefined {
  const trimmed = value.trim();
  if (trimmed === '') return undefined;
  let totalMs = 0;
  TERM.lastIndex = 0;
  for (let at = 0; at < trimmed.length; at = TERM.lastIndex) {
    const [, sign, count, unit = ''] = TERM.exec(trimmed) ?? [];
    const unitMs = UNIT_MS[unit.toLowerCase()];
    if (unitMs === undefined) return undefined;
    totalMs += (sign === '-' ? -1 : 1) * Number(count) * unitMs;
  }
  return totalMs < 0 ? undefined : Math.min(GRACE_MS_MAX, Math.ceil(totalMs));
}

/** `fromAnywhere`: callers that are not on loopback may end the process too. */
export function shutdownPage(sources: AdminSources, defaultGraceMs: number, fromAnywhere: boolean): Page {
  return {
    path: '/admin/shutdown',
    methods: ['POST'],
    answer(request): AdminAnswer {
      if (!fromAnywhere && !isLocalCaller(request)) {
        return text(403, 'only callers on loopback may do this, unless admin.security allows control\n');
      }
      const asked = request.query.get('grace');
      const graceMs = asked === null ? defaultGraceMs : parseGrace(asked);
      if (graceMs === undefined) {
        const shown = (asked ?? '').slice(0, 100);
        return text(400, `could not parse 'grace' parameter: ${shown} is not a valid duration`);
      }
      return { ...text(200, 'quitting\n'), sent: () => sources.shutdown(graceMs) };
    },
  };
}
