/** Lists and watches. What is refused is returned. */
import type { ServerResponse } from 'node:http';
import type { Closable } from '../../../src/base/closable.ts';
import type { Request } from './faults.ts';
import { apiVersion } from './kinds.ts';
import type { Route } from './route.ts';
import { fieldSelector, labelSelector, type Matches } from './selectors.ts';
import { type ApiState, sendJson } from './state.ts';
import { badRequest, expired, expiredContinue, type Status } from './status.ts';
import type { KubeJson } from './store.ts';
import { WatchStream } from './watch-stream.ts';

export function answerList(
  api: ApiState,
  route: Route,
  request: Request,
  response: ServerResponse,
): Status | undefined {
  const { kind, query } = route;
  const matches = matcher(route);
  if (typeof matches !== 'function') return matches;
  const token = query.get('continue') ?? '';
  const rest =
    token === ''
      ? { version: api.store.version, objects: api.store.list(kind).filter(matches) }
      : api.store.rest(token);
  if (rest === undefined) return expiredContinue();
  const limit = Number(query.get('limit') ?? 0) || rest.objects.length;
  const page = rest.objects.slice(0, limit);
  const left = rest.objects.slice(limit);
  const metadata: Record<string, unknown> = { resourceVersion: String(rest.version) };
  if (left.length > 0) {
    metadata['continue'] = api.store.keep({ version: rest.version, objects: left });
    // Counting what matches a selector would cost too much: the real server does not.
    if (!query.has('labelSelector') && !query.has('fieldSelector'))
      metadata['remainingItemCount'] = left.length;
  }
  const items = page.map(({ kind: _kind, apiVersion: _apiVersion, ...object }) => object);
  sendJson(
    api,
    response,
    { kind: `${kind.kind}List`, apiVersion: apiVersion(kind), metadata, items },
    request,
  );
  return undefined;
}

export function answerWatch(
  api: ApiState,
  route: Route,
  request: Request,
  response: ServerResponse,
): Status | undefined {
  const { kind, query } = route;
  const matches = matcher(route);
  if (typeof matches !== 'function') return matches;
  const text = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(text)) return badRequest(`invalid resource version: ${text}`);
  const version = Number(text);
  const missed = api.store.since(version);
  const initial = query.get('sendInitialEvents') === 'true' || version === 0;
  if (!initial && missed === undefined && api.goneAs === 'status') {
    return expired(version, api.store.oldest);
  }
  const bookmarks = query.get('allowWatchBookmarks') === 'true';
  const stream = new WatchStream(response, { kind, matches, bookmarks, request, faults: api.faults });
  api.streams.add(stream);
  if (initial) {
    for (const object of api.store.list(kind).filter(matches)) stream.added(object);
    if (query.get('sendInitialEvents') === 'true') stream.bookmark(api.store.version, true);
  } else if (missed === undefined) {
    stream.error(expired(version, api.store.oldest));
  } else {
    for (const change of missed) stream.change(change);
  }
  endInTime(api, stream, Number(query.get('timeoutSeconds') ?? 0), response);
  return undefined;
}

function endInTime(api: ApiState, stream: WatchStream, seconds: number, response: ServerResponse): void {
  const timers: Closable[] = [];
  if (seconds > 0) {
    const { clock, store } = api;
    timers.push(clock.after(Math.max(0, seconds - 2) * 1000, () => stream.bookmark(store.version)));
    timers.push(clock.after(seconds * 1000, () => stream.end()));
  }
  response.on('close', () => {
    api.streams.delete(stream);
    for (const timer of timers) timer.close();
  });
}

function matcher({ namespace, query }: Route): Matches | Status {
  const labels = query.get('labelSelector') ?? '';
  const byLabel = labelSelector(labels);
  if (byLabel === undefined) return badRequest(`unable to parse requirement: ${labels}`);
  const fields = query.get('fieldSelector') ?? '';
  const byField = fieldSelector(fields);
  if (byField === undefined) return badRequest(`field label not supported: ${fields}`);
  return (object: KubeJson) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    byLabel(object) &&
    byField(object);
}
