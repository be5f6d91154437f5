/** What names are known and where clients send to, as the other threads tell. */
import { ANSWER_LIMIT_MS, json, type Page, timedOut, within } from '../page.ts';
import type { AdminSources } from '../sources.ts';

export function statePages(sources: AdminSources): Page[] {
  const page = (path: string, ask: () => Promise<unknown>): Page => ({
    path,
    methods: ['GET'],
    async answer() {
      const value = await within(sources.clock, ANSWER_LIMIT_MS, ask());
      return value === undefined ? timedOut : json(value);
    },
  });
  return [
    page('/bound-names.json', () => sources.boundNames()),
    page('/client_state.json', () => sources.clientState()),
    page('/kubernetes.json', async () => sources.kubernetes()),
  ];
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
