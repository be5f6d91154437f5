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
    get('/admin/registry.json', () => json(registry(sources))),
    get('/admin/server_info', () => {
      const lines = Object.entries(sources.serverInfo).map(([key, value]) => `${key}: ${value}\n`);
      lines.push(`start_time: ${new Date(startWallMs).toISOString()}\n`);
      lines.push(`uptime_ms: ${Math.round(sources.clock.nowMs() - startMs)}\n`);
      return text(200, lines.join(''));
    }),
  ];
}

/** What the process was started with. Of its environment only the names: values may be secrets. */
function registry({ serverInfo }: AdminSources): unknown {
  const { pid, platform, arch, argv, execArgv, versions, env } = process;
  return {
    registry: { ...serverInfo, pid, platform, arch, argv, execArgv, versions, env: Object.keys(env).sort() },
  };
}

/** The lists of all pages, `own` included. */
export function indexPages(pages: readonly Page[]): Page[] {
  const own = ['/admin', '/admin/index.txt'];
  const list = text(
    200,
    [...pages.map((page) => page.path), ...own]
      .sort()
      .map((path) => `${path}\n`)
      .join(''),
  );
  return own.map((path) => ({ path, methods: ['GET'], answer: () => list }));
}
