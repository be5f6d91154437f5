/** Live answers: what runs, and requests as they finish. */
import { readWhere } from '../../telemetry/where.ts';
import { EVENTS_TYPE, type EventStreams, LINES_TYPE } from '../live/event-stream.ts';
import { Overview } from '../live/overview.ts';
import { TapStreams } from '../live/tap-streams.ts';
import { isLocalCaller } from '../local-caller.ts';
import { flag, headerOf, type Page, text } from '../page.ts';
import type { AdminSources } from '../sources.ts';

export function livePages(sources: AdminSources, streams: EventStreams): Page[] {
  const { clock, metrics, serverInfo } = sources;
  const startMs = clock.nowMs();
  const startTime = new Date(clock.wallMs()).toISOString();
  const info = () => ({
    ...serverInfo,
    startTime,
    uptimeMs: Math.round(clock.nowMs() - startMs),
    unready: sources.unready(),
    // Each that was tried has the number of the one that is in force since.
    generation: sources.generations()[0]?.generation,
  });
  const overview = new Overview({ clock, metrics, info });
  const taps = new TapStreams(sources.tap, clock);
  return [
    {
      path: '/admin/overview',
      methods: ['GET'],
      answer: () => streams.answer(EVENTS_TYPE, ':\n\n', (stream) => overview.join(stream)),
    },
    {
      path: '/admin/tap',
      methods: ['GET'],
      answer(request) {
        const { query } = request;
        const where = readWhere(query.get('where') ?? '');
        if (typeof where === 'string') return text(400, `where: ${where}`);
        const rate = Number(query.get('rate') ?? '1');
        if (!(rate > 0 && rate <= 1)) return text(400, 'rate: a number above 0 and up to 1');
        const headers = flag(query, 'headers');
        // They hold what callers prove themselves with.
        if (headers && !isLocalCaller(request)) return text(403, 'headers are for callers on loopback only');
        const question = { where, rate, headers };
        if (headerOf(request, 'accept').includes('text/event-stream')) {
          return streams.answer(EVENTS_TYPE, ':\n\n', (stream) => taps.join(stream, question, 'events'));
        }
        return streams.answer(LINES_TYPE, '\n', (stream) => taps.join(stream, question, 'lines'));
      },
    },
  ];
}
