/**
 * A consistent list, page by page. The items are read one at a time, and those whose version is known already
 * are not read again.
 */
import type { Clock } from '../src/base/clock.ts';
import { Gone, parseObject, readObjects, refusal } from './answer.ts';
import { KubeFailure } from './api.ts';
import { objectOf, textOf } from './json-fields.ts';
import { JsonObjects, JsonProblem } from './json-objects.ts';
import { type KubeObject, keyOf, parseMeta } from './resources.ts';
import { collectionPath, type Selection, selectionPath, selectors } from './selection.ts';
import type { KubeTransport } from './transport.ts';

/** Objects of a page: what client-go asks for. */
const PAGE_OBJECTS = 500;
const PAGE_BYTES_MAX = 512 * 1024 * 1024;
/** Of one selection, over all pages. */
const OBJECTS_MAX = 500_000;
const PAGES_MAX = 10_000;

export type ListDeps = {
  readonly transport: KubeTransport;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** For the head of an answer, and between two pieces of it. */
  readonly idleMs: number;
};

export type Listed<T> = {
  readonly objects: ReadonlyMap<string, T>;
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
};

/** `known` are objects of an earlier time; those that have not changed are taken over as they are. */
export async function list<T extends KubeObject>(
  selection: Selection<T>,
  known: ReadonlyMap<string, T>,
  deps: ListDeps,
): Promise<Listed<T> | KubeFailure> {
  const paged = await listPages(selection, known, deps, PAGE_OBJECTS);
  if (!(paged instanceof Gone)) return paged;
  // The list changed faster than it was read: once more, in one piece, which cannot expire.
  const whole = await listPages(selection, known, deps, undefined);
  return whole instanceof Gone ? bad(selection, `410: ${whole.message}`) : whole;
}

async function listPages<T extends KubeObject>(
  selection: Selection<T>,
  known: ReadonlyMap<string, T>,
  deps: ListDeps,
  limit: number | undefined,
): Promise<Listed<T> | KubeFailure | Gone> {
  const objects = new Map<string, T>();
  let next = '';
  for (let pages = 1; pages <= PAGES_MAX; pages++) {
    const page = await readPage(selection, { limit, next, known, objects }, deps);
    if (page instanceof KubeFailure || page instanceof Gone) return page;
    if (page.next === '') return { objects, resourceVersion: page.resourceVersion };
    next = page.next;
  }
  return bad(selection, `it has more than ${PAGES_MAX} pages`);
}

type PageOptions<T> = {
  readonly limit: number | undefined;
  readonly next: string;
  readonly known: ReadonlyMap<string, T>;
  /** Filled. */
  readonly objects: Map<string, T>;
};

type Page = { readonly next: string; readonly resourceVersion: string };

async function readPage<T extends KubeObject>(
  selection: Selection<T>,
  page: PageOptions<T>,
  deps: ListDeps,
): Promise<Page | KubeFailure | Gone> {
  const query = selectors(selection);
  if (page.limit !== undefined) query.set('limit', String(page.limit));
  if (page.next !== '') query.set('continue', page.next);
  const answer = await deps.transport.get(`${collectionPath(selection)}?${query}`, {
    signal: deps.signal,
    headLimitMs: deps.idleMs,
  });
  if (answer instanceof KubeFailure) return answer;
  if (answer.status !== 200) {
    return refusal(answer, 'list', selection, { clock: deps.clock, limitMs: deps.idleMs });
  }

  let problem: string | undefined;
  const cut = new JsonObjects('list');
  const take = (text: string): void => {
    const object = parseObject(text);
    if (object instanceof JsonProblem) problem ??= object.message;
    else addTo(selection, page, object);
  };
  const broken = await readObjects(answer, cut, take, { ...deps, bytesMax: PAGE_BYTES_MAX });
  if (broken instanceof JsonProblem) return bad(selection, broken.message);
  if (broken !== undefined) {
    return new KubeFailure('unreachable', `${text(selection)} broke off: ${broken}`);
  }
  const envelope = parseObject(cut.end());
  if (envelope instanceof JsonProblem) problem ??= envelope.message;
  if (page.objects.size > OBJECTS_MAX) problem ??= `it has more than ${OBJECTS_MAX} objects`;
  if (problem !== undefined || envelope instanceof JsonProblem) return bad(selection, problem ?? '');
  const metadata = objectOf(envelope['metadata']);
  const resourceVersion = textOf(metadata['resourceVersion']);
  if (resourceVersion === undefined) return bad(selection, 'it has no metadata.resourceVersion');
  return { next: textOf(metadata['continue']) ?? '', resourceVersion };
}

function addTo<T extends KubeObject>(
  { resource }: Selection<T>,
  { known, objects }: PageOptions<T>,
  object: { readonly [key: string]: unknown },
): void {
  const meta = parseMeta(object);
  if (meta === undefined || objects.size > OBJECTS_MAX) return;
  const key = keyOf(meta);
  const old = known.get(key);
  const same =
    old !== undefined &&
    old.meta.resourceVersion === meta.resourceVersion &&
    old.meta.uid === meta.uid &&
    meta.resourceVersion !== '';
  objects.set(key, same ? old : resource.parse(meta, object));
}

const text = (selection: Selection<KubeObject>): string =>
  `the Kubernetes API's list of ${selectionPath(selection)}`;

const bad = (selection: Selection<KubeObject>, problem: string): KubeFailure =>
  new KubeFailure('bad-answer', `${text(selection)} cannot be used: ${problem}`);
