import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { type Application, startApplication } from '../e2e/mesh.ts';
import { assertAccessible, assertFits, openBrowser, type Site, skip, startSite, withPage } from './rig.ts';

const PHONE = { viewport: { width: 390, height: 800 } };

describe('The admin pages', { skip }, () => {
  let browser: Browser;
  let site: Site;
  let web: Application;
  let traffic: NodeJS.Timeout;

  before(async () => {
    browser = await openBrowser();
    web = await startApplication((incoming, answer) => {
      answer.statusCode = incoming.headers['x-fail'] === undefined ? 200 : 500;
      answer.end('web');
    });
    site = await startSite();
    site.point('web', `127.0.0.1 ${web.port}`);
    site.point('web-v2', `127.0.0.1 ${web.port}`);
    traffic = setInterval(() => {
      for (const headers of [{}, {}, { 'x-fail': 'yes' }]) void site.call('web', headers);
      void site.call('absent');
    }, 50);
  });
  after(async () => {
    clearInterval(traffic);
    await browser.close();
    await site.close();
    await web.close();
  });

  it('take less than 250 KB of the network in all', () => {
    const folder = new URL('../../dist/ui/', import.meta.url);
    const bytes = readdirSync(folder).map((name) => gzipSync(readFileSync(new URL(name, folder))).length);
    const whole = bytes.reduce((sum, each) => sum + each, 0);
    assert.ok(bytes.length >= 3 && whole < 250 * 1024, `${whole} bytes`);
  });

  it('show the rates of routers, servers, services and clients, the troubled first', async () => {
    await withPage(browser, async (page) => {
      await page.goto(site.url);
      const services = page.getByRole('region', { name: 'Services' });
      await services.locator('tbody tr').nth(1).waitFor();
      // Failures of all requests stand above failures of some.
      await page.waitForFunction(
        `document.querySelector('[aria-labelledby=service-title] tbody tr')?.textContent.startsWith('/svc/absent')`,
      );
      await page.getByRole('cell', { name: '0%' }).first().waitFor();
      for (const name of ['Routers', 'Servers', 'Clients']) {
        assert.equal(await page.getByRole('region', { name, exact: false }).locator('tbody tr').count(), 1);
      }
      await page
        .locator('.tiles')
        .filter({ hasText: /Requests\/s\s*\d/ })
        .waitFor();
      await page.getByText('ready').waitFor();
      await page.getByRole('searchbox').fill('nothing-of-this-name');
      await services.getByText('Nothing of that name.').waitFor();
      await page.getByRole('searchbox').fill('web');
      await services.getByRole('link', { name: '/svc/web' }).click();
      await page.getByRole('region', { name: 'Now' }).waitFor();
      await page.goBack();
      await assertAccessible(page);
    });
  });

  it('show where a request goes and why, with the line of the config and the health of its endpoints', async () => {
    await withPage(browser, async (page) => {
      await page.goto(`${site.url}#/names`);
      await page.getByText('to see where it goes and why').waitFor();
      await page.getByLabel('Name or request').fill('GET http://web/a');
      await page.keyboard.press('Enter');
      await page.getByText('Identified as /svc/web').waitFor();
      const now = page.getByRole('region', { name: 'Now' });
      await now.getByText('/svc => /srv').waitFor();
      await now.getByText('linker.yaml line 9').waitFor();
      await now.getByText(`127.0.0.1:${web.port}`).waitFor();
      await now.getByText('healthy').waitFor();
      await now.getByText('plain text').waitFor();
      const dtab = page.getByLabel('Dtab', { exact: true });
      await dtab.fill(`${await dtab.inputValue()}\n/srv/web => 1 * /srv/web-v2 & 3 * /#/io.l5d.fs/web;`);
      const then = page.getByRole('region', { name: 'With the edited dtab' });
      await then.getByText('-25 points').waitFor();
      await then.getByText('new', { exact: true }).waitFor();
      await page.getByText('l5d-dtab: /srv/web => 1 * /srv/web-v2 & 3 * /#/io.l5d.fs/web').waitFor();
      await assertFits(page);
      await assertAccessible(page);
      // The header leads to the same.
      await page.getByText('Headers of the request').click();
      await page.getByLabel('Headers of the request, one a line').fill('l5d-dtab: /srv/web => /srv/web-v2');
      await page.getByRole('button', { name: 'Undo all' }).click();
      await page.getByRole('button', { name: 'Explain' }).click();
      await now.locator('.shares').getByText('/#/io.l5d.fs/web-v2').waitFor();
    });
  });

  it('say that a name is absent, and where a dtab cannot be read', async () => {
    await withPage(
      browser,
      async (page) => {
        await page.goto(`${site.url}#/names?q=/svc/absent`);
        const now = page.getByRole('region', { name: 'Now' });
        await now.getByText('absent by /io.l5d.fs').or(now.getByText('absent by /#/io.l5d.fs')).waitFor();
        await now.getByText('No traffic can go anywhere from here.').waitFor();
        await page.getByLabel('Dtab', { exact: true }).fill('/svc => ;');
        await page.getByText('Invalid dtab: dtab:1:9').waitFor();
        await assertAccessible(page);
      },
      // The browser's own line about the answer 400.
      { expected: /400 \(Bad Request\)/ },
    );
  });

  it('tap requests by conditions, and open one to its whole story', async () => {
    await withPage(
      browser,
      async (page) => {
        await page.goto(`${site.url}#/requests`);
        await page.getByLabel('Conditions').fill('status>=500 path=/svc/absent');
        await page.keyboard.press('Enter');
        const rows = page.getByRole('region', { name: 'Requests' }).locator('tbody tr');
        await rows.first().waitFor();
        await page.getByRole('button', { name: 'Clear' }).click();
        await rows.first().waitFor();
        await page.getByRole('button', { name: 'Pause' }).click();
        for (const text of await rows.allInnerTexts()) assert.match(text, /absent.*\s50\d/s);
        await assertAccessible(page);
        await rows.getByRole('button').first().click();
        const story = page.getByRole('dialog');
        await story.getByText('/svc/absent', { exact: true }).first().waitFor();
        await story.getByText('No endpoint was tried.').waitFor();
        await story.locator('.tree').getByText('/svc => /srv').waitFor();
        await assertAccessible(page);
        await page.keyboard.press('Escape');
        await story.waitFor({ state: 'detached' });
        await page.getByLabel('Conditions').fill('colour=red');
        await page.getByRole('button', { name: 'Go on' }).click();
        await page.getByRole('button', { name: 'Apply' }).click();
        await page.getByText('where: unknown field "colour"').waitFor();
      },
      { expected: /400 \(Bad Request\)/ },
    );
  });

  it('show what names are bound to, with the endpoints', async () => {
    await withPage(browser, async (page) => {
      await page.goto(`${site.url}#/discovery?client=${encodeURIComponent('/#/io.l5d.fs/web')}`);
      const client = page.getByRole('region', { name: '/#/io.l5d.fs/web', exact: true });
      await client.getByRole('row', { name: `127.0.0.1:${web.port} healthy` }).waitFor();
      await client.getByText(/router outgoing, plain text, told .* ago/).waitFor();
      await page.getByText('None: no namer in use reads from Kubernetes.').waitFor();
      await assertAccessible(page);
    });
  });

  it('show the configuration, and check another with its mistakes where they are', async () => {
    await withPage(
      browser,
      async (page) => {
        await page.goto(`${site.url}#/config`);
        await page.getByText('"label": "outgoing"').waitFor();
        await page.getByText('started').waitFor();
        const text = page.getByLabel('Configuration to check');
        await text.fill('admin: {port: 0}\nrouters:\n- protocol: http\n  servres: [{port: 0}]\n');
        await page.getByRole('button', { name: 'Check' }).click();
        await page.getByText('It cannot be used:').waitFor();
        assert.match(await page.getByRole('status').locator('pre').innerText(), /servres.*\^/s);
        await assertAccessible(page);
      },
      { expected: /400 \(Bad Request\)/ },
    );
  });

  it('show the other nodes, and open one through this', async () => {
    const peers = `{name: other, url: "${site.url.slice(0, -1)}"}, {name: dead, url: "http://127.0.0.1:1"}`;
    const looking = await startSite({ admin: `, fleet: {peers: [${peers}]}` });
    await withPage(browser, async (page) => {
      await page.goto(`${site.url}#/fleet`);
      await page.getByText('No other node is known').waitFor();
      await page.goto(`${looking.url}#/fleet`);
      await page.getByRole('row', { name: /^dead not reached/ }).waitFor();
      await assertAccessible(page);
      await page.getByRole('link', { name: 'other' }).click();
      await page.getByRole('region', { name: 'Services' }).getByText('/svc/absent').waitFor();
      assert.match(page.url(), /\/node\/other\/$/);
    });
    await looking.close();
  });

  it('fit a phone', async () => {
    await withPage(
      browser,
      async (page) => {
        for (const view of ['overview', 'names?q=/svc/web', 'requests', 'discovery', 'config', 'help']) {
          await page.goto(`${site.url}#/${view}`);
          await page.getByRole('heading', { level: 1 }).waitFor();
          await page.locator('tbody tr, .tree, .generations li, .plain li').first().waitFor();
          await assertFits(page);
        }
      },
      PHONE,
    );
  });

  it('are used with the keyboard alone, and keep the colours that were chosen', async () => {
    await withPage(browser, async (page) => {
      await page.goto(site.url);
      await page.getByRole('link', { name: 'Names' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Names' }).waitFor();
      await page.getByRole('button', { name: 'Switch to dark colours' }).focus();
      await page.keyboard.press('Enter');
      await page.reload();
      await page.getByRole('button', { name: 'Switch to light colours' }).waitFor();
      assert.equal(await page.evaluate('document.documentElement.dataset.theme'), 'dark');
    });
  });
});
