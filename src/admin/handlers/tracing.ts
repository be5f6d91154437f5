/** `GET /admin/tracing?enable=true|disable=true`: switches all tracing telemeters on or off. */
import { isLocalCaller } from '../local-caller.ts';
import { flag, type Page, text } from '../page.ts';
import type { AdminSources } from '../sources.ts';

export function tracingPage({ tap, log }: AdminSources): Page {
  return {
    path: '/admin/tracing',
    methods: ['GET'],
    answer(request) {
      const [enable, disable] = [flag(request.query, 'enable'), flag(request.query, 'disable')];
      if (enable === disable) {
        const now = tap.tracing ? 'enabled' : 'disabled';
        return text(
          200,
          `Could not figure out what to do: enable=true or disable=true. Tracing is ${now}.\n`,
        );
      }
      // It is a GET, as in linkerd, so that any web page could make a browser ask for it.
      const site = request.rawHeaders.findIndex((name, i) => i % 2 === 0 && /^sec-fetch-site$/i.test(name));
      if (!isLocalCaller(request) || request.rawHeaders[site + 1] === 'cross-site') {
        return text(403, 'only callers on loopback may switch tracing\n');
      }
      tap.tracing = enable;
      log.info(enable ? 'tracing is enabled' : 'tracing is disabled', { by: request.peer });
      return text(200, enable ? 'Enabled Finagle tracing\n' : 'Disabling Finagle tracing\n');
    },
  };
}
