/** The recent requests, with the telemeter `io.l5d.recentRequests`: a table, and the stories as JSON. */
import type { StoryRecord } from '../../telemetry/tap.ts';
import { json, type Page } from '../page.ts';
import type { AdminSources } from '../sources.ts';

const HTML = 'text/html;charset=UTF-8';
const COLUMNS = [
  'Timestamp',
  'Source',
  'Server',
  'Router',
  'Logical Name',
  'Concrete Name',
  'Destination',
  'Status',
  'Latency',
];

export function requestsPages({ recent }: AdminSources): Page[] {
  if (recent === undefined) return [];
  return [
    {
      path: '/requests',
      methods: ['GET'],
      answer: () => ({ status: 200, type: HTML, body: table(recent.list()) }),
    },
    { path: '/requests.json', methods: ['GET'], answer: () => json(recent.list()) },
  ];
}

function table(stories: readonly StoryRecord[]): string {
  const head = COLUMNS.map((column) => `<th>${column}</th>`).join('');
  const rows = stories.map(({ time, peer, server, router, path, client, endpoint, status, latencyMs }) => {
    const cells = [time, peer, server, router, path, client, endpoint, status, `${latencyMs} ms`];
    return `<tr>${cells.map((cell) => `<td>${escaped(String(cell ?? ''))}</td>`).join('')}</tr>`;
  });
  return `<!doctype html><html lang="en"><title>Recent requests</title>
<table><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></html>\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
