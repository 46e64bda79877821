import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestServer } from '../server/farm-server.ts';
import { describeInBrowser, startChromium } from '../support/chromium.ts';
import { openPhone, startFarm, visit } from '../support/paddock-app.ts';

/** Names of the paddocks that the page's database holds. */
const paddocksIn = (page: Page): Promise<string[]> =>
  page.evaluate(
    () =>
      new Promise((settle) => {
        const opening = indexedDB.open('sward');
        opening.onsuccess = () => {
          const reading = opening.result.transaction('paddocks').objectStore('paddocks').getAll();
          reading.onsuccess = () => {
            opening.result.close();
            settle(reading.result.map(({ name }: { name: string }) => name));
          };
        };
      }),
  );

describeInBrowser('a device whose access an owner ends', () => {
  let root: string;
  let farm: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sward-ended-'));
    [farm, browser] = await Promise.all([startFarm(root), startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('is told so, and shows and holds no more than what it had not sent, which is exported', async () => {
    const id = randomUUID();
    const hill = { id, name: 'Hill', boundary: null, hectares: 4 };
    await farm.ask(`/api/paddocks/${id}`, { method: 'PUT', body: hill });
    await using phone = await openPhone(browser, farm, { pairAs: 'recorder', estimates: false });
    await using desk = await openPhone(browser, farm, { pairAs: 'owner', estimates: false });
    const { page, context } = phone;
    await visit(page, 'paddocks');
    await page.getByText('Hill').waitFor();
    await context.setOffline(true);
    await page.getByLabel('New paddock').fill('Gully');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'Gully' }).waitFor();

    await visit(desk.page, 'devices');
    const item = desk.page.locator('.item', { hasText: 'phone of a recorder' });
    await item.getByRole('button', { name: 'End access' }).click();
    await item.getByText(/Until then it still shows what it had/).waitFor();
    await item.getByRole('button', { name: 'End access' }).click();
    await item.getByText(/access ended/).waitFor();
    await desk.page.locator('.item', { hasText: 'this device' }).getByText('phone of a owner').waitFor();

    // Offline it still has what it had; online it learns of it.
    expect((await paddocksIn(page)).sort()).toEqual(['Gully', 'Hill']);
    await context.setOffline(false);
    await page.getByText(/An owner has ended this device's access/).waitFor();
    await page.getByText(/1 thing it had not sent is still here/).waitFor();
    expect(await paddocksIn(page)).toEqual(['Gully']);
    await page.reload();
    await page.getByText(/An owner has ended this device's access/).waitFor();
    await visit(page, 'outbox');
    const [zip] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export as zip' }).click(),
    ]);
    expect(zip.suggestedFilename()).toMatch(/^sward-unsent-.*\.zip$/);
    if (process.env.SWARD_SCREENS) {
      await page.screenshot({ path: join(process.env.SWARD_SCREENS, 'ended-phone.png') });
      await desk.page.screenshot({ path: join(process.env.SWARD_SCREENS, 'ended-desk.png') });
    }
    await page.getByRole('button', { name: 'Understood' }).click();
    await page.getByText(/An owner has ended/).waitFor({ state: 'detached' });
  });

  it('is paired by a link that warns where no phone can open it', async () => {
    await using desk = await openPhone(browser, farm, { pairAs: 'owner', estimates: false });
    await visit(desk.page, 'devices');
    await desk.page.getByLabel('What it is called').fill('Ana');
    await desk.page.getByRole('button', { name: 'Make a link' }).click();
    await desk.page.getByText(/no phone can open it.*--public-url/).waitFor();
    // It is in the list as soon as it has come in, without anything being pressed.
    const link = await desk.page.locator('code').innerText();
    const code = link.split('#pair=')[1];
    await farm.ask('/api/devices/pair', { as: null, body: { code } });
    await desk.page.locator('.item', { hasText: 'Ana' }).waitFor();
    if (process.env.SWARD_SCREENS) {
      await desk.page.screenshot({ path: join(process.env.SWARD_SCREENS, 'pairing.png'), fullPage: true });
    }
  });
});
