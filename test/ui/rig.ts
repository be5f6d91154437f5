/** A running linker with its admin pages in a real browser, and what a user must never meet there. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { loadConfig } from '../../config/load.ts';
import { type Log, silentLog } from '../../src/base/log.ts';
import type { Linker } from '../../src/linker.ts';
import { reloadable } from '../../src/reloadable.ts';
import { start } from '../../src/start.ts';

const BROWSER = '/usr/bin/chromium';
export const skip = existsSync(BROWSER) ? false : `there is no ${BROWSER}`;

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export type Site = {
  readonly linker: Linker;
  readonly url: string;
  /** Replaces the addresses of a service. */
  point(service: string, ...addresses: string[]): void;
  call(host: string, headers?: Record<string, string>): Promise<number>;
  close(): Promise<void>;
};

export type SiteOptions = {
  readonly label?: string;
  /** By default the names of services lead to the files of a folder. */
  readonly dtab?: readonly string[];
  /** Free, or 0. */
  readonly adminPort?: number;
  /** More keys, each after a comma. */
  readonly admin?: string;
  /** What follows the router, more of its keys first. */
  readonly rest?: string;
  readonly log?: Log;
};

export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const { label = 'outgoing', dtab = ['/srv => /#/io.l5d.fs', '/svc => /srv'] } = options;
  const { adminPort = 0, admin = '', rest = '', log = silentLog } = options;
  const folder = mkdtempSync(join(tmpdir(), 'turnout-ui-'));
  const entries = dtab.map((entry) => `    ${entry};\n`).join('');
  const text = `admin: {port: ${adminPort}${admin}}
namers: [{kind: io.l5d.fs, rootDir: ${folder}}]
routers:
- protocol: http
  label: ${label}
  servers: [{port: 0}]
${entries === '' ? '' : `  dtab: |\n${entries}`}${rest}`;
  const started = await start(loadConfig(text, { source: 'linker.yaml' }), { threads: 1, log });
  assert.ok(started.ok, started.ok ? '' : started.errors.join('\n'));
  const { linker } = started;
  const reloads = reloadable(linker, { text, source: '<stdin>' }, silentLog);
  return {
    linker,
    url: `http://127.0.0.1:${linker.adminPort}/`,
    point: (service, ...addresses) => writeFileSync(join(folder, service), `${addresses.join('\n')}\n`),
    call: (host, headers = {}) => call(linker.ports[0]?.[0] ?? 0, host, headers),
    async close() {
      reloads.close();
      await linker.close(0);
      rmSync(folder, { recursive: true });
    },
  };
}

function call(port: number, host: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path: '/a?b=c', headers: { ...headers, host } },
      (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.once('error', reject).end();
  });
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
}

/** Fails when the page has written an error to the console that `expected` does not match. */
export async function withPage(
  browser: Browser,
  use: (page: Page) => Promise<void>,
  { expected = /^$/, ...options }: BrowserContextOptions & { expected?: RegExp } = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  // On a machine that is busy everything comes, but late.
  context.setDefaultTimeout(110_000);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !expected.test(message.text()))
      problems.push(message.text());
  });
  try {
    await use(page);
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
  }
}

/** In these colours: the contrast in each, everything else once. */
export async function assertAccessible(page: Page, all = ['light', 'dark']): Promise<void> {
  await page.evaluate(axe);
  for (const [i, colours] of all.entries()) {
    await page.evaluate(`document.documentElement.dataset.theme = '${colours}'`);
    const rules = i === 0 ? '' : `, runOnly: ['color-contrast']`;
    const found = await page.evaluate(`axe.run({ resultTypes: ['violations']${rules} })`);
    const { violations } = found as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(
      serious.map(({ id, nodes }) => `${colours}: ${id}: ${nodes[0]?.html}`),
      [],
    );
  }
}

/** Nothing is wider than the window. */
export async function assertFits(page: Page): Promise<void> {
  assert.ok(Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth')) <= 0);
}
