import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, CDPSession } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PIECE_BYTES } from '../../src/portable/model.ts';
import type { TestServer } from '../server/farm-server.ts';
import { describeInBrowser, PATIENCE, startChromium } from '../support/chromium.ts';
import { type PhotoFile, photograph, photosOf, startFarm } from '../support/paddock-app.ts';
import { until } from '../support/until.ts';

describeInBrowser('a phone that has to wait', () => {
  let root: string;
  let farm: TestServer;
  let browser: Browser;
  let photos: PhotoFile[];
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sward-slow-'));
    [farm, browser, photos] = await Promise.all([startFarm(root), startChromium(), photosOf(root, 1, 1200)]);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
    rmSync(root, { recursive: true, force: true });
  });

  /** 3G where it is slow, kbit/s each way. */
  const SLOW = 400;
  /** A line of so many kbit/s each way and 400 ms. Null: as fast as it goes. */
  const line = (session: CDPSession, kilobits: number | null) =>
    session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: kilobits === null ? 0 : 400,
      downloadThroughput: kilobits === null ? -1 : (kilobits * 1000) / 8,
      uploadThroughput: kilobits === null ? -1 : (kilobits * 1000) / 8,
    });

  it('on slow 3G has the shell at once, and goes on with the model where a reload has stopped it', async () => {
    const context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await line(session, SLOW);
    await page.goto(farm.server.address);
    await page.getByRole('heading', { name: 'Photograph a frame' }).waitFor();
    const bar = page.locator('progress');
    const loaded = async (): Promise<number> => Number(await bar.getAttribute('value'));
    // The screen is used while the model comes: a photo is kept.
    await photograph(page, photos[0] as PhotoFile);
    await page.getByText('Waits to be estimated').waitFor();
    await bar.waitFor();
    const before = await loaded();
    expect(before).toBeLessThan(PIECE_BYTES);
    // Beyond the first piece, in the middle of the second, which need not take as long as it would there.
    await line(session, 4 * SLOW);
    await until(async () => (await loaded()) > 1.1 * PIECE_BYTES);
    await line(session, SLOW);
    await page.reload();
    await bar.waitFor();
    expect(await loaded()).toBeGreaterThanOrEqual(PIECE_BYTES);
    await line(session, null);
    await page.getByText('Modelled by run starter').waitFor();
    await context.close();
  });
});
