/** What linkerd answers and this server has nothing for: 501, and the reason. No list of pages has it. */
import { type Page, text } from '../page.ts';

const ABSENT: Readonly<Record<string, string>> = {
  '/admin/announcer': 'There are no announcers: `announcers` in the configuration must be empty.',
  '/admin/contention': 'Threads share no locks that they could wait for; /admin/threads shows what they do.',
  '/admin/pprof/contention': 'Threads share no locks that they could wait for; see /admin/pprof/profile.',
  '/admin/metrics/usage': 'No usage data is collected: `usage` in the configuration is accepted and ignored.',
};

export function absentPages(): Page[] {
  return Object.entries(ABSENT).map(([path, why]) => ({
    path,
    methods: ['GET'],
    answer: () => text(501, `${why}\n`),
  }));
}
