/**
 * Each view in each state that it can meet: traffic, nothing at all, two thousand services, and a process
 * that is restarted while it is looked at. Nowhere an error in the console, nowhere anything that is wider
 * than the window or that a reader of the screen cannot use.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { systemClock } from '../../src/base/clock.ts';
import { CertificateAuthority } from '../../src/certs.ts';
import { JsonLog } from '../../src/json-log.ts';
import { type Application, named, startApplication } from '../e2e/mesh.ts';
import {
  assertAccessible,
  assertFits,
  openBrowser,
  type Site,
  type SiteOptions,
  skip,
  startSite,
  withPage,
} from './rig.ts';

const SERVICES = 2000;
const NODES = 100;
const AT_ONCE = 20;

/** What a view shows; `empty` and `restarted` name what must be there then and at no other time. */
type View = {
  readonly hash: string;
  readonly busy: (page: Page) => Promise<void>;
  readonly empty: (page: Page) => Promise<void>;
  readonly many: (page: Page) => Promise<void>;
  readonly restarted: (page: Page) => Promise<void>;
};

const text =
  (...texts: (string | RegExp)[]) =>
  async (page: Page): Promise<void> => {
    for (const each of texts) await page.getByText(each).first().waitFor();
  };
const row =
  (name: string | RegExp) =>
  (page: Page): Promise<void> =>
    page.getByRole('row', { name }).first().waitFor();

const views: Record<string, View> = {
  Overview: {
    hash: 'overview',
    busy: row(/^\/svc\/web outgoing/),
    empty: text('A service appears with its first request.', 'A client appears with its first request.'),
    many: async (page) => {
      const services = page.getByRole('region', { name: 'Services' });
      await services.getByText('2,000 services').waitFor();
      assert.equal(await services.locator('tbody tr').count(), 50);
      await page.getByRole('searchbox').fill('web-1999');
      await services.getByText('1 service').waitFor();
      await page.getByRole('searchbox').fill('');
      await services.getByRole('button', { name: 'Show 200 more of 2,000' }).click();
      await services.locator('tbody tr').nth(249).waitFor();
      await services.getByRole('button', { name: 'Show the first 50' }).click();
      await services.locator('tbody tr').nth(50).waitFor({ state: 'detached' });
    },
    restarted: row(/^\/svc\/web renamed/),
  },
  Names: {
    hash: 'names?q=/svc/web',
    busy: text('healthy', 'linker.yaml line 9'),
    empty: text('No traffic can go anywhere from here.', 'The configuration has no dtab.'),
    many: async (page) => {
      await page.getByLabel('Name or request').fill('GET http://web-1999/');
      await page.keyboard.press('Enter');
      await text('Identified as /svc/web-1999', 'healthy', 'Lines 8 to 2008 of the configuration.')(page);
    },
    restarted: text('Dtab of renamed', '/svc => /#/io.l5d.fs', 'healthy'),
  },
  Requests: {
    hash: 'requests',
    busy: row(/^GET web\/a\?b=c outgoing 200/),
    empty: text('Waiting for requests.'),
    many: row(/^GET web-\d+\/a\?b=c outgoing 200/),
    restarted: row(/^GET web\/a\?b=c renamed 200/),
  },
  Discovery: {
    hash: 'discovery',
    busy: text('/#/io.l5d.fs/web', /router outgoing, plain text, told/),
    empty: text('A name is bound with its first request.', 'None: no namer in use reads from Kubernetes.'),
    many: text('2,000 bound names', 'The first 50 are shown; the filter finds the others.'),
    restarted: text(/router renamed, plain text, told/),
  },
  Certificates: {
    hash: 'certificates',
    busy: row(/first.*days left/),
    empty: text('The configuration names no certificates: nothing is encrypted here.'),
    many: text('The configuration names no certificates: nothing is encrypted here.'),
    restarted: row(/second.*days left/),
  },
  Config: {
    hash: 'config',
    busy: text('"label": "outgoing"', 'by start,'),
    empty: text('"label": "outgoing"', 'by start,'),
    many: text('/svc/web-1999'),
    restarted: text('"label": "renamed"'),
  },
  Logs: {
    hash: 'logs',
    busy: (page) => page.getByRole('button', { name: 'INFO', pressed: true }).waitFor(),
    empty: text('This process writes no log.'),
    many: text('This process writes no log.'),
    restarted: (page) => page.getByRole('button', { name: 'DEBUG', pressed: true }).waitFor(),
  },
  Fleet: {
    hash: 'fleet',
    busy: row(/^dead not reached/),
    empty: text('No other node is known'),
    many: async (page) => {
      await text(`${NODES} nodes`)(page);
      assert.equal(await page.locator('tbody tr').count(), NODES);
    },
    restarted: row(/^gone not reached/),
  },
  Help: {
    hash: 'help',
    busy: (page) => page.getByRole('link', { name: '/admin/metrics.json' }).waitFor(),
    empty: (page) => page.getByRole('link', { name: '/admin/metrics.json' }).waitFor(),
    many: (page) => page.getByRole('link', { name: '/admin/metrics.json' }).waitFor(),
    restarted: (page) => page.getByRole('link', { name: '/admin/metrics.json' }).waitFor(),
  },
};

/** Requests to these hosts in turn, until it is called. */
function callAgainAndAgain(site: () => Site, hosts: readonly string[]): () => void {
  let next = 0;
  const timer = setInterval(() => {
    const host = hosts[next++ % hosts.length] ?? '';
    site()
      .call(host)
      .catch(() => {});
  }, 100);
  return () => clearInterval(timer);
}

