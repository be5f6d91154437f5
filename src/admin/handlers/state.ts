/** What names are known and where clients send to, as the other threads tell. */
import type { Clock } from '../../base/clock.ts';
import { type AdminRequest, ANSWER_LIMIT_MS, json, type Page, timedOut, within } from '../page.ts';
import type { AdminSources, ClientState, ReceivedHead } from '../sources.ts';

/** Many pages that look at the same time ask the other threads once. */
const SHARED_MS = 1000;

export function statePages(sources: AdminSources): Page[] {
  const clients = shared(sources.clock, () => sources.clientState());
  const page = (path: string, ask: (request: AdminRequest) => Promise<unknown>): Page => ({
    path,
    methods: ['GET'],
    async answer(request) {
      const value = await within(sources.clock, ANSWER_LIMIT_MS, ask(request));
      return value === undefined ? timedOut : json(value);
    },
  });
  return [
    page('/bound-names.json', () => sources.boundNames()),
    page('/client_state.json', async ({ query }) => {
      const all = await clients();
      const ids = query.getAll('id');
      return ids.length === 0
        ? all
        : Object.fromEntries(ids.flatMap((id) => (all[id] ? [[id, all[id]]] : [])));
    }),
    ...[...new Set(sources.namers)].map((prefix) =>
      page(`/namer_state${prefix}.json`, () => namerState(sources, prefix, clients)),
    ),
    ...sources
      .routers()
      .flatMap(({ label, interpreter }) =>
        hasDtab(label, interpreter)
          ? [page(`/${label}/interpreter_state/${interpreter}.json`, () => sources.interpreterState(label))]
          : [],
      ),
    page('/kubernetes.json', async () => sources.kubernetes()),
    page('/certificates.json', () => sources.certificates()),
    page('/routers.json', async () => sources.routers()),
    page('/identify.json', async ({ query }) => sources.identify(describedHead(query))),
  ];
}

/** An interpreter of its own; in the path of a page other characters have a meaning. */
function hasDtab(label: string, interpreter: string): boolean {
  return interpreter !== 'default' && /^[\w.-]+$/.test(label);
}

/** What a namer lists, as far as it can, and what is in use of it. */
async function namerState(
  sources: AdminSources,
  prefix: string,
  clients: () => Promise<Readonly<Record<string, ClientState>>>,
): Promise<unknown> {
  const [names, states] = await Promise.all([sources.boundNames(), clients()]);
  const own = `/#${prefix}/`;
  return {
    names: names.filter((name) => name.startsWith(own)),
    bound: Object.fromEntries(Object.entries(states).filter(([id]) => id.includes(own))),
  };
}

/** The answer may be as old as SHARED_MS. */
function shared<T>(clock: Clock, ask: () => Promise<T>): () => Promise<T> {
  let latest: { readonly answer: Promise<T>; readonly atMs: number } | undefined;
  return () => {
    const nowMs = clock.nowMs();
    if (latest === undefined || nowMs - latest.atMs > SHARED_MS) latest = { answer: ask(), atMs: nowMs };
    return latest.answer;
  };
}

/** `method`, `target`, `host` and any number of `header=Name: value`. */
function describedHead(query: URLSearchParams): ReceivedHead {
  const headers = query.getAll('header').flatMap((line) => {
    const colon = line.indexOf(':');
    return colon === -1 ? [] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  const host = query.get('host');
  return {
    method: query.get('method') ?? 'GET',
    uri: query.get('target') ?? '/',
    version: '1.1',
    headers: host === null || host === '' ? headers : ['Host', host, ...headers],
  };
}

/**
 * The only page of the `httpIdentifierPort` listener: what each router would make of the request as received.
 */
export function identifierPage(sources: AdminSources): Page {
  return {
    path: '*',
    methods: 'any',
    answer: ({ method, uri, version, rawHeaders }) =>
      json(sources.identify({ method, uri, version, headers: rawHeaders })),
  };
}
