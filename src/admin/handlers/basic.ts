/** Pages that need nothing but the process: liveness, links, versions, the config. */
import { json, type Page, text } from '../page.ts';
import type { AdminSources } from '../sources.ts';

export function basicPages(sources: AdminSources): Page[] {
  const startWallMs = sources.clock.wallMs();
  const startMs = sources.clock.nowMs();
  const get = (path: string, answer: Page['answer']): Page => ({ path, methods: ['GET'], answer });
  return [
    { path: '/admin/ping', methods: 'any', answer: () => text(200, 'pong') },
    get('/livez', () => text(200, 'ok')),
    get('/readyz', () => {
      const reasons = sources.unready();
      return reasons.length === 0 ? text(200, 'ok') : text(503, `not ready:\n${reasons.join('\n')}\n`);
    }),
    get('/config.json', () => json(sources.config())),
    get('/admin/server_info', () => {
      const lines = Object.entries(sources.serverInfo).map(([key, value]) => `${key}: ${value}\n`);
      lines.push(`start_time: ${new Date(startWallMs).toISOString()}\n`);
      lines.push(`uptime_ms: ${Math.round(sources.clock.nowMs() - startMs)}\n`);
      return text(200, lines.join(''));
    }),
  ];
}

/** The lists of all pages, `own` included. */
export function indexPages(pages: readonly Page[]): Page[] {
  const own = ['/', '/admin', '/admin/index.txt'];
  const paths = [...pages.map((page) => page.path), ...own].sort();
  const list = text(200, paths.map((path) => `${path}\n`).join(''));
  const links = pages.filter((page) => page.methods === 'any' || page.methods.includes('GET'));
  const items = links
    .map((page) => `<li><a href="${relative(page.path)}">${escapeHtml(page.path)}</a></li>`)
    .sort();
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Turnout</title></head>
<body><h1>Turnout</h1><ul>
${items.join('\n')}
</ul></body></html>
`;
  return [
    {
      path: '/',
      methods: ['GET'],
      answer: () => ({ status: 200, type: 'text/html;charset=UTF-8', body: html }),
    },
    { path: '/admin', methods: ['GET'], answer: () => list },
    { path: '/admin/index.txt', methods: ['GET'], answer: () => list },
  ];
}

/** Links are relative, so that they work behind a proxy that adds a path in front. */
function relative(path: string): string {
  return escapeHtml(path.slice(1));
}

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
