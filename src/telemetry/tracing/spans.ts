/** From the story of a request to its spans: one of the server, and one of each attempt that was sent. */
import type { AttemptRecord, StoryRecord } from '../tap.ts';

export type Place = { readonly ip: string; readonly port: number };

export type Span = {
  /** 16 or 32 hexadecimal digits. */
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind: 'SERVER' | 'CLIENT';
  readonly name: string;
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly remote?: Place;
  readonly tags: Readonly<Record<string, string>>;
  readonly failed: boolean;
};

export function spansOf(story: StoryRecord): Span[] {
  const startUs = Date.parse(story.time) * 1000;
  const server: Span = {
    traceId: story.traceId,
    id: story.spanId,
    ...(story.parentId === undefined ? {} : { parentId: story.parentId }),
    kind: 'SERVER',
    name: story.path === undefined ? story.router : `${story.router} ${story.path}`,
    startUs,
    durationUs: microseconds(story.durationMs),
    ...remote(story.peer),
    tags: serverTags(story),
    failed: story.class === 'failure',
  };
  const sent = story.attempts.filter(({ spanId }) => spanId !== '');
  return [server, ...sent.map((attempt, i) => clientSpan(story, attempt, i, startUs))];
}

function clientSpan(story: StoryRecord, attempt: AttemptRecord, index: number, startUs: number): Span {
  const { client, endpoint, tls, atMs, ms, status, failure } = attempt;
  return {
    traceId: story.traceId,
    id: attempt.spanId,
    parentId: story.spanId,
    kind: 'CLIENT',
    name: `${story.method} ${pathOf(story.target)}`,
    startUs: startUs + microseconds(atMs),
    durationUs: microseconds(ms),
    ...remote(endpoint),
    tags: {
      client,
      'http.method': story.method,
      'http.uri': pathOf(story.target),
      'http.req.host': story.host,
      ...(tls === undefined ? {} : { tls: tls === '' ? 'unverified' : tls }),
      ...(status === undefined ? {} : { 'http.rsp.status': String(status) }),
      ...(failure === undefined ? {} : { 'l5d.failure': failure }),
      ...(index === 0 ? {} : { 'finagle.retry': String(index) }),
    },
    failed: failure !== undefined || (status ?? 0) >= 500,
  };
}

function serverTags(story: StoryRecord): Record<string, string> {
  const { router, method, target, host, status, path, dtab, client, failure } = story;
  return {
    'router.label': router,
    'http.method': method,
    'http.uri': pathOf(target),
    'http.req.host': host,
    'http.rsp.status': String(status),
    ...(path === undefined ? {} : { service: path }),
    ...(dtab === undefined ? {} : { 'dtab.local': dtab }),
    ...(client === undefined ? {} : { client }),
    ...(failure === undefined ? {} : { 'io.buoyant.router.Failure': failure }),
  };
}

/** A query may hold secrets, and is of no use for finding a trace. */
function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

function remote(peer: string): { remote?: Place } {
  const colon = peer.lastIndexOf(':');
  const port = Number(peer.slice(colon + 1));
  if (colon <= 0 || !Number.isInteger(port)) return {};
  return { remote: { ip: peer.slice(0, colon).replace(/^\[|\]$/g, ''), port } };
}

const microseconds = (ms: number): number => Math.round(ms * 1000);
