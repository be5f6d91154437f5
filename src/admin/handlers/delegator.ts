/**
 * `/delegator.json`: how a router resolves a path, step by step, with the dentry (and its place) behind each
 * step.
 */
import {
  type AdminAnswer,
  type AdminRequest,
  ANSWER_LIMIT_MS,
  type Page,
  text,
  timedOut,
  within,
} from '../page.ts';
import type { AdminSources } from '../sources.ts';
import { delegationJson } from './delegation-json.ts';

type Question = {
  readonly router: string | undefined;
  readonly dtab: string;
  readonly path: string;
  /** The router's own dtab comes before `dtab`, as it does for a request. */
  readonly withBase: boolean;
};

export function delegatorPage(sources: AdminSources): Page {
  return {
    path: '/delegator.json',
    methods: ['GET', 'POST'],
    async answer(request) {
      const question = request.method === 'POST' ? fromBody(request) : fromQuery(request.query);
      if ('status' in question) return question;
      return (await within(sources.clock, ANSWER_LIMIT_MS, explain(sources, question))) ?? timedOut;
    },
  };
}

async function explain(
  sources: AdminSources,
  { router, dtab, path, withBase }: Question,
): Promise<AdminAnswer> {
  const answer = await sources.delegate(router, dtab, path, withBase);
  switch (answer.type) {
    case 'bad-dtab':
      return text(400, `Invalid dtab: ${answer.message}`);
    case 'bad-path':
      return text(400, `Invalid path: ${answer.message}`);
    case 'cannot':
      return text(501, `Name Interpreter for ${router ?? ''} cannot show delegations`);
    case 'ok': {
      const tlsOf = (id: string) => (router === undefined ? undefined : sources.clientTls(router, id));
      const node = await delegationJson(answer.delegation, sources.clock, ANSWER_LIMIT_MS, tlsOf);
      return { status: 200, type: 'application/json', body: JSON.stringify(node) };
    }
  }
}

function fromQuery(query: URLSearchParams): Question | AdminAnswer {
  const path = query.get('path');
  if (path === null) return text(400, 'Invalid path: the parameter `path` is missing');
  return {
    router: query.get('namespace') ?? undefined,
    dtab: query.get('dtab') ?? '',
    path,
    withBase: /^(1|t|true)$/.test(query.get('base') ?? ''),
  };
}

function fromBody({ contentType, body }: AdminRequest): Question | AdminAnswer {
  if (contentType !== 'application/json') return text(415, 'Expected Content-Type: application/json');
  return fromJson(body) ?? text(400, `Malformed delegation request: ${body.slice(0, SHOWN_CHARS_MAX)}`);
}

const SHOWN_CHARS_MAX = 4096;

function fromJson(body: string): Question | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { namespace, dtab, path } = value as Record<string, unknown>;
  if (typeof dtab !== 'string' || typeof path !== 'string') return undefined;
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string') return undefined;
  return { router: namespace ?? undefined, dtab, path, withBase: false };
}
