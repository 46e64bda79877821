import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordOf, type TestServer, upload } from '../server/farm-server.ts';
import { violationsOf } from '../support/axe.ts';
import { describeInBrowser, startChromium } from '../support/chromium.ts';
import { openPhone, photosOf, startFarm, visit } from '../support/paddock-app.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { trainMappingRun } from '../support/small-run.ts';
import { until } from '../support/until.ts';

const PICTURES = process.env.SWARD_SCREENS;

describeInBrowser('where the mass is', () => {
  let root: string;
  let farm: TestServer;
  let browser: Browser;
  let id: string;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sward-maps-'));
    [farm, browser] = await Promise.all([startFarm(root), startChromium()]);
    await writeSmallFolder(join(root, 'data'), { photos: 12 });
    await trainMappingRun(join(root, 'data'), root, join(root, 'cache'));
    const [photo] = await photosOf(root, 1, 900);
    if (!photo) throw new Error('no photo');
    const record = recordOf(photo.buffer);
    ({ id } = record);
    await upload(farm, record, photo.buffer);
    await until(async () => (await farm.json('/api/estimates')).items.length === 1);
    if (PICTURES) mkdirSync(PICTURES, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const button = (page: Page) => page.getByRole('button', { name: 'Where the mass is' });
  const drawn = (page: Page) => page.getByAltText(/^Where the mass is in the frame/);

  it('is not spoken of where the run makes no maps', async () => {
    await using phone = await openPhone(browser, farm, { pairAs: 'owner', estimates: false });
    await visit(phone.page, `photo/${id}`);
    await phone.page.getByText('Modelled by run starter').waitFor();
    await visit(phone.page, 'photos');
    await phone.page.getByText('1 photo', { exact: true }).waitFor();
    expect(await phone.page.getByText(/where the mass/i).count()).toBe(0);
  });

  it('is shown over a photo, and over all at a desk, with its scale', async () => {
    const { runs } = farm.server.farm;
    const mapping = await runs.addGiven(join(root, 'mapping'));
    await farm.ask('/api/farm', { method: 'PUT', body: { name: '', runId: mapping.id } });
    await farm.ask('/api/jobs', {
      body: { id: crypto.randomUUID(), request: { kind: 're-estimate', runId: mapping.id } },
    });
    await until(async () => (await farm.json('/api/estimates')).items.length === 2);
    await until(async () => (await farm.json('/api/answering')).maps);
    // As high as what is on it: what the bar at the foot covers would count as too small to touch.
    for (const [name, options] of Object.entries({
      'phone-by-day': { viewport: { width: 390, height: 1900 } },
      'desk-by-night': { viewport: { width: 1280, height: 1100 }, colorScheme: 'dark' },
    } as const)) {
      await using phone = await openPhone(browser, farm, { pairAs: 'owner', estimates: false, ...options });
      const { page } = phone;
      await visit(page, `photo/${id}`);
      await page.getByText('Modelled by run mapping').waitFor();
      await button(page).click();
      await drawn(page).waitFor();
      await page
        .getByText(/^[\d,.]+ kg DM\/ha$/, { exact: true })
        .first()
        .waitFor();
      expect(await drawn(page).evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(700);
      expect(await violationsOf(page)).toEqual([]);
      if (PICTURES) await page.screenshot({ path: join(PICTURES, `map-${name}.png`), fullPage: true });
      await button(page).click();
      await page.getByAltText(/^Frame photographed/).waitFor();
      await visit(page, 'photos');
      await button(page).click();
      await drawn(page).waitFor();
      expect(await violationsOf(page)).toEqual([]);
      if (PICTURES) await page.screenshot({ path: join(PICTURES, `maps-${name}.png`), fullPage: true });
      // Without a network it is said, and the photo stays to be seen.
      await phone.context.setOffline(true);
      await visit(page, `photo/${id}`);
      await button(page).click();
      await page.getByText(/^No map: /).waitFor();
      expect(phone.complaints).toEqual([]);
    }
  });
});