const dead = (name: string): string => `{name: ${name}, url: "http://127.0.0.1:1"}`;

describe('Each view', { skip }, () => {
  let browser: Browser;
  let web: Application;
  let folder: string;
  const logAt = (level: 'INFO' | 'DEBUG') =>
    new JsonLog({ clock: systemClock, stream: new PassThrough().resume(), level });

  before(async () => {
    [browser, web] = await Promise.all([openBrowser(), startApplication(named('web'))]);
    folder = mkdtempSync(join(tmpdir(), 'turnout-ui-certs-'));
    for (const name of ['first', 'second']) {
      const authority = await CertificateAuthority.create({ commonName: name });
      const { certPem, keyPem } = await authority.issue({ commonName: name, dnsNames: [name] });
      writeFileSync(join(folder, `${name}.pem`), certPem);
      writeFileSync(join(folder, `${name}.key`), keyPem);
    }
  });
  after(async () => {
    await Promise.all([browser.close(), web.close()]);
    rmSync(folder, { recursive: true });
  });

  /** With another router that has this certificate, and another node that does not answer. */
  const busy = (certificate: string, node: string): SiteOptions => ({
    admin: `, fleet: {peers: [${dead(node)}]}`,
    rest: `- protocol: http
  label: incoming
  servers: [{port: 0, tls: {certPath: ${folder}/${certificate}.pem, keyPath: ${folder}/${certificate}.key}}]
  dtab: /svc => /#/io.l5d.fs
`,
  });

  async function startBusy(options: SiteOptions): Promise<Site> {
    const site = await startSite(options);
    site.point('web', `127.0.0.1 ${web.port}`);
    return site;
  }

  describe('with traffic', () => {
    let site: Site;
    let stop: () => void;
    before(async () => {
      site = await startBusy({ ...busy('first', 'dead'), log: logAt('INFO') });
      stop = callAgainAndAgain(() => site, ['web', 'absent']);
    });
    after(async () => {
      stop();
      await site.close();
    });
    each('shows what there is', () => site, 'busy', ['light', 'dark']);
  });

  describe('without any', () => {
    let site: Site;
    before(async () => {
      site = await startSite({ dtab: [] });
    });
    after(() => site.close());
    each('says what is going to be there', () => site, 'empty', ['dark']);
  });

  describe('with 2,000 services', () => {
    let site: Site;
    let stop: () => void;
    before(async () => {
      const hosts = Array.from({ length: SERVICES }, (_, i) => `web-${i}`);
      site = await startSite({
        dtab: ['/svc => /#/io.l5d.fs', ...hosts.map((host) => `/svc/${host} => /#/io.l5d.fs/${host}`)],
        admin: `, fleet: {peers: [${Array.from({ length: NODES }, (_, i) => dead(`node-${i}`)).join(', ')}]}`,
        rest: '  bindingCache: {paths: 3000, trees: 3000, bounds: 3000, clients: 3000}\n',
      });
      for (const host of hosts) site.point(host, `127.0.0.1 ${web.port}`);
      for (let i = 0; i < SERVICES; i += AT_ONCE) {
        await Promise.all(hosts.slice(i, i + AT_ONCE).map((host) => site.call(host)));
      }
      stop = callAgainAndAgain(() => site, hosts);
    });
    after(async () => {
      stop();
      await site.close();
    });
    each('shows the first of them and finds the others', () => site, 'many', ['light']);
  });

  function each(does: string, site: () => Site, state: 'busy' | 'empty' | 'many', colours: string[]): void {
    for (const [name, view] of Object.entries(views)) {
      it(`${does}: ${name}`, async () => {
        await withPage(browser, async (page) => {
          await page.goto(`${site().url}#/${view.hash}`);
          await view[state](page);
          await page.getByRole('heading', { level: 1, name }).waitFor();
          await assertFits(page);
          await assertAccessible(page, colours);
        });
      });
    }
  }

  it('says that the connection is lost while the process restarts, and then shows the new one', {
    // Nine pages at once.
    timeout: 300_000,
  }, async () => {
    let site = await startBusy({ ...busy('first', 'dead'), log: logAt('INFO') });
    const { adminPort } = site.linker;
    const stop = callAgainAndAgain(() => site, ['web']);
    const lost = /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED|EMPTY_RESPONSE)|503 \(Service/;
    const banner = (page: Page) => page.getByText('The connection to the router is lost');
    let looking = 0;
    let restarting: (() => void) | undefined;
    const allLook = new Promise<void>((resolve) => {
      restarting = resolve;
    });
    const look = ({ hash, busy: before, restarted }: View) =>
      withPage(
        browser,
        async (page) => {
          await page.goto(`${site.url}#/${hash}`);
          await before(page);
          if (++looking === Object.keys(views).length) restarting?.();
          await banner(page).waitFor();
          await banner(page).waitFor({ state: 'detached' });
          await restarted(page);
          await page.locator('.state').getByText('ready', { exact: true }).waitFor();
          await assertFits(page);
        },
        { expected: lost },
      );
    try {
      const pages = Promise.all(Object.values(views).map(look));
      await Promise.race([allLook, pages]);
      await site.close();
      site = await startBusy({
        ...busy('second', 'gone'),
        label: 'renamed',
        dtab: ['/svc => /#/io.l5d.fs'],
        adminPort,
        log: logAt('DEBUG'),
      });
      await pages;
    } finally {
      stop();
      await site.close();
    }
  });
});
