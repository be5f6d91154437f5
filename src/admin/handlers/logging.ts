/** `/logging.json`: how much is logged, changed at run time. */
import type { LogLevel } from '../../base/log.ts';
import { isLocalCaller } from '../local-caller.ts';
import { type AdminRequest, json, type Page, text } from '../page.ts';
import type { AdminSources } from '../sources.ts';

/** linkerd's ALL is our TRACE. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  ALL: 'TRACE',
  TRACE: 'TRACE',
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  WARNING: 'WARNING',
  ERROR: 'ERROR',
  CRITICAL: 'CRITICAL',
  FATAL: 'FATAL',
  OFF: 'OFF',
};

/** `fromAnywhere`: callers that are not on loopback may change it too. */
export function loggingPage({ log }: AdminSources, fromAnywhere: boolean): Page {
  return {
    path: '/logging.json',
    methods: ['GET', 'POST'],
    answer(request) {
      if (request.method === 'GET') {
        return json(log.level === undefined ? [] : [{ logger: 'root', level: log.level }]);
      }
      if (!fromAnywhere && !isLocalCaller(request)) {
        return text(403, 'only callers on loopback may do this, unless admin.security allows control\n');
      }
      const params = paramsOf(request);
      const [logger, level] = [params.get('logger'), params.get('level')];
      if (logger === null || level === null) return text(400, 'the parameters are logger and level');
      const wanted = LEVELS[level.toUpperCase()];
      // As in linkerd, what is unknown changes nothing and is no error.
      if (logger === 'root' && wanted !== undefined && log.level !== undefined) log.level = wanted;
      return { status: 200, body: '' };
    },
  };
}

/** Of the query, and of a form in the body. */
function paramsOf({ query, contentType, body }: AdminRequest): URLSearchParams {
  const form = contentType === 'application/x-www-form-urlencoded' ? body : '';
  return new URLSearchParams([...query, ...new URLSearchParams(form)]);
}
