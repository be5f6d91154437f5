import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { named, startApplication } from '../e2e/mesh.ts';
import { assertFits, openBrowser, skip, startSite, withPage } from './rig.ts';

const SERVICES = 2000;
const AT_ONCE = 20;
const cache = `  bindingCache: {paths: 3000, trees: 3000, bounds: 3000, clients: 3000}
`;

describe('The admin pages at their limits', { skip }, () => {
  let browser: Browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser.close());

  it('show 2,000 services, fifty of them at first, and find one', async () => {
    const [web, site] = [await startApplication(named('web')), await startSite(cache)];
    try {
      for (let i = 0; i < SERVICES; i++) site.point(`web-${i}`, `127.0.0.1 ${web.port}`);
      for (let i = 0; i < SERVICES; i += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, j) => site.call(`web-${i + j}`)));
      }
      await withPage(browser, async (page) => {
        await page.goto(site.url);
        const services = page.getByRole('region', { name: 'Services' });
        await services.getByText('2,000 services').waitFor();
        assert.equal(await services.locator('tbody tr').count(), 50);
        await page.getByRole('searchbox').fill('web-1999');
        await services.getByText('1 service').waitFor();
        await page.getByRole('searchbox').fill('');
        await services.getByRole('button', { name: 'Show all 2,000' }).click();
        await services.locator('tbody tr').nth(1999).waitFor();
        await assertFits(page);
      });
    } finally {
      await site.close();
      await web.close();
    }
  });

  it('live through a restart of the process', async () => {
    let site = await startSite();
    const { adminPort } = site.linker;
    const lost = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/;
    try {
      await withPage(
        browser,
        async (page) => {
          await page.goto(site.url);
          await page.getByText('ready').waitFor();
          await site.close();
          await page.getByText('The connection to the router is lost').waitFor();
          site = await startSite('', adminPort);
          await page.getByText('ready').waitFor();
          await page.getByText('The connection to the router is lost').waitFor({ state: 'detached' });
        },
        { expected: lost },
      );
    } finally {
      await site.close();
    }
  });
});
