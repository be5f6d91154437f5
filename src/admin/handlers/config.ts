/** `POST /config`: a new configuration for the running process. `/config/generations.json`: those before. */
import type { Generation } from '../../reload.ts';
import { isLocalCaller } from '../local-caller.ts';
import { type AdminAnswer, flag, JSON_TYPE, json, type Page, text } from '../page.ts';
import type { AdminSources } from '../sources.ts';

const STATUS: Readonly<Record<Generation['outcome'], number>> = {
  started: 200,
  applied: 200,
  unchanged: 200,
  refused: 400,
  failed: 409,
};

export function configPages(sources: AdminSources, fromAnywhere: boolean): Page[] {
  return [
    { path: '/config/generations.json', methods: ['GET'], answer: () => json(sources.generations()) },
    {
      path: '/config',
      methods: ['POST'],
      async answer(request): Promise<AdminAnswer> {
        if (!fromAnywhere && !isLocalCaller(request)) {
          return text(403, 'only callers on loopback may do this, unless admin.reload.remote is true\n');
        }
        const body = request.body === '' ? undefined : request.body;
        const generation = await sources.reload(body, flag(request.query, 'dry-run'));
        if (typeof generation === 'string') return text(409, `${generation}\n`);
        const answer = `${JSON.stringify(generation, undefined, 2)}\n`;
        return { status: STATUS[generation.outcome], type: JSON_TYPE, body: answer };
      },
    },
  ];
}
