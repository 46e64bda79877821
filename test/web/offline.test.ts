import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { effortAdvice } from '../../src/farm/index.ts';
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
import { until } from '../support/until.ts';

const RIVER = { longitude: 149.5, latitude: -33.4, accuracy: 6 };

describeInBrowser('a phone in a paddock without a network', () => {
  let root: string;
  let farm: TestServer;
  let browser: Browser;
  let photos: PhotoFile[];
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sward-offline-'));
    [farm, browser, photos] = await Promise.all([startFarm(root), startChromium(), photosOf(root, 30, 500)]);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('keeps 30 photos through a killed page and sends each once, over a line that is cut twice', async () => {
    await using line = await farmLine(farm.server.address);
    await using phone = await openPhone(browser, farm, {
      pairAs: 'recorder',
      position: RIVER,
      address: line.address,
    });
    const { page, context } = phone;
    await ready(page);
    line.down();
    await context.setOffline(true);

    const [first, ...others] = photos;
    if (!first) throw new Error('no photos');
    await photograph(page, first);
    await page.getByText('kg DM/ha').first().waitFor();
    await page.getByLabel('New paddock').fill('River flat');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('River flat, mean so far').waitFor();
    await visit(page, '');
    await page.locator('input[type=file]:not([capture])').setInputFiles(others);
    await visit(page, 'outbox');
    await page.getByText('30 photos: 0 on the server, 30 only here.').waitFor();
    await page.close();

    const again = await context.newPage();
    await again.goto(`${line.address}/#/outbox`);
    await again.getByText('30 photos: 0 on the server, 30 only here.').waitFor();
    await visit(again, 'paddocks');
    await again.getByText('River flat').first().waitFor();
    // What the shell goes without is there, too: maps and the engine.
    await again.locator('.leaflet-container').waitFor();
    await ready(again);
    await visit(again, 'more');
    await again.getByText('Opens without a network.').waitFor();
    await again.getByRole('heading', { name: 'The run on this device' }).waitFor();

    line.cutAfter(40_000, 2);
    line.up();
    await context.setOffline(false);
    await visit(again, 'outbox');
    await again.getByText('30 photos: 30 on the server, 0 only here.').waitFor();
    await again.getByText('Nothing waits.').waitFor();
    expect(line.cuts).toBe(2);
    const stored = await photosOn(farm);
    expect(stored.map(({ sha256 }) => sha256).sort()).toEqual(
      photos.map(({ buffer }) => sha256Of(buffer)).sort(),
    );
    expect((await farm.json('/api/paddocks')).items).toHaveLength(1);
    expect((await farm.json('/api/visits')).items).toHaveLength(1);
    expect(phone.complaints).toEqual([]);
  });

  it('estimates what the server then estimates, and says the same of the paddock', async () => {
    await using phone = await openPhone(browser, farm, { pairAs: 'recorder' });
    await ready(phone.page);
    const [paddock] = (await farm.json('/api/paddocks')).items;
    const [walk] = (await farm.json('/api/visits')).items;
    const placed = (await photosOn(farm)).filter(({ visitId }) => visitId === null).slice(0, 4);
    for (const { storedAt: _, file: __, ...record } of placed as never as Record<string, unknown>[]) {
      await farm.ask(`/api/photos/${record.id}`, { method: 'PUT', body: { ...record, visitId: walk.id } });
    }
    const summary = await until(async () => {
      const said = await farm.json(`/api/visits/${walk.id}/summary`);
      return said.pending === 0 && said.photos === 5 && said;
    });
    await phone.page.reload();
    await ready(phone.page);
    await visit(phone.page, `visit/${walk.id}`);
    await phone.page.getByRole('heading', { name: '5 photos' }).waitFor();
    const { mean, interval, from } = summary.kgDmPerHa.total;
    const words = (value: number): string => Math.round(value).toLocaleString('en-AU');
    await phone.page.getByText(`Modelled: ${from.join(', ')}`).waitFor();
    const shown = await phone.page.locator('main').innerText();
    expect(shown).toContain(`${words(mean)} kg DM/ha`);
    expect(shown).toContain(`Between ${words(interval.low)} and ${words(interval.high)}`);
    expect(shown).toContain(effortAdvice(summary.effort, summary.worth));
    for (const warning of summary.warnings) expect(shown).toContain(warning);
    expect(paddock.name).toBe('River flat');
  });

  it('shows two devices of one farm the same, with steps of one cut put together', async () => {
    await using line = await farmLine(farm.server.address);
    await using first = await openPhone(browser, farm, {
      pairAs: 'recorder',
      address: line.address,
      estimates: false,
    });
    await using second = await openPhone(browser, farm, { pairAs: 'owner', estimates: false });
    await visit(first.page, 'cut/new');
    await first.page.getByLabel('Paddock').selectOption('River flat');
    await first.page.getByLabel('Cut at').fill('2');
    await first.page.getByRole('button', { name: 'Frame is placed' }).click();
    await first.page.getByRole('heading', { name: 'Weighed wet' }).waitFor();
    const cut = await until(async () => (await farm.json('/api/cuts')).items[0]);
    line.down();
    await first.page.getByLabel('All that was cut').fill('250');
    await first.page.getByLabel('Empty bag').fill('20');
    await first.page.getByRole('button', { name: 'Keep', exact: true }).click();
    await first.page.getByRole('heading', { name: 'Sub-sample weighed' }).waitFor();

    await second.page.reload();
    await visit(second.page, `cut/${cut.id}`);
    await second.page.getByLabel('All that was cut').fill('251');
    await second.page.getByLabel('Empty bag').fill('20');
    await second.page.getByRole('button', { name: 'Keep', exact: true }).click();
    await until(async () => (await farm.json(`/api/cuts/${cut.id}`)).stage === 'wet-weighed');
    line.up();
    await visit(first.page, 'outbox');
    await first.page.getByText(/refused: .*weighed wet already/).waitFor();
    await first.page.reload();
    await visit(first.page, `cut/${cut.id}`);
    await first.page.getByText(/Without effect: .*weighed wet already/).waitFor();
    expect((await farm.json(`/api/cuts/${cut.id}`)).events).toHaveLength(2);
    const take = first.page.getByRole('button', { name: 'Take the server’s steps' });
    await take.click();
    await take.click();
    await visit(first.page, 'outbox');
    await first.page.getByText('Nothing waits.').waitFor();
  });
});
