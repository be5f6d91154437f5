/** One watch request: from a version on, every change, until the stream ends. */
import type { Clock } from '../src/base/clock.ts';
import { type Gone, parseObject, readObjects, refusal, refusalOf } from './answer.ts';
import { KubeFailure } from './api.ts';
import { type JsonObject, objectOf, textOf } from './json-fields.ts';
import { JsonObjects, JsonProblem } from './json-objects.ts';
import { type KubeMeta, type KubeObject, parseMeta } from './resources.ts';
import { collectionPath, type Selection, selectionPath, selectors } from './selection.ts';
import type { Answer, KubeTransport } from './transport.ts';

export type WatchDeps = {
  readonly transport: KubeTransport;
  readonly clock: Clock;
  /** Ends the watch; used here too. */
  readonly stop: AbortController;
  /** After which the server is to end the stream. */
  readonly seconds: number;
  /** How much later than that we cut it. */
  readonly graceMs: number;
  /** How long the server may take to accept it; some proxies pass nothing on before the first event. */
  readonly headLimitMs: number;
};

/** Called as the stream is read. */
export interface WatchSink {
  /** The server has accepted the watch. */
  opened(): void;
  changed(type: 'ADDED' | 'MODIFIED' | 'DELETED', meta: KubeMeta, object: JsonObject): void;
  /** All changes up to this version have been told. */
  bookmark(resourceVersion: string): void;
  /** Some bytes have been read, and the changes in them have been told. */
  heard(): void;
}

/** How a watch has ended: at its time, or because its version is too old, or by something that went wrong. */
export type WatchEnd = 'ended' | Gone | KubeFailure;

export async function watch(
  selection: Selection<KubeObject>,
  resourceVersion: string,
  sink: WatchSink,
  deps: WatchDeps,
): Promise<WatchEnd> {
  const query = selectors(selection);
  query.set('watch', 'true');
  query.set('resourceVersion', resourceVersion);
  query.set('allowWatchBookmarks', 'true');
  query.set('timeoutSeconds', String(deps.seconds));
  const limitMs = deps.seconds * 1000 + deps.graceMs;
  let late = false;
  const timer = deps.clock.after(limitMs, () => {
    late = true;
    deps.stop.abort();
  });
  try {
    const answer = await deps.transport.get(`${collectionPath(selection)}?${query}`, {
      signal: deps.stop.signal,
      headLimitMs: deps.headLimitMs,
    });
    const end = answer instanceof KubeFailure ? answer : await follow(answer, selection, sink, deps);
    if (late) return unreachable(selection, `it did not end after ${limitMs} ms as it was asked to`);
    return end;
  } finally {
    timer.close();
  }
}

async function follow(
  answer: Answer,
  selection: Selection<KubeObject>,
  sink: WatchSink,
  { clock, seconds, graceMs }: WatchDeps,
): Promise<WatchEnd> {
  if (answer.status !== 200) return refusal(answer, 'watch', selection, { clock, limitMs: graceMs });
  sink.opened();
  const cut = new JsonObjects('watch');
  let end: WatchEnd | undefined;
  const take = (text: string): void => {
    if (end !== undefined) return;
    end = tell(text, selection, sink);
    if (end !== undefined) answer.body.destroy();
  };
  const limits = { clock, idleMs: seconds * 1000 + graceMs, bytesMax: Number.POSITIVE_INFINITY };
  const broken = await readObjects(answer, cut, take, limits, () => sink.heard());
  if (end !== undefined) return end;
  if (broken instanceof JsonProblem) return bad(selection, broken.message);
  if (broken !== undefined) return unreachable(selection, broken);
  const rest = cut.end();
  return rest instanceof JsonProblem ? unreachable(selection, rest.message) : 'ended';
}

/** Tells one event; what ends the watch is returned. */
function tell(text: string, selection: Selection<KubeObject>, sink: WatchSink): WatchEnd | undefined {
  const event = parseObject(text);
  if (event instanceof JsonProblem) return bad(selection, event.message);
  const object = objectOf(event['object']);
  switch (event['type']) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const meta = parseMeta(object);
      if (meta === undefined) return bad(selection, 'an event has no object with a name');
      sink.changed(event['type'], meta, object);
      return undefined;
    }
    case 'BOOKMARK': {
      const version = textOf(objectOf(object['metadata'])['resourceVersion']);
      if (version !== undefined) sink.bookmark(version);
      return undefined;
    }
    case 'ERROR': {
      const code = typeof object['code'] === 'number' ? object['code'] : 500;
      return refusalOf(code, textOf(object['message']) ?? '', 'watch', selection);
    }
    default:
      // A later version of the API may have more to tell.
      return undefined;
  }
}

const unreachable = (selection: Selection<KubeObject>, problem: string): KubeFailure =>
  new KubeFailure('unreachable', `the watch of ${selectionPath(selection)} broke off: ${problem}`);

const bad = (selection: Selection<KubeObject>, problem: string): KubeFailure =>
  new KubeFailure('bad-answer', `the watch of ${selectionPath(selection)} cannot be used: ${problem}`);
