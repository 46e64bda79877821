import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Estimate } from '../../src/farm/index.ts';
import type { FarmRun } from '../../src/server/runs/library.ts';
import type { TestServer } from '../server/farm-server.ts';
import { describeInBrowser, startChromium } from '../support/chromium.ts';
import { farmLine } from '../support/farm-line.ts';
import {
  openPhone,
  type PhotoFile,
  photograph,
  photosOf,
  photosOn,
  ready,
  sha256Of,
  startFarm,
  visit,
} from '../support/paddock-app.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { trainSmallRun } from '../support/small-run.ts';
import { until } from '../support/until.ts';

describeInBrowser('the farm’s chosen run', () => {
  let root: string;
  let farm: TestServer;
  let browser: Browser;
  let photos: PhotoFile[];
  let plain: FarmRun;
  let cropped: FarmRun;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sward-chosen-'));
    [farm, browser, photos] = await Promise.all([startFarm(root), startChromium(), photosOf(root, 5, 600)]);
    const [data, cache] = [join(root, 'data'), sharedCache()];
    await writeSmallFolder(data, { photos: 18 });
    await trainSmallRun(data, join(root, 'plain'), cache);
    await trainSmallRun(data, join(root, 'cropped'), cache, 'descriptor-ridge', '--crop', '0.1,0.1,0.8,0.8');
    const { runs } = farm.server.farm;
    plain = await runs.addGiven(join(root, 'plain'));
    cropped = await runs.addGiven(join(root, 'cropped'));
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const choose = async (runId: string): Promise<void> => {
    await farm.ask('/api/farm', { method: 'PUT', body: { name: '', runId } });
    await until(async () => (await farm.json('/api/answering')).phone.kind !== 'making');
  };

  /** What the server says of a photo. */
  const saidOf = async ({ buffer }: PhotoFile): Promise<Estimate> => {
    const stored = await until(async () =>
      (await photosOn(farm)).find(({ sha256 }) => sha256 === sha256Of(buffer)),
    );
    return until(async () => (await farm.json(`/api/estimates?photoId=${stored.id}`)).items[0]?.estimate);
  };

  /** Figures of the answer that is shown. */
  const shown = (page: Page): Promise<string> =>
    page
      .locator('section.card', { has: page.locator('.figure') })
      .first()
      .innerText();
  const figure = ({ kgDmPerHa }: Estimate): string =>
    `${Math.round(kgDmPerHa.total ?? Number.NaN).toLocaleString('en-AU')} kg DM/ha`;

  it('answers without a network, after the starter did, and says what the server then says', async () => {
    const [first, second] = photos as [PhotoFile, PhotoFile];
    await using line = await farmLine(farm.server.address);
    await using phone = await openPhone(browser, farm, { pairAs: 'recorder', address: line.address });
    const { page } = phone;
    await ready(page);
    await photograph(page, first);
    await page.getByText('Modelled by run starter, not measured.').waitFor();
    await saidOf(first);

    await choose(plain.id);
    await page.reload();
    await visit(page, 'more');
    await page.getByText(/^plain: 18 photos of 6 visits/).waitFor();
    // The model of the starter makes room.
    await until(() =>
      page.evaluate(async () => {
        const models = (await caches.keys()).filter((name) => name.startsWith('sward /'));
        return models.length === 1 && !models[0]?.includes('starter');
      }),
    );
    line.down();
    await phone.context.setOffline(true);
    await page.reload();
    await visit(page, 'more');
    await page.getByText(/^plain: 18 photos of 6 visits/).waitFor();
    await photograph(page, second);
    await page.getByText('Modelled by run plain, not measured.').waitFor();
    const told = await shown(page);
    line.up();
    await phone.context.setOffline(false);
    const said = await saidOf(second);
    expect(said.run.hash).toBe(plain.hash);
    expect(told).toContain(figure(said));
    // What was answered before stays as it was said, and says by which.
    await visit(page, '');
    await page.locator('.list a').nth(1).click();
    await page.getByText("Modelled by run starter, not measured. The farm's run is plain now.").waitFor();
    expect(phone.complaints).toEqual([]);
  });

  it('is the server’s to evaluate where phones cannot: the photo is kept, and the server’s answer is shown', async () => {
    const [, , third, , fifth] = photos as [PhotoFile, PhotoFile, PhotoFile, PhotoFile, PhotoFile];
    await choose(cropped.id);
    await using line = await farmLine(farm.server.address);
    await using phone = await openPhone(browser, farm, { pairAs: 'recorder', address: line.address });
    const { page } = phone;
    const words = page.getByText(
      /The farm's run, cropped, is the server's to evaluate: the run was trained on photos that were cut \(crop\), which the app does not do\. Photos are kept/,
    );
    await words.waitFor();
    line.down();
    await phone.context.setOffline(true);
    await photograph(page, third);
    await page.getByText('Waits for the server’s estimate').waitFor();
    await words.waitFor();
    line.up();
    await phone.context.setOffline(false);
    const said = await saidOf(third);
    await page.getByText('Modelled by run cropped, not measured.').waitFor();
    expect(await shown(page)).toContain(figure(said));
    // Its errors are the server's to tell, so a visit has an interval all the same.
    await page.getByLabel('New paddock').fill('River flat');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('River flat, mean so far').waitFor();
    await photograph(page, fifth);
    await page.getByRole('button', { name: 'River flat' }).click();
    await page.getByText(/of 10 such visits/).waitFor();
  });

  it('is answered for by the run before while the new one cannot be fetched, and it is said which', async () => {
    const [, , , fourth] = photos as [PhotoFile, PhotoFile, PhotoFile, PhotoFile];
    await choose('starter');
    await using line = await farmLine(farm.server.address);
    await using phone = await openPhone(browser, farm, { pairAs: 'recorder', address: line.address });
    const { page } = phone;
    await ready(page);
    line.alter = (path) => (path.startsWith(`/models/${plain.hash}/`) ? Buffer.from('{}') : null);
    await choose(plain.id);
    await page.reload();
    await page.getByText("starter answers on this device until the farm's run, plain, is here.").waitFor();
    // The server’s own answer is kept away until the device’s has been seen.
    line.down();
    await photograph(page, fourth);
    await page.getByText("Modelled by run starter, not measured. The farm's run is plain now.").waitFor();
    line.up();
    // The server answers by the farm's run, which is then shown.
    await saidOf(fourth);
    await page.getByText('Modelled by run plain, not measured.').waitFor();
  });

  it('answers a TIFF and an AVIF on the server, which the phone says and shows', async () => {
    await choose('starter');
    await using line = await farmLine(farm.server.address);
    await using phone = await openPhone(browser, farm, { pairAs: 'recorder', address: line.address });
    const { page } = phone;
    await ready(page);
    const [first] = photos as [PhotoFile];
    for (const format of ['tiff', 'avif'] as const) {
      line.down();
      await phone.context.setOffline(true);
      const buffer = await sharp(first.buffer).resize(500).toFormat(format).toBuffer();
      const file = { name: `photo.${format}`, mimeType: `image/${format}`, buffer };
      await photograph(page, file);
      await page.getByText(/^Not estimated: .*let the server estimate it/).waitFor();
      await page.getByText('The photo is kept and sent all the same.').waitFor();
      line.up();
      await phone.context.setOffline(false);
      const said = await saidOf(file);
      await page.getByText('Modelled by run starter, not measured.').waitFor();
      expect(await shown(page), format).toContain(figure(said));
    }
  });

  it('has its report to be taken away, at a desk', async () => {
    await using desk = await openPhone(browser, farm, {
      pairAs: 'viewer',
      estimates: false,
      viewport: { width: 1280, height: 800 },
    });
    await visit(desk.page, 'runs');
    const link = desk.page.getByRole('link', { name: 'Download the report of plain' });
    const [download] = await Promise.all([desk.page.waitForEvent('download'), link.click()]);
    expect(download.suggestedFilename()).toBe('plain-report.html');
    expect(readFileSync(await download.path(), 'utf8')).toBe(
      readFileSync(join(root, 'plain', 'report.html'), 'utf8'),
    );
    expect(await desk.page.getByRole('link', { name: /report of starter/i }).count()).toBe(0);
  });
});
